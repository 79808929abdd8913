# Suggestions 百姓留声室: kinds, states, and the cards that follow each step.
suggestion-spoken = 语音留言
suggestion-thread = { $kind } { $number }

suggestion-kind-consult = 咨询
suggestion-kind-help = 求助
suggestion-kind-complaint = 投诉
suggestion-kind-suggestion = 建议
suggestion-kind-praise = 表扬

suggestion-visibility-public = 全村都能看，不显示全名
suggestion-visibility-handlers = 只有办事的人能看
suggestion-visibility-town = 只有镇里能看

suggestion-state-submitted = 等待受理
suggestion-state-accepted = 正在办理
suggestion-state-answered = 已经答复
suggestion-state-rated = 已经办结

# Cards in the author's thread.
suggestion-received-title = 您的留言已收到
suggestion-received-text = 编号 { $number }，{ $body }将在{ $month }月{ $day }日前受理。
suggestion-taken-down-title = { $body }替您记下了一条留言
suggestion-taken-down-text = 编号 { $number }，将在{ $month }月{ $day }日前受理。点开看记了什么、是谁记的；不是您说的，请在下面直接回复。
suggestion-accepted-title = 您的留言已受理
suggestion-accepted-text = { $body }将在{ $month }月{ $day }日前答复您。
suggestion-assigned-title = 已派人办理
suggestion-assigned-text = 您的留言 { $number } 已派人办理。
suggestion-answered-title = 您的留言有答复了
suggestion-answered-text = 点开看答复，也请您打个分。
suggestion-reopened-title = 您说没有解决，已重新办理
suggestion-reopened-text = { $body }将在{ $month }月{ $day }日前再次答复您。
suggestion-closed-title = 谢谢您的评价
suggestion-closed-text = 留言 { $number } 已经办结。
suggestion-joined-title = 您的留言已进入村里议事
suggestion-joined-text = 留言 { $number } 原样保留。点开看这件事办到哪一步。
suggestion-inspected-title = 县里的工作人员打开了您的留言
suggestion-inspected-text = 留言 { $number } 不公开。是谁、什么时候、什么理由，点开看“谁看过”。
suggestion-escalated-title = 两次没有解决，已经转到上一级
suggestion-escalated-text = 留言 { $number } 现在由{ $body }办理，{ $month }月{ $day }日前答复您。
cosigned-answered-title = 您也关心的留言有答复了
cosigned-answered-text = 留言 { $number }，{ $body }已经答复，点开看看。
cosigned-joined-title = 您也关心的留言成了村里的一件事
cosigned-joined-text = 留言 { $number } 并入了一件大家商量的事，点开看看。
suggestion-overdue-title = 您的留言过了期限
suggestion-overdue-text = 留言 { $number } 过了答应您的期限，系统已经催办{ $body }。

# Cards in the office of the body responsible: number and kind only.
office-suggestion-new-title = 新留言：{ $kind }
office-suggestion-new-text = 编号 { $number }，请在{ $month }月{ $day }日前受理。
office-suggestion-reopened-title = 群众说没有解决：{ $kind }
office-suggestion-reopened-text = 编号 { $number }，请在{ $month }月{ $day }日前再次答复。
office-suggestion-due-soon-title = 留言快到期限：{ $kind }
office-suggestion-due-soon-text = 编号 { $number }，期限是{ $month }月{ $day }日。
office-suggestion-supervised-title = 下级留言超期，请督办：{ $kind }
office-suggestion-supervised-text = 编号 { $number } 由{ $body }办理，过了{ $month }月{ $day }日还没有答复。
office-suggestion-escalated-title = 群众两次说没有解决，转到这里：{ $kind }
office-suggestion-escalated-text = 编号 { $number }，请在{ $month }月{ $day }日前受理。
office-suggestion-gone-title = 群众两次说没有解决，已经转走：{ $kind }
office-suggestion-gone-text = 编号 { $number } 现在由{ $body }办理，请把情况交接清楚。
office-suggestion-overdue-title = 留言过了期限：{ $kind }
office-suggestion-overdue-text = 编号 { $number } 已经过期，请马上办理。

