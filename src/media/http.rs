//! Media over HTTP: one file in, and a file out, whole or in part. Who may see it is decided by whoever calls [`serve`].
use axum::{
    extract::{
        DefaultBodyLimit, Multipart, State,
        multipart::{Field, MultipartRejection},
    },
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;

use super::{
    Media, PHOTO, commands, files,
    incoming::{self, Incoming},
    queries::{self, MediaView},
    reading::{self, Given, Which},
    removal, uploads,
};
use crate::{
    actor::Actor,
    app::{App, Created, IdempotencyKey, routes},
    error::{Code, Error, Problem, Result},
};

/// What is read at all: three times what is kept, so that who sends a photo that is too large sees why it is refused.
const MAX_BODY: usize = 32 * 1024 * 1024;

/// The routes of media; the one that reads is in `suggestions`, which knows who may.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(upload_media)).layer(DefaultBodyLimit::max(MAX_BODY)).merge(uploads::routes())
}

/// A form with one file.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the form; the file is read as a stream")]
struct UploadMedia {
    /// JPEG, PNG or WebP up to 10 MiB; or what a phone records, up to 2 MiB and two minutes; a voice and a message take one minute.
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
}

#[utoipa::path(post, path = "/v1/media", tag = "media", operation_id = "upload_media",
    request_body(content = UploadMedia, content_type = "multipart/form-data"),
    responses((status = 201, body = MediaView, description = "Kept; unattached media are forgotten after two days"),
        Problem))]
async fn upload_media(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    headers: HeaderMap,
    form: std::result::Result<Multipart, MultipartRejection>,
) -> Result<Created<MediaView>> {
    refuse_large(&headers)?;
    let mut form = form.map_err(|_| Code::UnsupportedType)?;
    let field = form.next_field().await.map_err(incoming::broken_off)?;
    let Some(field) = field.filter(|field| field.name() == Some("file")) else {
        return Err(Error::field("file", "required"));
    };
    take_in(&app, actor, key, field).await.map(Created)
}

/// Longer than even that: not read at all.
fn refuse_large(headers: &HeaderMap) -> Result<()> {
    let length = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if length.is_some_and(|length| length > MAX_BODY) {
        return Err(Code::MediaTooLarge.into());
    }
    Ok(())
}

/// Receives a file from a form, inspects and keeps it, and gives it its row. Goes on when the sender hangs up.
///
/// # Errors
/// `too_many_requests`, `media_unsupported`, `media_too_large`, `media_unreadable`, `busy`, `media_unavailable`, `storage_full`.
pub async fn take_in(app: &App, actor: Actor, key: IdempotencyKey, field: Field<'_>) -> Result<MediaView> {
    // with a key it may be a repetition, which takes no room
    if key.0.is_none() {
        queries::room(app.store.read(), actor.person, app.now()).await?;
    }
    let incoming = incoming::receive(&app.config, actor.person, field).await?;
    let app = app.clone();
    tokio::spawn(async move { keep(&app, actor, key, incoming).await }).await.map_err(Error::broken)?
}

/// Keeps bytes that the program itself brings, as if the actor had sent them.
///
/// # Errors
/// As [`take_in`].
pub async fn take_bytes(app: &App, actor: Actor, bytes: &[u8]) -> Result<MediaView> {
    let incoming = incoming::receive_bytes(&app.config, bytes).await?;
    keep(app, actor, IdempotencyKey(None), incoming).await
}

async fn keep(app: &App, actor: Actor, key: IdempotencyKey, incoming: Incoming) -> Result<MediaView> {
    let kept = files::keep(app, incoming).await?;
    let (new, id) = (kept.new.clone(), kept.new.id);
    let write = app.once(actor, key, "upload_media", kept.sent_sha256, move |tx, actor, _| {
        Box::pin(commands::keep(tx, actor, new))
    });
    let outcome = write.await;
    // when the commit itself broke, the row may be there: then its file must be, too
    let is_surplus = match &outcome {
        Ok(view) => view.id != id,
        Err(error) => matches!(error, Error::Refused(_)),
    };
    if is_surplus {
        removal::remove(app, id).await;
    }
    outcome
}

