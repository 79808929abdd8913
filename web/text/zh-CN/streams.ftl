# Streams: names at the head of a conversation.
stream-mailbox = 我的消息
stream-channel = { $area }公告
stream-office = 办公室
