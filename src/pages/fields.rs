//! What people typed into a form, kept for showing it again beside what was wrong with it.
use std::str::FromStr;

use axum::{
    extract::{
        FromRequest, Multipart, Request,
        multipart::{Field, MultipartRejection},
    },
    http::StatusCode,
    response::IntoResponse,
};
use serde::Deserialize;

use crate::{
    actor::Actor,
    app::{App, IdempotencyKey},
    error::{Code, Error, FieldError, Result},
    ids::MediaId,
    media::{self, MediaView},
};

/// Bytes of a form with nine photos as a phone takes them, and a clip. Each file has its own limit.
pub const MAX_FILES_BODY: usize = 64 * 1024 * 1024;
/// Bytes of all texts of a form together, as much as a JSON body may have.
const MAX_TEXTS: usize = 64 * 1024;
/// What each text takes of that besides its name and value: or a form had empty ones without end.
const OF_A_TEXT: usize = 32;

/// Which area, as the address of a page may say.
#[derive(Debug, Default, Deserialize)]
pub struct WhichArea {
    /// Its code; what is one's own when absent.
    pub area: Option<String>,
}

/// The fields of a form, in order; a name may come several times.
#[derive(Clone, Debug, Default)]
pub struct Fields(Vec<(String, String)>);

impl Fields {
    /// Reads a urlencoded body.
    ///
    /// # Errors
    /// `too_large`, `unsupported_type`, `invalid_request`.
    pub async fn read(request: Request) -> Result<Self> {
        match axum::Form::<Vec<(String, String)>>::from_request(request, &()).await {
            Ok(axum::Form(fields))
                if fields.iter().any(|(name, value)| name.contains('\0') || value.contains('\0')) =>
            {
                Err(Code::InvalidRequest.into())
            }
            Ok(axum::Form(fields)) => Ok(Self(fields)),
            Err(rejection) => Err(match rejection.into_response().status() {
                StatusCode::PAYLOAD_TOO_LARGE => Code::TooLarge.into(),
                StatusCode::UNSUPPORTED_MEDIA_TYPE => Code::UnsupportedType.into(),
                _ => Code::InvalidRequest.into(),
            }),
        }
    }

    /// The first value of this name; empty when there is none.
    #[must_use]
    pub fn text(&self, name: &str) -> &str {
        self.0.iter().find(|(own, _)| own == name).map_or("", |(_, value)| value.as_str())
    }

    /// The first value of this name, trimmed; `None` when empty.
    #[must_use]
    pub fn given(&self, name: &str) -> Option<&str> {
        Some(self.text(name).trim()).filter(|text| !text.is_empty())
    }

    /// The same as something else than text; what cannot be read is a wrong field.
    ///
    /// # Errors
    /// `invalid_fields`, naming the field.
    pub fn optional<T: FromStr>(&self, name: &str) -> Result<Option<T>> {
        let Some(text) = self.given(name) else { return Ok(None) };
        text.parse().map(Some).map_err(|_| Error::field(name, "unknown"))
    }

    /// The same, and it must be there.
    ///
    /// # Errors
    /// `invalid_fields`, naming the field.
    pub fn required<T: FromStr>(&self, name: &str) -> Result<T> {
        self.optional(name)?.ok_or_else(|| Error::field(name, "required"))
    }

    /// The value of a field whose type the API reads from JSON text: a choice among codes.
    ///
    /// # Errors
    /// `invalid_fields`, naming the field.
    pub fn choice<T: serde::de::DeserializeOwned>(&self, name: &str) -> Result<T> {
        let text = self.given(name).ok_or_else(|| Error::field(name, "required"))?;
        serde_json::from_value(text.into()).map_err(|_| Error::field(name, "unknown"))
    }

    /// The key that a form brings, so that sending it twice does it once.
    #[must_use]
    pub fn key(&self) -> IdempotencyKey {
        let is_key = |text: &&str| text.len() <= 255 && text.bytes().all(|byte| byte.is_ascii_graphic());
        IdempotencyKey(self.given("client_id").filter(is_key).map(str::to_owned))
    }

