# Matters: stages, gates, numbers, cards.
template-six-stages = 六环节参事议事
template-four-deliberations = 四议两公开
template-own = 本村章程规定的程序
template-short = 简易程序（提、亮、评）
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
missing-meeting-village-committee = 党支部和村委会（两委）还没有开会商议并写好纪要：需要 { $need } 次，现有 { $have } 次
missing-meeting-party-branch = 党员大会还没有审议并写好纪要：需要 { $need } 次，现有 { $have } 次
missing-quorum = 开过的会到会人数不够：至少要到 { $need } 人，到了 { $have } 人，要重新开
missing-resolution = 开过的会还没有通过任何决议
missing-alternatives = 村民在“议一议”里提了另一种办法，参事会还有 { $have } 种没有答复（采纳还是不采纳，都要写理由）
missing-plan-changed = 决议以后方案又改过，要按现在的方案重新开会决定
missing-proposal = 还没有村党组织的提议
missing-legality = 这是法律规定由村民会议决定的事项，还没有法律顾问的合法性意见
missing-legality-lawful = 法律顾问认为这样办不合法，要先改好，再请法律顾问看
missing-notices = 公开还不够：决议和实施结果要各公开一次，期满并且异议全部答复（需要 { $need } 次，现有 { $have } 次）
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
evidence-alternative = 对另一种办法的答复
evidence-notice = 公示
evidence-opinion = 意见
evidence-legality = 合法性意见
evidence-vote-opened = 开始表决
evidence-vote-result = 表决结果
evidence-consultation = 意见征询结果
evidence-task = 任务完成证明
evidence-rating = 满意度评价
evidence-reserved = 认定为村民会议决定的事项
evidence-particulars = 负责人、预算、附件
evidence-report = 总结报告
evidence-outcome-agree = 同意
evidence-outcome-disagree = 不同意
evidence-outcome-lawful = 合法
evidence-outcome-unlawful = 不合法
evidence-outcome-taken = 采纳
evidence-outcome-set-aside = 不采纳
evidence-outcome-passed = 通过
evidence-outcome-not-passed = 没有通过
evidence-outcome-annulled = 作废

# What was new about a matter, as it stays in its record.
particulars-seat = 负责人：{ $body }{ $role }
particulars-budget = 预算 { $yuan } 元，资金来源：{ $source }
particulars-photos = 附件照片 { $n } 张

# What the law reserves to the villagers' assembly, in its words and order.
reserved-planning = 本村建设规划，经济和社会发展规划、年度计划
reserved-public-works = 本村公益事业的兴办和筹资筹劳方案及建设承包方案
reserved-lost-work-pay = 本村享受误工补贴的人员及补贴标准
reserved-collective-income = 从村集体经济所得收益的使用方案
reserved-land-contracts = 土地承包经营方案
reserved-collective-projects = 村集体经济项目的立项、承包方案
reserved-homesteads = 宅基地的使用方案
reserved-land-compensation = 征地补偿费的使用、分配方案
reserved-collective-property = 以借贷、租赁、抵押或者其他方式处分村集体财产
reserved-asked-by-assembly = 村民会议认为应当由村民会议讨论决定的涉及村民利益的其他事项
reserved-decided-by = 由村民会议讨论决定；村民会议授权的，可以由村民代表会议讨论决定（浙江省实施《村民委员会组织法》办法第十五条、第十六条）
reserved-decided-by-collective = 由村民会议讨论决定，村民会议授权的，可以由村民代表会议讨论决定；法律和《浙江省村经济合作社组织条例》对集体财产和成员权益另有规定的，依照其规定（浙江省实施《村民委员会组织法》办法第十五条、第十六条）

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
card-matter-merged = 并入：{ $title }
card-matter-merged-text = { $number }并入了{ $other-number }“{ $other }”，留言原样跟过去，以后办到哪一步照样告诉您。
card-alternative-answered-title = 您提的办法有答复了：{ $title }
card-alternative-answered-text = { $number }，乡贤参事会答复：{ $outcome }，理由点开看。
card-matter-withdrawn = 事项撤回：{ $title }
card-matter-withdrawn-text = { $number }，理由见事项页面。
card-matter-not-passed = 表决没有通过：{ $title }
card-matter-not-passed-text = { $number }，表决的每个数字都在结果页面上。
card-matter-closed = 办结：{ $title }
card-matter-closed-text = { $number }，任务、评价和总结都在档案里。
card-stage-overdue-title = 超期：{ $title }
card-stage-overdue-text = { $number }，{ $stage }已过期限，请尽快办理或写明原因。

# The register as a table.
register-number = 编号
register-area = 村（社区）
register-title = 事项
register-summary = 内容
register-state = 状态
register-stage = 环节
register-raised = 提出日期
register-due = 本环节期限
register-overdue = 是否超期
register-moved = 最近进展
register-budget = 预算（元）
register-spent = 支出（元）
register-estimate = 事项预算（元）
register-source = 资金来源
register-responsible = 负责人
register-is-overdue = 超期
card-plan-written = 方案写好了：{ $title }
card-plan-written-text = { $number }，方案是第 { $version } 稿，改了哪里都看得到，请大家看看。
card-matter-halted = 暂缓：{ $title }
card-matter-halted-text = { $number }，村务监督委员会暂缓{ $stage }，最多三天，理由见事项页面。
card-body-invited-title = 请你们来商议：{ $title }
card-body-invited-text = { $number }，邀请{ $body }参加商议，请在 { $until } 以前到讨论里说说意见；不参加的，由负责人写明原因。
card-invitation-declined-title = 谢绝参加商议：{ $title }
card-invitation-declined-text = { $number }，{ $body }不参加商议，原因写在事项页面上。
card-halt-ended = 继续办：{ $title }
card-halt-ended-text = { $number }，暂缓已结束，{ $stage }继续。

# What became of an invitation to deliberate.
invitation-state-invited = 已邀请
invitation-state-took-part = 参加了讨论
invitation-state-declined = 谢绝
invitation-state-silent = 到期没有回音

# What a stage of a path asks for.
asks-origin = 至少 { $n } 条村民留言，或由组织提出
asks-survey = 民意调查至少 { $n } 份答卷，或走访
asks-meeting = 开会商议 { $n } 次：过半数成员到会，有决议，有纪要
asks-alternatives = 村民提出的其他办法，参事会每一种都有答复
asks-notice = 公示 { $n } 次，期满，异议全部答复
asks-visits = 回访至少 { $n } 户，提过异议的在内
asks-opinion = 党组织或村民委员会的意见
asks-legality = 法律规定由村民会议决定的事项，要有法律顾问的合法性意见；法律顾问认为不合法的，要先改好
asks-vote = 依法表决通过
asks-tasks = 落实任务至少 { $n } 项，都有完成证明
asks-rating = 满意度评价至少 { $n } 份，平均不到 3 分的要整改
asks-report = 总结报告

# Lines of the record.
record-plan-written = 方案有新的一稿
record-matter-halted = 监督委员会暂缓{ $stage }
record-halt-ended = { $stage }的暂缓结束
record-body-invited = 邀请了一个组织参加商议
record-invitation-declined = 被邀请的一个组织谢绝了
record-sample-drawn = 抽定回访户
