# 县级运维: the desk of whoever runs the county.
county-title = 县级运维
county-nav = 县级运维的页面
county-health = 运行情况
county-areas = 区域
county-bodies = 组织与任期
county-failures = 失败的工作
county-voices = 查看不公开的留言

# Health.
county-state-ok = 运行正常
county-state-degraded = 能用，有地方要处理
county-state-down = 数据库连不上
county-checked-at = { $at }检查
county-part-database = 数据库
county-part-broker = 消息通道（{ $name }）
county-broker-in-process = 本机
county-broker-redis = Redis
county-part-relay = 事件记录及时
county-part-letters = 没有失败的工作
county-part-calendar = 工作日历够用
county-part-media = 照片和录音能存能取
county-part-disk = 磁盘空间够用
county-part-sms = 短信验证码能发
county-part-well = 正常
county-part-ails = 要处理
county-unsequenced = 还没编号的事件
county-oldest = 最早的一件等了
county-seconds = { $n } 秒
county-behind = 后续动作落后
county-behind-none = 全部跟上
county-behind-one = { $name }：落后 { $n } 件
county-sockets = 本进程的在线连接
county-waiting = 等着投递
county-dead = 放弃的投递
county-see = { $n } 件，去处理
county-letters = 失败的后续动作
county-checkpoint = 最近一次签名
county-checkpoint-is = 第 { $n } 件，{ $at }
county-checkpoint-none = 还没有
county-database-size = 数据库大小
county-disk-free = 磁盘剩余
county-disk-of = { $free } / 共 { $total }
county-unknown = 读不到

# Areas.
county-area = 区域
county-people = 在册人数
county-bodies-count = 组织
county-matters = 在办事项
county-late-matters = 超期事项
county-voices-waiting = 待办留言
county-late-voices = 超期留言
county-whole = 合计
county-nothing-below = 下面没有更小的区域。
county-merged = 已撤并
county-bands-why = 留言数只显示范围，不显示准确数字，免得从数字看出是谁说的。只让镇里看的留言，只算在镇里。
county-band-between = { $from }–{ $to }
county-band-from = { $from } 以上

# Bodies.
county-term = 第 { $n } 届，{ $days }
county-term-days = { $from }至{ $to }
county-term-none = 没有登记任期
county-term-over = 任期已满
county-ending = 任期已满或快满（90 天内）
county-ending-none = 90 天内没有任期届满的组织。
county-ends-on = { $day }届满
county-until = 到{ $day }
county-no-end = 没有写到哪天
county-no-bodies = 这个区域没有登记组织。
county-manage-bodies = 去登记任职

# Failed work.
county-done = 已重做：{ $through } 件成了，{ $left } 件还是不成。
county-letters-title = 没做成的后续动作
county-letters-why = 一件事发生以后，系统要接着做的事没做成，先放在这里，不影响别的事。修好原因以后重做，每件只会做成一次。
county-letters-none = 没有。
county-letter-event = 第 { $n } 件
county-letter-where = 区域
county-letter-what = 动作
county-letter-why = 原因
county-letter-when = 什么时候
county-redrive = 重做
county-redrive-all-letters = 全部重做
county-deliveries-title = 没送到的投递
county-deliveries-why = 试了多次都没送到，已经放弃。对方修好以后可以再送。
county-delivery-to = 送给
county-delivery-tries = 试过
county-delivery-times = { $n } 次
county-delivery-status = 对方回答
county-delivery-no-answer = 没有回答
county-delivery-removed = 地址已删除，不再送
county-redrive-all-deliveries = 全部再送
county-messages-title = 没收成的微信来信
county-messages-why = 居民发给公众号的话，试了多次都没收成。重新收下以后，仍算当时那位居民的留言；微信里的照片和语音三天后就取不到了。
county-message-broken = 系统有问题
county-message-media = 照片或语音取不到
county-message-busy = 当时太忙
county-message-not-set-up = 公众号没有接好
county-message-done = 同时收了两次
county-redrive-all-messages = 全部重新收
county-redrive-delivery = 再送

# A private voice.
county-voices-why = 不公开的留言只给留言人指定的人看。确实要看，请写明理由：理由、您的名字和时间，留言人马上收到，一直看得到。当天 24 点以后要重新写理由。
county-voice-number = 留言编号
county-voice-reason = 理由（10 到 300 字，留言人会看到）
county-voice-open = 写下理由并打开
county-voices-opened = 谁因为什么打开过
county-voices-opened-none = 还没有人打开过。
county-voices-who = 谁
county-voice = 留言 { $number }
county-voice-logged = 您写的理由已经记录，留言人看得到。今天 24 点以前可以再看。
county-voice-reason-was = 您的理由

# Identity numbers that do not agree.
county-numbers-title = 身份证号对不上，请核对
county-numbers-other = { $village }录入的名册里，有 { $n } 个身份证号在县里记的是另一个名字。录入的人不知道；这些人先按没有证号记下。请两边核对，错的一边改正。
county-numbers-refused = { $village }录入的名册里，有 { $n } 人在别的村名册上，整份没有录入。请看是迁了户，还是在试证号。
