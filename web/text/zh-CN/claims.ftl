# Claims: cards for the office and the person.
claim-asked-title = 有人申请绑定手机号
claim-asked-text = 请在“居民申请”里核对身份后批准或退回。
claim-approved-title = 手机号已经换好
claim-approved-text = 村里已批准，今后用新手机号登录，旧号不能再登录。不是您本人办的，请马上到村委会说明。
claim-refused-title = 换绑手机号的申请没有通过
claim-refused-text = 有人申请把登录手机号换成别的号码，村里没有批准，您的号码没有变。
desk-password-set-title = 议事台密码已经设好
desk-password-set-text = 从现在起，用密码和第二重验证也能进议事台。不是您本人设的，请马上点“全部退出登录”：密码会一起作废。
