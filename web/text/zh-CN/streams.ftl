# Streams: names at the head of a conversation.
stream-mailbox = 我的消息
stream-channel = { $area }公告
stream-office = 办公室
# In the place of words whose author closed the account.
erased = （本人注销账号时已经删除）
# Body is the council, federation or joint meeting whose members talk here.
stream-forum = { $body }论坛
# Name is masked; the office sees who it is when it answers.
stream-contact = { $body }·{ $name }
# Shown in the office's own stream. Title is that of the conversation.
stream-spoke = { $title }：有新消息
# In the list, in the place of words.
preview-photo = [照片]
preview-voice = [语音]
preview-recalled = 一条消息已撤回
preview-removed = 一条消息已被移除
preview-chain = [接龙] { $title }

# Reports.
report-made = 有人举报了一条消息
report-made-text = 在“{ $title }”里，请到议事台处理。
report-removed = 您举报的消息已移除
report-kept = 您举报的消息没有移除
report-why = 理由：{ $reason }
