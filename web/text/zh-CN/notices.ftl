# 公示与异议。
# 文号里不写的地名结尾，长的在前
notices-number-endings = 社区 村
notices-number = { $area }公示〔{ $year }〕{ $n }号
notices-card-published-title = 公示：{ $title }
notices-card-published-text = { $number }，公示到 { $month }月{ $day }日为止。有不同意见，请在这之前提出。
notices-card-revised-title = 公示有改动：{ $title }
notices-card-revised-text = { $number } 改过内容，公示期重新计算，到 { $month }月{ $day }日为止。
notices-card-withdrawn-title = 公示撤回：{ $title }
notices-card-withdrawn-text = { $number } 已经撤回。原因：{ $reason }
notices-card-concluded-title = 公示结束：{ $title }
notices-card-concluded-text = { $number } 公示期满，异议都已答复。
notices-card-held-up-title = 公示期满，还有异议没有答复：{ $title }
notices-card-held-up-text = { $number } 要等异议全部答复才能结束，请尽快答复。
notices-card-objection-title = 有人提异议：{ $title }
notices-card-objection-text = { $name } 对 { $number } 提了异议，请答复，答复会公开。
notices-card-written-title = 工作人员替您记下一条异议：{ $title }
notices-card-written-text = 是对 { $number } 的异议。如果不是您说的，请点开撤回，或者找村务监督委员会；您也可以自己再提。
notices-card-withdrawn-for-title = 工作人员替您撤回了一条异议：{ $title }
notices-card-withdrawn-for-text = 是代您记下的、对 { $number } 的异议。如果不是您要撤回的，请自己再提，或者找村务监督委员会。
notices-card-taken-back-title = 一条代记的异议撤回了：{ $title }
notices-card-taken-back-text = { $name } 名下代为登记的、对 { $number } 的异议已经撤回，不用再答复。
notices-card-answered-title = 您的异议有了答复：{ $title }
notices-card-answered-text = 您对 { $number } 提的异议已经答复，点开查看。
# 必读：确认、提醒、上门。
notices-emergency = 【紧急】{ $title }
notices-card-reminder-title = 请确认看过：{ $title }
notices-card-reminder-text = 请在 { $month }月{ $day }日前点开看一看，再点“我已看过”。
notices-card-reminder-emergency-text = 紧急公告，不受免打扰和安静时间限制。请马上点开看，再点“我已看过”。
notices-doors-task = 上门告知：《{ $title }》还有 { $n } 人没有确认
notices-doors-task-of = 上门告知：《{ $title }》{ $village }还有 { $n } 人没有确认
notices-card-confirmed-for-title = 有人代您确认看过：{ $title }
notices-card-confirmed-for-text = { $name } 代您作了确认（{ $via }）。不是您同意的，请点开撤销。
notices-card-undone-title = 一个确认撤销了：{ $title }
notices-card-undone-text = { $name } 撤销了代作的确认（{ $via }）。
notices-via-household = 家里人代为确认
notices-via-mandate = 凭书面委托
notices-via-door = 上门告知