    /// All values of this name.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// Is this value among those of the name?
    #[must_use]
    pub fn has(&self, name: &str, value: &str) -> bool {
        self.all(name).any(|own| own == value)
    }

    /// Sets a value in place of what the form had.
    pub fn put(&mut self, name: &str, value: impl Into<String>) {
        self.0.retain(|(own, _)| own != name);
        self.preset(name, value);
    }

    /// Sets a value where the form had none.
    pub fn preset(&mut self, name: &str, value: impl Into<String>) {
        self.0.push((name.to_owned(), value.into()));
    }
}

impl<S: Send + Sync> FromRequest<S> for Fields {
    type Rejection = Error;

    async fn from_request(request: Request, _: &S) -> Result<Self> {
        Self::read(request).await
    }
}

/// What was wrong with a form, for showing it again.
#[derive(Clone, Debug, Default)]
pub struct Wrong {
    /// The sentence over the form; empty when nothing was wrong.
    pub sentence: String,
    /// Why it was refused.
    pub code: Option<Code>,
    fields: Vec<FieldError>,
}

impl Wrong {
    /// Whether the form can be shown again with this; an error of ours or of the address goes on as it is.
    ///
    /// # Errors
    /// The error itself, when typing something else would not help.
    pub fn from(error: Error) -> Result<Self> {
        let code = error.code();
        let is_hopeless = matches!(
            code,
            Code::NotFound | Code::NotAllowed | Code::NotSignedIn | Code::SessionEnded | Code::CsrfFailed
        );
        match error {
            Error::Refused(refusal) if code.status().is_client_error() && !is_hopeless => {
                Ok(Self { sentence: code.sentence(), code: Some(code), fields: refusal.fields })
            }
            error => Err(error),
        }
    }

    /// With which status the form is shown.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.code.map_or(StatusCode::OK, Code::status)
    }

    /// Is there anything to show?
    #[must_use]
    pub fn is_any(&self) -> bool {
        !self.sentence.is_empty()
    }

    /// What was wrong with this field.
    #[must_use]
    pub fn at(&self, field: &str) -> Option<&str> {
        self.fields.iter().find(|error| error.field == field).map(|error| error.message.as_str())
    }

    /// The sentences about fields other than those named, with blanks between, which show theirs themselves.
    #[must_use]
    pub fn beside(&self, shown: &str) -> Vec<&str> {
        let left = self.fields.iter().filter(|error| !shown.split(' ').any(|name| name == error.field));
        left.map(|error| error.message.as_str()).collect()
    }
}

/// A form with files.
pub type Form = std::result::Result<Multipart, MultipartRejection>;

/// A form with files that was read to its end.
#[derive(Debug, Default)]
pub struct Sent {
    /// What was typed.
    pub fields: Fields,
    /// The files, kept as media of the person, in the order in which they came.
    pub files: Vec<MediaView>,
    /// Why the first file, or text, that was refused was refused.
    refused: Option<Error>,
}

impl Sent {
    /// Was everything taken in?
    ///
    /// # Errors
    /// What it was first refused for; told once.
    pub fn whole(&mut self) -> Result<()> {
        self.refused.take().map_or(Ok(()), Err)
    }

    /// The media that a form shown again brought along, then those that came now.
    pub fn media(&self) -> Vec<MediaId> {
        let before = self.fields.all("media").filter_map(|id| id.parse().ok());
        before.chain(self.files.iter().map(|file| file.id)).collect()
    }

    /// The media that the form brings along when it is shown again: none where they are what was wrong, or it would be refused
    /// for them whatever is chosen in their place.
    pub fn kept(&self, wrong: &Wrong) -> Vec<MediaId> {
        if wrong.at("media").is_some() { Vec::new() } else { self.media() }
    }
}

