# One wrong field each.
field-required = 这里要填
field-too-short = 太短了
field-too-long = 太长了
field-bad-characters = 有不能用的字符
field-not-a-number = 要填数字
field-not-a-date = 日期不对
field-not-a-phone = 手机号不对，应是 11 位
field-not-an-id = 身份证号不对
field-weak-password = 要同时有字母和数字
field-not-on-roster = 这个村的名册上没有这个编号和姓名
field-not-six-characters = 请填身份证号的最后 6 位
field-unknown = 没有这一项
field-out-of-range = 超出了范围
field-villages-only = 只有村里的公告才能逐户确认；镇里、县里的公告请让各村另发
field-duplicate = 重复了
# Identity numbers and rosters.
field-id-birth = 身份证号里的出生日期不对
field-id-check = 身份证号有一位不对，请照着身份证再核对
field-differs-from-id = 和身份证号对不上
field-not-an-area-code = 区划代码应是 12 位数字
field-second-head = 一户只能有一个户主
field-not-utf8 = 文件的编码不对，请另存为“CSV UTF-8”再传
field-no-rows = 文件里一个人也没有
field-too-many-rows = 一次最多导入 10 万人，请分开导入
field-columns-uneven = 这一行的列数和表头不一样
field-column-unknown = 不认识这一列，请对照模板
field-column-missing = 表头里缺这一列
field-not-yourself = 不能填自己
field-not-a-url = 网址不对，要以 https:// 开头
field-address-refused = 这个网址通向内部网络，不能用
field-cannot-take-it = 这个组织不能接这条留言，请另选一个
field-already-asked = 已经请它协办，等它答复后再请
field-not-a-member = 这个人不在册，或不在这个组织任职
field-under-age = 这个人还没有满 18 周岁
field-no-photo = 至少要一张照片
# Areas and the ground.
field-parent-unknown = 上一级还没有，请先导入上一级
field-on-other-roster = 这个身份证号在别的村名册上，请先由那个村迁出
field-other-village = 这一行不是这个村的人
field-term-other-body = 这一届不是这个组织的
field-role-unfit = 这种组织没有这个职务
field-ends-before-start = 结束的日子比开始的早
field-too-many-media = 照片最多 9 张，录音最多 1 段
# Votes.
field-not-this-meeting = 这个会议不能办这次表决：要为这件事开、通知的人对、还没有开过
field-called-too-late = 会议通知的天数不够，不能作为会议表决
field-must-be-secret = 依法应当无记名
field-invalid = 格式不对
field-unfit-words = 里面有不能直接公开的词句，请改一改再发
field-too-many-choices = 选得太多了
field-only-a-motion = 罢免只能用同意、不同意表决
field-only-the-tied = 只在上一次得票相同的人里再投，名额是上一次空下来的
field-not-of-household = 要是这一户在册、满 18 周岁的人
field-before-the-meeting = 截止时间要在会议开始以后
# Conversations.
field-several-of-that-name = 有几个人同名，请在名字后面空一格写上名册编号
field-not-a-time = 时间不对，要写成 21:30 这样
