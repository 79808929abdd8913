//! Which approved template of the SMS provider belongs to what is told: one setting.

/// Characters of a blank: what both providers take.
const MAX_BLANK: usize = 20;

/// A template as the provider has approved it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SmsTemplate {
    pub(super) name: String,
    pub(super) id: String,
    /// Parts of the letter, in the template's order; also the names of its parameters.
    pub(super) parts: Vec<String>,
}

/// All of them.
#[derive(Clone, Debug, Default)]
pub(super) struct SmsTemplates(Vec<SmsTemplate>);

impl SmsTemplates {
    /// Reads the setting: entries `name id part part …`, separated by `;`.
    pub(super) fn read(setting: &str) -> Result<Self, String> {
        let entry = |text: &str| {
            let mut words = text.split_whitespace().map(str::to_owned);
            let (name, id) = words.next().zip(words.next())?;
            Some(SmsTemplate { name, id, parts: words.collect() })
        };
        let entries = setting.split(';').map(str::trim).filter(|text| !text.is_empty());
        let read =
            |text: &str| entry(text).ok_or_else(|| format!("settings: sms_templates: cannot read the entry `{text}`"));
        entries.map(read).collect::<Result<_, _>>().map(Self)
    }

    pub(super) fn find(&self, name: &str) -> Option<&SmsTemplate> {
        self.0.iter().find(|template| template.name == name)
    }
}

/// A blank as providers take it: one line, no address of a page, not too long, not empty.
pub(super) fn fit(value: &str) -> String {
    let words: Vec<_> =
        value.split_whitespace().filter(|word| !word.contains("://") && !word.contains("www.")).collect();
    let plain: String = words.join(" ").chars().filter(|c| !c.is_control() && !"【】".contains(*c)).collect();
    let cut = super::super::wechat::fields::cut(&plain, MAX_BLANK);
    if cut.is_empty() { "-".to_owned() } else { cut }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_setting_is_read_and_blanks_fit() {
        let read = SmsTemplates::read("code SMS_1 code; phone_bound SMS_2;").unwrap();
        assert_eq!(read.find("code").unwrap().parts, ["code"]);
        assert!(read.find("phone_bound").unwrap().parts.is_empty() && read.find("x").is_none());
        assert!(SmsTemplates::read("code").unwrap_err().contains("`code`"));
        assert_eq!(fit("路灯\n【坏】了 https://x.example/1"), "路灯 坏了");
        assert_eq!(fit(&"长".repeat(50)).chars().count(), MAX_BLANK);
        assert_eq!(fit(" "), "-");
    }
}
