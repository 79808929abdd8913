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
notices-card-answered-title = 您的异议有了答复：{ $title }
notices-card-answered-text = 您对 { $number } 提的异议已经答复，点开查看。
