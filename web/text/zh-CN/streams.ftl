# Streams: names at the head of a conversation.
stream-mailbox = 我的消息
stream-channel = { $area }公告
stream-office = 办公室
# In the place of words whose author closed the account.
erased = （本人注销账号时已经删除）