/// Reads a form with files. It names itself by a field `client_id` before its files, so that sending it again takes the
/// same files once. A file that is refused does not cost what was typed.
///
/// # Errors
/// `unsupported_type` when it is no such form.
pub async fn with_files(app: &App, actor: &Actor, form: Form) -> Result<Sent> {
    let mut form = form.map_err(|_| Code::UnsupportedType)?;
    let (mut sent, mut left) = (Sent::default(), MAX_TEXTS);
    loop {
        match form.next_field().await {
            Ok(Some(field)) => take(app, actor, field, (&mut sent, &mut left)).await,
            Ok(None) => return Ok(sent),
            Err(error) => {
                sent.refused.get_or_insert(broken_off(error.status()));
                return Ok(sent);
            }
        }
    }
}

async fn take(app: &App, actor: &Actor, mut field: Field<'_>, (sent, left): (&mut Sent, &mut usize)) {
    let name = field.name().unwrap_or_default().to_owned();
    let taken = match field.file_name() {
        // a file field that was left empty
        Some("") => return,
        // browsers show no answer while they are sending: the rest is read for nothing
        Some(_) if sent.refused.is_some() => {
            while let Ok(Some(_)) = field.chunk().await {}
            return;
        }
        Some(_) => {
            let key = sent.fields.given("client_id").map(|id| format!("{id}-{}", sent.files.len()));
            media::take_in(app, actor.clone(), IdempotencyKey(key), field).await.map(|file| sent.files.push(file))
        }
        None => short_text(field, &name, left).await.map(|text| sent.fields.preset(&name, text)),
    };
    if let Err(error) = taken {
        sent.refused = Some(error);
    }
}

/// A text of a form, as long as all of them together are no longer than a JSON body may be; what is refused takes nothing of it.
async fn short_text(mut field: Field<'_>, name: &str, left: &mut usize) -> Result<String> {
    let mut rest = left.checked_sub(name.len() + OF_A_TEXT).ok_or(Code::TooLarge)?;
    let mut bytes = Vec::new();
    while let Some(chunk) = field.chunk().await.map_err(|error| broken_off(error.status()))? {
        rest = rest.checked_sub(chunk.len()).ok_or(Code::TooLarge)?;
        bytes.extend_from_slice(&chunk);
    }
    *left = rest;
    String::from_utf8(bytes).map_err(|_| Code::InvalidRequest.into())
}

fn broken_off(status: StatusCode) -> Error {
    if status == StatusCode::PAYLOAD_TOO_LARGE { Code::TooLarge.into() } else { Code::InvalidRequest.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(pairs: &[(&str, &str)]) -> Fields {
        Fields(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn a_field_is_read_as_what_it_should_be_or_named() {
        let typed = fields(&[("n", " 3 "), ("word", "x"), ("empty", "  "), ("many", "a"), ("many", "b")]);
        assert_eq!(typed.required::<i32>("n").unwrap(), 3);
        assert_eq!(typed.optional::<i32>("empty").unwrap(), None);
        assert_eq!(typed.all("many").collect::<Vec<_>>(), ["a", "b"]);
        assert!(typed.has("many", "b") && !typed.has("many", "c"));
        for (name, missing) in [("word", false), ("nothing", true)] {
            let wrong = Wrong::from(typed.required::<i32>(name).unwrap_err()).unwrap();
            assert!(wrong.is_any() && wrong.at(name).is_some(), "{name} {missing}");
            assert!(wrong.beside(name).is_empty());
            assert_eq!(wrong.beside("other field").len(), 1, "shown over the form when no field shows it");
        }
    }

    #[test]
    fn a_key_that_is_none_is_not_one() {
        assert_eq!(fields(&[("client_id", "0197-a")]).key().0.as_deref(), Some("0197-a"));
        for bad in ["", "a b", "\u{4e00}", &"x".repeat(256)] {
            assert_eq!(fields(&[("client_id", bad)]).key().0, None, "{bad}");
        }
    }

    #[test]
    fn what_typing_cannot_mend_goes_on_as_it_is() {
        for code in [Code::NotFound, Code::NotAllowed, Code::NotSignedIn, Code::Busy, Code::Internal] {
            assert!(Wrong::from(code.into()).is_err(), "{code:?}");
        }
        assert!(Wrong::from(Code::PeriodOver.into()).unwrap().is_any());
    }
}
