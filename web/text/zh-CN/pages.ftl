# The frame of every page.
page-site = 留声
page-skip = 跳到正文
page-back = 返回
page-home = 首页
page-news = 有新内容，点这里看
page-more = 更多
page-next = 下一页
page-older = 看更早的
page-elder-on = 长辈版
page-elder-off = 标准版
page-problem = 没有办成
page-me = 我
page-late = 超期
page-until = { $at } 截止
page-due = 期限 { $at }
page-done-at = { $at } 办好
page-promised = 答应在{ $at }前
page-to-matter = 看这件事项

# Dates, numbers, clips.
page-moment = { $m }月{ $d }日 { $t }
page-day = { $m }月{ $d }日
page-date = { $y }年{ $m }月{ $d }日
page-yesterday = 昨天
page-seconds = { $s } 秒
page-minutes = { $m } 分 { $s } 秒
page-listen = 听一听
page-photo = 照片 { $n }

# Home.
page-welcome = 您说的每一句话，都有人听、有人管、有回音。登录以后可以留言、议事、投票。
page-doors = 常用
page-todo = 需要我办的 { $n } 件
page-todo-vote = 请表决：{ $title }（{ $at } 截止）
page-todo-meeting = 请签到：{ $title }（{ $at }）
page-todo-notice = 请确认看过：{ $title }
page-todo-form = 请填写：{ $title }
page-todo-form-until = 请填写：{ $title }（{ $at } 截止）
page-todo-rate = 留言 { $title } 有答复了，请打分
page-todo-task = 请办理：{ $title }（{ $at } 到期）
page-unread = { $n } 条没看
page-desk = 议事台
page-logout = 退出登录
page-face-card = 村
page-face-thread = 我
page-face-discussion = 议
page-face-channel = 村
page-face-office = 办
page-face-mailbox = 信

# Signing in.
page-login = 登录
page-login-phone = 手机号
page-login-phone-hint = 用村里登记的手机号，我们发一条验证码短信给您。
page-login-send = 发验证码
page-login-help = 没有手机，或者号码换了？请找网格员或到村委会登记，也可以请家人用家里登记的号码登录。
page-login-sent = 如果 { $phone } 是登记的号码，验证码已经发出，5 分钟内有效。
page-login-code = 短信里的 6 位数字
page-login-enter = 登录
page-login-none = 没有收到？等 1 分钟再发一次。
page-login-again = 再发一次
page-login-who = 这个号码登记了几个人，您是哪一位？

# Speaking.
page-speak = 我要说
page-speak-kind = 您想说的是
page-speak-start = 按住说话，或点一下开始
page-speak-stop = 正在录音 { "{n}" } 秒，松开或再点一下结束
page-speak-short = 录音太短，请再说一次
page-speak-denied = 手机没有允许录音，请用下面的“录音文件”，或者打字
page-speak-seconds = 听一听 { "{n}" } 秒
page-speak-again = 重新录
page-speak-text = 也可以打字
page-speak-place = 在什么地方（可以不填）
page-speak-place-example = 例如：桥头、三组晒谷场
page-speak-photos = 照片（最多 9 张，可以不放）
page-speak-voice = 录音文件
page-speak-kept = 刚才的 { $n } 个照片或录音已经收到，不用再选。
page-speak-who = 谁能看到
page-speak-who-hint = 村里其他人看不到您的全名；办事的人每看一次都有记录，您查得到。
page-speak-send = 送出

# Own voices.
page-suggestions = 我的留言
page-suggestions-none = 您还没有留过言。
page-suggestion = 留言
page-suggestion-with = 由{ $body }办理
page-suggestion-answer = { $body }的答复
page-suggestion-matter = 已经进入村里议事，看办到哪一步
page-suggestion-thread = 来往
page-suggestion-more = 再补充几句
page-place = 地点：{ $place }
page-readings = 谁看过：{ $n } 次
page-reading-reason = 理由：{ $text }
page-readings-hint = 不公开的留言，办事的人每天打开都会记在这里。
page-step-received = 收到
page-step-accept = 受理
page-step-answer = 答复
page-step-rate = 评价
page-step-rate-hint = 有了答复，请您打分
page-rated = 您打了 { $n } 分
page-rate-answer = 这个答复解决问题了吗？
page-rate-words = 想说的话（可以不填）
page-rate-send = 打分
page-stars-5 = 5 分，很满意
page-stars-4 = 4 分，满意
page-stars-3 = 3 分，一般
page-stars-2 = 2 分，没解决，请重新办
page-stars-1 = 1 分，完全没解决，请重新办

