# Votes: state, results with every number, cards.
vote-state-open = 正在表决
vote-state-closed = 已经截止
vote-state-annulled = 作废
vote-label-binding = 会议表决
vote-label-consultative = 意见征询
choice-for = 同意
choice-against = 不同意
choice-abstain = 弃权
vote-channel-none = 未投票

vote-reason-passed = 通过
vote-reason-quorum = 参加人数不够，表决无效
vote-reason-threshold = 同意的人数不够，没有通过
vote-reason-more-ballots-than-issued = 收回的票多于发出的票，表决作废
vote-reason-ranked-by-votes = 按得票多少排序

vote-share-strict = 超过 { $num }/{ $den }
vote-share-reached = 达到 { $num }/{ $den }
vote-comparison-quorum = 名册 { $whole } 人，参加 { $part } 人，要{ $share }：{ $verdict }
vote-comparison-passing-of-roll = 名册 { $whole } 人，同意 { $part } 人，要{ $share }：{ $verdict }
vote-comparison-passing-of-present = 参加 { $whole } 人，同意 { $part } 人，要{ $share }：{ $verdict }
vote-comparison-holds = 达到
vote-comparison-fails = 没有达到

# Cards.
card-vote-opened = { $label }：{ $question }
card-vote-opened-text = { $month }月{ $day }日 { $time } 截止，名册上 { $electors } 人，请您投票。
card-vote-passed = 表决通过：{ $question }
card-vote-not-passed = 表决没有通过：{ $question }
card-vote-consulted = 意见征询结束：{ $question }
card-vote-annulled = 表决作废：{ $question }
card-vote-closed-text = 名册 { $electors } 人，参加 { $present } 人：同意 { $yes }，不同意 { $no }，弃权 { $abstain }。
card-vote-annulled-text = 计票不能成立，请看结果页面。

# Lines of a matter's record.
record-suggestion-submitted = 村民留言
record-suggestion-joined = 留言并入事项
record-matter-raised = 提出事项
record-evidence-attached = { $stage }有了新的依据
record-stage-entered = 进入{ $stage }
record-stage-skipped = 经批准跳过{ $stage }
record-stage-overdue = { $stage }超期
record-matter-ended = 事项终止
record-matter-closed = 事项办结
record-form-opened = 开始调查或评价
record-form-closed = 调查或评价结束
record-meeting-called = 通知开会
record-meeting-held = 会议开过，纪要写好
record-notice-published = 发布公示
record-notice-revised = 公示修改，重新计算天数
record-notice-withdrawn = 公示撤回
record-notice-concluded = 公示期满，异议全部答复
record-objection-raised = 有人提出异议
record-objection-answered = 异议得到答复
record-vote-opened = 开始表决，名册冻结
record-vote-closed = 表决截止，结果公布
record-task-given = 安排任务
record-task-done = 任务完成，有证明
record-task-overdue = 任务超期
