# Matters: stages, gates, numbers, cards.
template-six-stages = 六环节参事议事
stage-raise = 提事
stage-deliberate = 谋事
stage-publicise = 亮事
stage-review = 审事
stage-decide = 定事
stage-evaluate = 评事

# What lets a matter into a stage.
entry-raised = 事项已经提出
entry-stage-before-complete = 上一环节的依据齐全
entry-notice-concluded = 公示期满，异议全部答复
entry-vote-passed = 表决通过

matter-state-open = 正在办理
matter-state-closed = 已经办结
matter-state-withdrawn = 已经撤回
matter-state-not-passed = 表决没有通过

# Endings of village names that a number leaves out, longest first.
matter-place-endings = 社区居委会 村委会 社区 村
matter-number-prefix = { $place }〔{ $year }〕
matter-number = { $prefix }{ $n }号
matter-discussion = 议一议：{ $title }

# How a stage was left.
stage-outcome-completed = 依据齐全，进入下一环节
stage-outcome-skipped = 经批准跳过
stage-outcome-returned = 退回
stage-outcome-withdrawn = 撤回
stage-outcome-passed = 表决通过
stage-outcome-not-passed = 表决没有通过

# What is missing before a stage can be left.
missing-origin = 还没有并入村民留言，也没有提出的组织（需要 { $need } 条留言）
missing-survey = 民意调查还没有完成：需要 { $need } 份答卷，现有 { $have } 份（也可以用走访记录代替）
missing-meeting = 乡贤参事会还没有开会商议并写好纪要：需要 { $need } 次，现有 { $have } 次
missing-notice = 公示还没有完成：要公示期满，并且异议全部答复
missing-objections = 还有 { $have } 条异议没有答复
missing-visits = 回访还不够：需要 { $need } 户，现有 { $have } 户（回访表要结束收集）
missing-objectors = 还没有回访提过异议的村民：需要 { $need } 位，现有 { $have } 位
missing-opinion = 还没有党组织或村民委员会的意见
missing-opinion-agreeing = 最近一次意见是不同意，不能提交表决
missing-vote = 还没有表决通过（意见征询不能代替会议表决）
missing-tasks = 还没有落实任务：需要 { $need } 项，现有 { $have } 项
missing-tasks-open = 还有 { $have } 项任务没有完成并上传证明
missing-rating = 满意度评价还没有完成：需要 { $need } 份，现有 { $have } 份
missing-rectification = 平均分不到 3 分，要先安排整改任务并完成
missing-report = 还没有总结报告

evidence-survey = 民意调查
evidence-visit = 走访记录
evidence-meeting = 会议纪要
evidence-notice = 公示
evidence-opinion = 意见
evidence-vote-opened = 开始表决
evidence-vote-result = 表决结果
evidence-consultation = 意见征询结果
evidence-task = 任务完成证明
evidence-rating = 满意度评价
evidence-report = 总结报告
evidence-outcome-agree = 同意
evidence-outcome-disagree = 不同意
evidence-outcome-passed = 通过
evidence-outcome-not-passed = 没有通过
evidence-outcome-annulled = 作废

voice-not-public = 不公开的留言

# Cards.
card-matter-raised = 新事项：{ $title }
card-matter-raised-text = { $number }，由{ $body }提出，正在征求大家的意见。
card-stage-entered = { $title }：进入{ $stage }
card-stage-entered-text = { $number }，{ $from }已完成。
card-stage-by-date-text = { $number }，公示期满，异议已全部答复。
card-stage-skipped-text = { $number }，经批准跳过{ $from }，批准人和理由见事项页面。
card-stage-returned-text = { $number }，从{ $from }退回，理由见事项页面。
card-stage-passed-text = { $number }，表决通过，开始落实。
card-matter-withdrawn = 事项撤回：{ $title }
card-matter-withdrawn-text = { $number }，理由见事项页面。
card-matter-not-passed = 表决没有通过：{ $title }
card-matter-not-passed-text = { $number }，表决的每个数字都在结果页面上。
card-matter-closed = 办结：{ $title }
card-matter-closed-text = { $number }，任务、评价和总结都在档案里。
card-stage-overdue = 超期：{ $title }
card-stage-overdue-text = { $number }，{ $stage }已过期限，请尽快办理或写明原因。
