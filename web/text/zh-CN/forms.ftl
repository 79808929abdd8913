# 问卷：调查、回访、评分。
forms-card-opened = 请您来填：{ $title }
forms-card-survey = 想听听大家的意见，填一下只要一两分钟，每人填一次。
forms-card-rating = 事情办得怎么样，请您来评一评，每人评一次。
forms-purpose-survey = 民意调查
forms-purpose-visit = 回访
forms-purpose-rating = 满意度评分
forms-state-open = 正在填
forms-state-closed = 已截止
forms-card-typed-title = 您的纸质答卷已经录入：{ $title }
forms-card-typed-text = 村里的工作人员按您填的纸录入了一份答卷，每人只算一份。不是您填的，请找村务监督委员会。
forms-card-visited-title = 有人记下了对您的走访：{ $title }
forms-card-visited-text = 记下的是：{ $said }。没有人来走访过您，或者这不是您说的，请找村务监督委员会。
forms-said = { $question } { $answer }
# What one can say to a statement, with blanks between: agreeing, not agreeing, neither. Surveys keep these words.
forms-stances = 同意 不同意 不好说
