# One wrong field each.
field-required = 这里要填
field-too-short = 太短了
field-too-long = 太长了
field-bad-characters = 有不能用的字符
field-not-a-number = 要填数字
field-not-a-date = 日期不对
field-not-a-phone = 手机号不对，应是 11 位
field-not-an-id = 身份证号不对
field-unknown = 没有这一项
field-out-of-range = 超出了范围
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
