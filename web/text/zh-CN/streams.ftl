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
stream-answered = { $title }：同事已回复
# In the list, in the place of words.
preview-photo = [照片]
preview-voice = [语音]
preview-recalled = 一条消息已撤回
preview-removed = 一条消息已被移除
preview-chain = [接龙] { $title }

# Reports.
report-made-title = 有人举报了一条消息
report-made-text = 在“{ $title }”里，请到议事台处理。
report-removed = 您举报的消息已移除
report-kept = 您举报的消息没有移除
report-why = 理由：{ $reason }

# Messages that are looked at before they are shown.
held-reason-review = 这里的话要先审核再显示
held-reason-ad = 里面有像广告的词，先看过再显示
held-reason-fraud = 里面有像诈骗的词，先看过再显示
held-reason-gambling = 里面有像赌博的词，先看过再显示
held-reason-abuse = 里面有像骂人、威胁的词，先看过再显示
held-reason-rumour = 里面有像谣言的词，先看过再显示
held-card-waiting-title = 有一条消息等着审核
held-card-waiting-text = 在“{ $title }”里，请到议事台看一看。
held-card-appealed-title = 有人对不予显示提出申诉
held-card-appealed-text = 在“{ $title }”里，请另一位工作人员来定。
held-card-approved-title = 您在“{ $title }”说的话已经显示
held-card-approved-text = 审核通过，大家都看得到了。{ $reason }
held-card-refused-title = 您在“{ $title }”说的话没有显示
held-card-refused-text = 理由：{ $reason }

# A list (接龙) as a table.
chain-head-row = 序号
chain-head-name = 姓名
chain-head-household = 户号
chain-head-text = 内容
chain-head-quantity = 数量
