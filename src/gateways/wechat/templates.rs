//! Which approved template of WeChat belongs to what is told, and what goes into its blanks: one setting.
use super::{WechatApp, messages::Way};

/// A template as WeChat has approved it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// What is told by it.
    pub name: String,
    /// Whose it is.
    pub app: WechatApp,
    /// By which interface.
    pub way: Way,
    /// WeChat's id.
    pub id: String,
    /// One consent holds for ever (only for accounts of public services).
    pub is_long_term: bool,
    /// Field of the template (`thing1`) and the part of the letter that goes there (`title`).
    pub fields: Vec<(String, String)>,
}

/// All of them.
#[derive(Clone, Debug, Default)]
pub struct Templates(Vec<Template>);

impl Templates {
    /// Reads the setting: entries `name app way id field=part field=part …`, separated by `;`. `app` is official or mini,
    /// `way` once, long or template.
    ///
    /// # Errors
    /// One line that names the entry.
    pub fn read(setting: &str) -> Result<Self, String> {
        let entries = setting.split(';').map(str::trim).filter(|entry| !entry.is_empty());
        entries.map(entry).collect::<Result<_, _>>().map(Self)
    }

    /// The one for this purpose.
    #[must_use]
    pub fn find(&self, app: WechatApp, name: &str) -> Option<&Template> {
        self.all(app).find(|template| template.name == name)
    }

    /// Those of an account.
    pub fn all(&self, app: WechatApp) -> impl Iterator<Item = &Template> {
        self.0.iter().filter(move |template| template.app == app)
    }
}

fn entry(text: &str) -> Result<Template, String> {
    let wrong = || format!("settings: wechat_templates: cannot read the entry `{text}`");
    let mut words = text.split_whitespace();
    let mut next = || words.next().ok_or_else(wrong);
    let (name, app, way, id) = (next()?, next()?, next()?, next()?);
    let (way, is_long_term) = match way {
        "once" => (Way::Subscription, false),
        "long" => (Way::Subscription, true),
        "template" => (Way::Template, false),
        _ => return Err(wrong()),
    };
    let pair = |word: &str| word.split_once('=').map(|(field, part)| (field.to_owned(), part.to_owned()));
    let fields: Option<Vec<_>> = words.map(pair).collect();
    let fields = fields.filter(|fields| !fields.is_empty()).ok_or_else(wrong)?;
    let app = WechatApp::parse(app).filter(|app| !(way == Way::Template && *app == WechatApp::Mini));
    Ok(Template { name: name.to_owned(), app: app.ok_or_else(wrong)?, way, id: id.to_owned(), is_long_term, fields })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_setting_is_read_or_refused_by_name() {
        let read = Templates::read(
            "suggestion_answered official once T1 thing1=title time2=time; notice official template T2 thing1=title;",
        )
        .unwrap();
        let one = read.find(WechatApp::Official, "suggestion_answered").unwrap();
        assert_eq!((one.id.as_str(), one.way, one.fields.len()), ("T1", Way::Subscription, 2));
        assert_eq!(read.find(WechatApp::Official, "notice").unwrap().way, Way::Template);
        assert!(read.find(WechatApp::Mini, "notice").is_none());
        for bad in [
            "x",
            "x official once",
            "x official often T thing1=title",
            "x mini template T thing1=title",
            "x official once T",
        ] {
            assert!(Templates::read(bad).unwrap_err().contains(bad), "{bad}");
        }
    }
}
