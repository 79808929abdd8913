# 会议：通知、签到、纪要。
meetings-card-called-title = 开会通知：{ $title }
meetings-card-called-text = { $month }月{ $day }日 { $time }，{ $place }。到会请签到。
meetings-card-held-title = 会议纪要已公布：{ $title }
meetings-card-held-text = { $month }月{ $day }日 { $time } 的会议已经开完，纪要和决议可以查看。
meetings-card-cancelled-title = 会议取消：{ $title }
meetings-card-cancelled-text = 原定 { $month }月{ $day }日 { $time } 的会议取消。原因：{ $reason }
meetings-audience-members = 本组织成员
meetings-audience-representatives = 村民代表会议
meetings-audience-villagers = 村民会议
meetings-state-called = 已通知
meetings-state-held = 已召开
meetings-state-cancelled = 已取消
meetings-via-phone = 手机签到
meetings-via-paper = 纸上签到
meetings-via-proxy = 委托他人
