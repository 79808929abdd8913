//! What a field of a template may hold: cut to size before it is sent, because one wrong field refuses the whole message.
use crate::text;

/// A value that fits the field of this key (`thing1`, `time2`, `phrase3`, …), cut where it is too long. `short` halves what
/// may be long, for a field that was refused once.
#[must_use]
pub fn fit(key: &str, value: &str, short: bool) -> String {
    let kind = key.trim_end_matches(|c: char| c.is_ascii_digit());
    // line breaks and what nobody sees is refused; emoji are stripped by WeChat, and may be refused
    let plain: String =
        value.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).filter(|c| is_plain(*c)).collect();
    let plain = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    // what is kept, how much of it, and what stands where nothing is left: an empty field is refused, too
    let nothing = text::say("wechat-field-nothing");
    let (kept, most, empty): (_, usize, _) = match kind {
        "number" => (only(&plain, |c| c.is_ascii_digit() || c == '.' || c == '-'), 32, "0"),
        "letter" => (only(&plain, |c| c.is_ascii_alphabetic()), 32, "x"),
        "symbol" => (only(&plain, |c| !c.is_alphanumeric()), 5, "-"),
        "character_string" => (only(&plain, |c| c.is_ascii_graphic()), 32, "-"),
        "phone_number" => (only(&plain, |c| c.is_ascii_digit() || "+-() ".contains(c)), 17, "-"),
        "car_number" => (plain, 8, nothing.as_str()),
        "name" => {
            let most = if plain.chars().any(is_han) { 10 } else { 20 };
            (plain, most, nothing.as_str())
        }
        "phrase" => (only(&plain, is_han), 5, nothing.as_str()),
        // made by us in the one form that both take
        "time" | "date" | "amount" | "enum" => (plain, 64, "-"),
        _ => (plain, 20, "-"),
    };
    let most = if short { most.div_ceil(2) } else { most };
    // a sign that there was more is itself one that most kinds do not take
    let kept = if kind == "thing" { cut(&kept, most) } else { kept.chars().take(most).collect() };
    if kept.is_empty() { empty.to_owned() } else { kept }
}

/// So many characters at most; the last one says that there was more.
#[must_use]
pub fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most.saturating_sub(1)).chain(std::iter::once('…')).collect()
}

fn only(text: &str, keep: impl Fn(char) -> bool) -> String {
    text.chars().filter(|c| keep(*c)).collect()
}

fn is_han(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{323AF}')
}

fn is_plain(c: char) -> bool {
    let is_emoji = matches!(c, '\u{2190}'..='\u{21FF}' | '\u{2600}'..='\u{27BF}' | '\u{FE00}'..='\u{FE0F}'
        | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{1F000}'..='\u{1FAFF}' | '\u{E0000}'..='\u{E0FFF}');
    !c.is_control() && !is_emoji
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_is_cut_to_its_kind() {
        let long = "关于村口到小学这一段路的路灯三个月没有亮的事情";
        for (key, value, wanted) in [
            ("thing1", "路灯\n坏了🙂", "路灯 坏了"),
            ("thing12", long, "关于村口到小学这一段路的路灯三个月没有…"),
            ("number3", "共 12 户", "12"),
            ("number3", "无", "0"),
            ("letter1", "a1b2", "ab"),
            ("character_string4", "20261102-0001 号", "20261102-0001"),
            ("phrase5", "已答复 OK", "已答复"),
            ("phrase5", "正在办理之中的事", "正在办理之"),
            ("phrase5", "OK", "无"),
            ("symbol1", "路！？，。；：", "！？，。；"),
            ("letter1", "12", "x"),
            ("name6", "欧阳娜娜与她的十一个邻居", "欧阳娜娜与她的十一个"),
            ("name6", "Abdurehim Memetjan Tursun", "Abdurehim Memetjan T"),
            ("car_number7", "浙E12345挂挂", "浙E12345挂"),
            ("character_string4", "", "-"),
            ("enum8", "已办结", "已办结"),
            ("amount9", "¥12.50", "¥12.50"),
            ("date10", "2026年11月2日", "2026年11月2日"),
            ("name6", "阿不都热依木买买提江", "阿不都热依木买买提江"),
            ("phone_number1", "0572-8888 888转1", "0572-8888 8881"),
            ("time2", "2026年11月2日 09:00", "2026年11月2日 09:00"),
            ("thing1", "", "-"),
        ] {
            assert_eq!(fit(key, value, false), wanted, "{key} {value}");
        }
        assert_eq!(fit("thing1", long, true).chars().count(), 10, "shorter after a refusal");
        for (key, most) in [("number1", 32), ("character_string1", 32), ("phone_number1", 17)] {
            assert_eq!(fit(key, &"1".repeat(50), false), "1".repeat(most), "{key}");
        }
        assert_eq!(fit("letter1", &"b".repeat(50), false), "b".repeat(32));
        for most in [1, 2, 20] {
            assert!(cut(long, most).chars().count() <= most);
        }
    }
}