/// In which form a file is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Size {
    /// As kept.
    #[default]
    Full,
    /// At most 320 pixels a side; a clip is sent whole.
    Thumb,
    /// Of a clip that most phones do not play, the copy that they do, once it was made; all else as kept.
    Played,
}

/// What is asked of an address of a file.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SizeQuery {
    /// full, thumb or played; full when absent.
    #[serde(default)]
    #[param(inline)]
    pub size: Size,
}

/// For how long a client shows again what it was sent, without asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeping {
    /// For good: everybody may have it.
    Always,
    /// Not at all: a right ends, a thing is hidden or taken back, a phone is handed on. What has not changed is not sent again.
    AskAgain,
}

/// Sends a file that the caller has allowed: whole, one range of it (206), or nothing new (304).
///
/// # Errors
/// `range_not_satisfiable`, `erased`, `media_unavailable`, or the disk's.
pub async fn serve(app: &App, row: &Media, how: (Size, Keeping), headers: &HeaderMap) -> Result<Response> {
    match serve_as(app, row, how, headers).await {
        // the copy was lost: it is made anew, and the clip is sent as long as it lasts
        Err(error) if error.code() == Code::NotFound && row.played_mime.is_some() => {
            tracing::warn!(media = %row.id, "the copy of a clip is not there; it is made anew");
            let id = row.id;
            app.store.write(move |tx| Box::pin(async move { commands::make_anew(tx, id).await })).await?;
            serve_as(app, &Media { played_mime: None, ..row.clone() }, how, headers).await
        }
        served => served,
    }
}

async fn serve_as(app: &App, row: &Media, (size, keeping): (Size, Keeping), headers: &HeaderMap) -> Result<Response> {
    let (which, mime, mark) = match (size, &row.played_mime) {
        (Size::Thumb, _) if row.kind == PHOTO => (Which::Small, &row.mime, "-thumb"),
        (Size::Played, Some(mime)) => (Which::Played, mime, "-played"),
        _ => (Which::Whole, &row.mime, ""),
    };
    let tag = format!("\"{}{mark}\"", row.sha256);
    let given = |name: header::HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let is_known =
        |tags: &str| tags.split(',').any(|known| [tag.as_str(), "*"].contains(&known.trim().trim_start_matches("W/")));
    let mut response = if given(header::IF_NONE_MATCH).is_some_and(is_known) {
        // what was destroyed is not shown by who has it still
        reading::key_of(app, row).await?;
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        // a range of another version of the file would not fit what the client has
        let range = given(header::RANGE).filter(|_| given(header::IF_RANGE).is_none_or(|known| known == tag));
        send(reading::open(app, row, which).await?, range)?
    };
    // what is still to be made may be asked for again
    let is_final = size != Size::Played || which == Which::Played || !row.wants_copy();
    describe(response.headers_mut(), mime, (&tag, is_final && keeping == Keeping::Always))?;
    Ok(response)
}

fn send(file: Given, range: Option<&str>) -> Result<Response> {
    let length = file.length();
    let (status, first, last) = match part(range, length) {
        Part::Whole => (StatusCode::OK, 0, length.saturating_sub(1)),
        Part::Bytes(first, last) => (StatusCode::PARTIAL_CONTENT, first, last),
        Part::Beyond => return beyond(length),
    };
    let size = last.saturating_add(1).min(length) - first;
    let mut response = (status, file.body(first, last)).into_response();
    response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(size));
    if status == StatusCode::PARTIAL_CONTENT {
        response.headers_mut().insert(header::CONTENT_RANGE, content_range(&format!("{first}-{last}"), length)?);
    }
    Ok(response)
}

fn beyond(length: u64) -> Result<Response> {
    let mut response = Error::from(Code::RangeNotSatisfiable).into_response();
    response.headers_mut().insert(header::CONTENT_RANGE, content_range("*", length)?);
    Ok(response)
}

fn content_range(part: &str, length: u64) -> Result<HeaderValue> {
    HeaderValue::from_str(&format!("bytes {part}/{length}")).map_err(Error::broken)
}