# Conversations.
page-stream = 消息
page-nothing-said = 还没有人说话。
page-say = 说一句
page-send = 发送
page-side-for = 赞成的理由
page-side-against = 反对的理由
page-side-info = 补充情况

# Matters.
page-matters = 村里事
page-matters-none = 现在没有事项。
page-matters-all = 看全部事项 ›
page-matter-voices = { $n } 位村民的留言
page-matter-number = 编号 { $number }
page-matter-by = 由{ $body }提出
page-missing = 这一步还差什么
page-stage-now = 正在进行
page-stage-skipped = 经批准跳过
page-stage-stopped = 停在这里
page-stage-reason = 理由：{ $at }
page-stage-authority = 依据：{ $at }
page-outcome-agree = 同意
page-outcome-disagree = 不同意
page-outcome-passed = 通过
page-outcome-not-passed = 没有通过
page-outcome-annulled = 作废
page-outcome-against = 多数不同意
page-outcome-for = 多数同意
page-tasks = 落实
page-task-state-open = 正在办
page-task-state-done = 已办好
page-talk = 议一议
page-talk-side = 您要说的是
page-talk-login = 登录以后看大家的议论

# Forms.
page-form = 问卷
page-form-send = 交卷
page-form-answered = 您已经在 { $at } 填过，谢谢。
page-form-results = 收到 { $n } 份
page-scale-5 = 5 分，很好
page-scale-4 = 4 分，好
page-scale-3 = 3 分，一般
page-scale-2 = 2 分，不好
page-scale-1 = 1 分，很不好

# Meetings.
page-meetings = 会议
page-meetings-none = 没有会议。
page-meeting = 会议
page-meeting-state-called = 将要召开
page-meeting-state-held = 已经召开
page-meeting-state-cancelled = 取消
page-meeting-at = 时间
page-meeting-place = 地点
page-meeting-by = 召集
page-meeting-agenda = 议程
page-meeting-cancelled = 会议取消：{ $reason }
page-meeting-sign-in = 我来签到
page-meeting-signed = 您已签到，{ $at }
page-meeting-minutes = 会议纪要
page-meeting-present = 到会 { $n } 人
page-meeting-resolution = 决议
page-audience-members = 成员参加
page-audience-representatives = 村民代表参加
page-audience-villagers = 全体村民参加

# Notices and objections.
page-notices = 公示公告
page-notices-none = 现在没有公示。
page-notice = 公示
page-notice-read = 看全文
page-notice-state-published = 正在公示
page-notice-state-concluded = 公示结束
page-notice-state-withdrawn = 已撤下
page-notice-adviser = 受委托由{ $body }拟定
page-notice-period = 公示期：{ $from }至{ $to }
page-notice-withdrawn = 撤下的原因：{ $reason }
page-notice-confirm = 我已看过
page-notice-confirmed-me = 您已确认看过
page-notice-confirmed = 已有 { $n } 人确认看过
page-objection = 异议
page-objection-answer = 答复
page-objections-none = 还没有异议
page-objections = 异议 { $n } 条，{ $open } 条等待答复
page-objection-open = 等待答复
page-object = 提出异议
page-object-hint = 每一条异议都要公开答复。别人看不到您的全名。
page-object-text = 您不同意什么，为什么
page-object-send = 提出异议
page-object-login = 登录以后可以提出异议
page-version = 第 { $n } 版
page-versions = 改过的版本：共 { $n } 版
page-version-reason = 修改原因：{ $reason }