# Somebody's speaking in public is suspended.
speaking-suspended-title = 您的公开发言暂停了
speaking-suspended-text = { $body }暂停您在公开场合发言，到 { $month } 月 { $day } 日为止。原因：{ $reason }。您照常可以查看、表决、提异议、给村里私下留言。{ $appeal }
speaking-restored-title = 您可以公开发言了
speaking-restored-text = { $body }已经恢复您的公开发言。说明：{ $reason }
speaking-appeal = 不服的，可以留言给“{ $office }”（留言时选“只有镇里能看”），或者直接去申诉。
speaking-appeal-here = 不服的，可以到村里或镇里申诉。

suggestion-referral-offered-title = 想转给{ $other }办
suggestion-referral-offered-text = { $body }认为留言 { $number } 该由{ $other }办，已经去问。对方答应以前仍由{ $body }负责，{ $month }月{ $day }日的期限不变。
suggestion-referred-title = 已经转给{ $other }办
suggestion-referred-text = { $other }接下了留言 { $number }，{ $month }月{ $day }日前答复您，期限没有变。
suggestion-referral-refused-title = { $other }没有接
suggestion-referral-refused-text = { $other }认为留言 { $number } 该由{ $next }办。现在仍由{ $body }负责，期限不变。
suggestion-referral-ended-title = 不转了，仍由{ $body }办
suggestion-referral-ended-text = 留言 { $number } 没有转给{ $other }，仍由{ $body }负责，期限不变。
office-referral-offered-title = { $body }想转来一条留言：{ $kind }
office-referral-offered-text = 编号 { $number }，期限 { $month }月{ $day }日。接还是不接，请在“转来的留言”里答复；不接要写明该由谁办。
office-referral-taken-title = { $other }接下了留言：{ $kind }
office-referral-taken-text = 编号 { $number } 现在由{ $other }办理，请把情况交接清楚。
office-referral-here-title = 留言转到这里：{ $kind }
office-referral-here-text = 编号 { $number }，请在{ $month }月{ $day }日前答复；期限从最初算起。
office-referral-refused-title = { $other }没有接留言：{ $kind }
office-referral-refused-text = 编号 { $number }，对方认为该由{ $next }办。现在仍由{ $body }负责。
office-referral-ended-title = { $body }不转了：{ $kind }
office-referral-ended-text = 编号 { $number } 仍由{ $body }办理，不用再答复。
referral-state-offered = 等对方答复
referral-state-accepted = 对方已接下
referral-state-refused = 对方没有接
referral-state-ended = 没有转
referral-next = 认为该由{ $body }办
page-referrals = 转办经过
desk-referred = 转办经过
desk-referrals = 转来的留言
desk-referrals-why = 别的组织认为该由这里办的留言。接下以前看不到内容，仍由对方负责；不接要写明理由和该由谁办，留言的人也看得到。
desk-no-referrals = 现在没有转来的留言。
desk-referral-from = { $from }想转给{ $to }，理由：
desk-referral-take = 接下来办
desk-referral-refuse = 不接
desk-referral-next = 该由谁办
desk-referral-why-not = 不接的理由
desk-referral-keep = 不转了，自己办
desk-refer = 不归这里管，转给别的组织
desk-refer-why = 对方接下以前，仍由这里负责，期限不变。理由留言的人也看得到。
desk-refer-to = 转给谁
desk-refer-reason = 理由
desk-refer-do = 去问对方
suggestion-taken-down-by = { $body } { $name } 代录
desk-taken-down = 代录
desk-taken-down-hint = 替名册上的居民记，请填上面的姓名和这里的名册编号；算这位居民的留言，登记了电话的会收到短信。不填编号，算访客的留言。
desk-taken-down-number = 名册编号
desk-taken-down-public = 本人愿意让全村都能看到（不显示全名）
