# 督办：交办、办结、超期。
tasks-card-given-title = 交给您一件事：{ $title }
tasks-card-given-text = 最晚 { $day } 当天办好，办完写明情况并附照片。
tasks-card-overdue-title = 督办超期：{ $title }
tasks-card-overdue-text = { $owner } 负责，最晚应在 { $day } 当天办好，还没有办结。
tasks-card-own-overdue-title = 您的督办超期了：{ $title }
tasks-card-own-overdue-text = 最晚应在 { $day } 当天办好，还没有办结。办好了请写明情况并附照片；一时办不好，请找交办的人说明。
tasks-card-done-title = 督办办结：{ $title }
tasks-card-done-text = { $owner } 已经办结，附有照片。
tasks-card-delayed-title = 督办延期：{ $title }
tasks-card-delayed-text = 期限改到 { $day }，原来的期限和延期的理由大家都能看到。
tasks-money-budget = 预算
tasks-money-spent = 支出
