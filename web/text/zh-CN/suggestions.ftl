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

# How many the law asks for before a meeting must be called.
threshold-assembly-by-villagers = 达到十分之一以上村民，应当召集村民会议
threshold-law-assembly-by-villagers = 村民委员会组织法（2025修正）第二十五条
threshold-assembly-by-representatives = 达到三分之一以上村民代表，应当召集村民会议
threshold-law-assembly-by-representatives = 村民委员会组织法（2025修正）第二十五条
threshold-representatives-meeting = 达到五分之一以上村民代表，应当召集村民代表会议
threshold-law-representatives-meeting = 村民委员会组织法（2025修正）第三十条
threshold-card-text = 留言{ $number }有 { $have } 人附议（共 { $of } 人）。依据：{ $law }。“我也是”不是书面提议，请尽快核对并答复。