# Votes.
page-votes = 去投票
page-votes-open = 等您表决的
page-votes-closed = 已经有结果的
page-votes-none = 现在没有要您表决的事。
page-vote = 表决
page-vote-go = 去投票
page-vote-cast = 您已投票，看凭证
page-vote-turnout = 名册 { $roll } 人，已投 { $cast } 人
page-vote-choose = 您的意见是
page-vote-open-ballot = 这是记名表决：截止以后，编号、隐去名字的姓名和选择会公布，供大家核对。截止以前谁也看不到结果。
page-vote-next = 下一步：再看一遍
page-vote-confirm = 再看一遍
page-vote-your-choice = 您选的是：
page-vote-once = 投出以后不能更改。
page-vote-sure = 确定投：{ $choice }
page-vote-change = 返回修改
page-vote-taken = 您的票已经收到
page-vote-taken-at = { $at } 收到，只算一次。
page-vote-receipt = 凭证：截止以后，在结果里可以找到这一张票。
page-vote-receipt-more = 凭证的签名
page-vote-receipt-hint = 请村里懂电脑的人帮您核对：签名证明系统收下了这张票。
page-vote-not-on-roll = 您不在这次表决的名册上。如果应该在，请向村民委员会提出。
page-vote-login = 登录以后投票
page-vote-by = 谁来表决
page-vote-kind = 表决方式
page-vote-law = 依据
page-vote-quorum = 多少人参加才有效
page-vote-passing = 多少人同意才通过
page-basis-quorum-E = 名册人数
page-basis-E = 同意的人要在名册人数中
page-basis-P = 同意的人要在参加的人中
page-vote-consultative = 意见征询只听意见，不作决定。
page-vote-result = 表决结果
page-vote-closed-at = { $at } 截止
page-vote-numbers = 每一个数字
page-count-roll = 名册上
page-count-present = 参加
page-count-invalid = 废票
page-vote-ballots = 每一张票
page-vote-ballots-hint = 请核对您自己的一行。
page-vote-number = 编号
page-vote-name = 姓名
page-vote-choice = 选择

# The page of record.
page-record = 全程档案
page-record-go = 从第一条留言到最后：全程档案
page-record-from = { $at }开始
page-record-to = { $at }结束
page-record-timeline = 经过
page-record-when = 时间
page-record-what = 事情
page-record-number = 日志号
page-record-head = 日志共 { $n } 条，最近一次签名在 { $at }，摘要：

# The log.
page-log = 公开日志
page-log-what = 系统里发生的每一件事都按顺序记在一本日志里，一条扣着一条。谁改动、删去或补插一条，下面的摘要就对不上。
page-log-number = 日志条数
page-log-at = 签名时间
page-log-hash = 摘要
page-log-signature = 钥匙与签名
page-log-check = 把摘要抄在公示栏上，以后随时可以核对。
page-log-none = 日志还没有签过名，请过一会儿再看。

# Privacy.
page-privacy = 隐私说明
page-privacy-title = 我们怎样保管您说的话
page-privacy-head-1 = 存了什么
page-privacy-text-1 = 村里名册上的姓名、户号、手机号和身份证号后四位；您的留言、照片、录音、投票和签到。
page-privacy-head-2 = 谁看得到
page-privacy-text-2 = 手机号谁也看不到。公开的留言隐去您的名字。不公开的留言只有办事的人能打开，每打开一次都有记录，您在留言页面查得到。
page-privacy-head-3 = 投票
page-privacy-text-3 = 记名表决截止以后公布编号、隐去名字的姓名和选择。没有人能在截止以前看到结果。
page-privacy-head-4 = 照片和录音
page-privacy-text-4 = 照片里的拍摄地点会自动去掉。录音只给能看这条留言的人听。
page-privacy-head-5 = 不做什么
page-privacy-text-5 = 不打卡、不排名、不定位，不把您的资料给别的公司。
page-privacy-head-6 = 您可以
page-privacy-text-6 = 到村委会查看、更正名册上您的资料，也可以请工作人员代您留言、用纸质票投票。
