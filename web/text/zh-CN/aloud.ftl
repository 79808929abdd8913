# 听一听：念给大家听的录音。机器念的话。
aloud-text = { $title }。{ $text }
aloud-motion = 表决。{ $question } 可以选：同意、不同意、弃权。
aloud-choice = 表决。{ $question } 可以选：{ $options }最多选{ $n }项，也可以弃权。
aloud-option = 第{ $n }项，{ $text }。
aloud-ends = 。！？；
aloud-more = { $text }后面还有，请看全文。
aloud-trial = 各位乡亲，这是一次试念。
# 议事台。
aloud-none = 还没有录音。
aloud-record = 录一段念给大家听
aloud-record-again = 重新录，或者拿下来
aloud-page = 念给大家听
aloud-why = 不识字的人点“听一听”就能听到。照着下面的话念，一分钟左右；录好先自己听一遍，再点发布。
aloud-kept = 这段录音谁都能听，您以后不任职、注销账号也还留着；要换，重新录一段，或者拿下来。
aloud-file = 录音文件（最长两分钟）
aloud-publish = 发布这段录音
aloud-remove = 拿下来
aloud-there = 现在放的录音
aloud-by-person = 人念的
aloud-by-machine = 机器念的
aloud-answer-clip = 也可以用说的：点一下录音，文字可以不写
aloud-publish-answer = 放上这段录音
aloud-answer-record = 给这个答复录一段
aloud-guest = 这个答复还有录音，可以到村里听。