/// Only whoever asked may keep it: for good, or to be asked about each time. A refusal keeps its own type.
fn describe(headers: &mut HeaderMap, mime: &str, (tag, is_for_good): (&str, bool)) -> Result<()> {
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/problem")) {
        return Ok(());
    }
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_str(mime).map_err(Error::broken)?);
    headers.insert(header::ETAG, HeaderValue::from_str(tag).map_err(Error::broken)?);
    let caching = if is_for_good { "private, max-age=31536000, immutable" } else { "private, no-cache" };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_static("inline"));
    Ok(())
}

/// What part of a file is asked for.
#[derive(Debug, PartialEq, Eq)]
enum Part {
    Whole,
    /// From the first to the last byte, both included.
    Bytes(u64, u64),
    /// Nothing of it is there.
    Beyond,
}

/// Reads a `Range` header (RFC 9110, section 14.2). Several ranges and what cannot be read are answered with the whole.
fn part(range: Option<&str>, length: u64) -> Part {
    let Some((first, last)) = range.and_then(|range| range.trim().strip_prefix("bytes=")?.split_once('-')) else {
        return Part::Whole;
    };
    let number = |text: &str| text.trim().parse::<u64>().ok();
    let end = length.saturating_sub(1);
    if first.trim().is_empty() {
        return match number(last) {
            Some(0) => Part::Beyond,
            Some(_) if length == 0 => Part::Beyond,
            Some(count) => Part::Bytes(length.saturating_sub(count), end),
            None => Part::Whole,
        };
    }
    let last = if last.trim().is_empty() { Some(u64::MAX) } else { number(last) };
    match (number(first), last) {
        (Some(first), Some(last)) if last < first => Part::Whole,
        (Some(first), Some(_)) if first >= length => Part::Beyond,
        (Some(first), Some(last)) => Part::Bytes(first, last.min(end)),
        _ => Part::Whole,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::{Food, feed};

    #[test]
    fn bent_ranges_stay_within_the_file() {
        let seeds = ["bytes=0-", "bytes=0-1", "bytes=-10", "bytes=5-1", "bytes=0-1,5-6", "bytes=18446744073709551615-"];
        let seeds = seeds.map(|seed| seed.as_bytes().to_vec()).to_vec();
        let words = ["bytes=", "-", ",", " ", "+", "18446744073709551615", "99", "0"];
        feed(&Food { name: "range", seeds, words: &words, longest: 100 }, |bytes| {
            let text = String::from_utf8_lossy(bytes);
            for length in [0, 1, 100, u64::MAX] {
                if let Part::Bytes(first, last) = part(Some(&text), length) {
                    assert!(length == 0 || (first <= last && last < length), "{text:?} of {length}: {first}-{last}");
                    assert!(length > 0, "{text:?}: nothing has a part");
                }
            }
        });
    }

    #[test]
    fn ranges_are_read_as_browsers_write_them() {
        let cases = [
            (None, Part::Whole),
            (Some("bytes=0-"), Part::Bytes(0, 99)),
            (Some("bytes=0-1"), Part::Bytes(0, 1)),
            (Some("bytes=10-9999"), Part::Bytes(10, 99)),
            (Some("bytes=-10"), Part::Bytes(90, 99)),
            (Some("bytes=-1000"), Part::Bytes(0, 99)),
            (Some("bytes=99-99"), Part::Bytes(99, 99)),
            (Some("bytes=100-"), Part::Beyond),
            (Some("bytes=100-200"), Part::Beyond),
            (Some("bytes=-0"), Part::Beyond),
            (Some("bytes=5-1"), Part::Whole),
            (Some("bytes=0-1,5-6"), Part::Whole),
            (Some("bytes=-"), Part::Whole),
            (Some("bytes=a-b"), Part::Whole),
            (Some("lines=0-1"), Part::Whole),
            (Some("bytes=18446744073709551616-"), Part::Whole),
            (Some(""), Part::Whole),
        ];
        for (header, expected) in cases {
            assert_eq!(part(header, 100), expected, "{header:?}");
        }
    }
}
