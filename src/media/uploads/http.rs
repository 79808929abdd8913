//! Routes of uploads: tus 1.0 with creation, expiration and termination, and the same as JSON for whoever asks how it ended.
use axum::{
    Json,
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use utoipa_axum::router::OpenApiRouter;

use super::{UploadView, begin, go_on, own, parts, remove, standing};
use crate::{
    actor::Actor,
    app::{App, IdempotencyKey, Path, routes},
    error::{Code, Error, Problem, Result},
    ids::UploadId,
    media::incoming,
};

const RESUMABLE: HeaderName = HeaderName::from_static("tus-resumable");
const VERSION: HeaderName = HeaderName::from_static("tus-version");
const LENGTH: HeaderName = HeaderName::from_static("upload-length");
const OFFSET: HeaderName = HeaderName::from_static("upload-offset");
const EXPIRES: HeaderName = HeaderName::from_static("upload-expires");
const PART: &str = "application/offset+octet-stream";
const ONLY_VERSION: &str = "1.0.0";

/// Routes of uploads.
pub(in crate::media) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(begin_upload)).routes(routes!(read_upload, continue_upload, drop_upload))
}

/// Begin an upload that can be gone on with: `Upload-Length` says how many bytes are to come, up to 10 MiB.
#[utoipa::path(post, path = "/v1/uploads", tag = "media", operation_id = "begin_upload",
    params(("Upload-Length" = i64, Header, description = "Bytes of the file"),
        ("Tus-Resumable" = Option<String>, Header, description = "1.0.0")),
    responses((status = 201, body = UploadView, description = "Its address is in `Location`"), Problem))]
async fn begin_upload(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    headers: HeaderMap,
) -> Result<Response> {
    check_version(&headers)?;
    let length = number(&headers, &LENGTH)?;
    let folder = app.config.media_dir();
    // a disk over a network may take its time
    let looking = tokio::task::spawn_blocking(move || {
        std::fs::create_dir_all(&folder)?;
        incoming::has_room(&folder)
    });
    looking.await.map_err(Error::broken)??;
    let begun = app.once(actor, key, "begin_upload", length, |tx, actor, length| Box::pin(begin(tx, actor, length)));
    let view = begun.await?;
    let address = HeaderValue::from_str(&format!("/v1/uploads/{}", view.id)).map_err(Error::broken)?;
    let mut response = told(StatusCode::CREATED, &view, true)?;
    response.headers_mut().insert(header::LOCATION, address);
    Ok(response)
}

/// How far an own upload came, and what became of it; `HEAD` says it by headers alone.
#[utoipa::path(get, path = "/v1/uploads/{id}", tag = "media", operation_id = "read_upload",
    params(("id" = UploadId, Path, description = "The upload")),
    responses((status = 200, body = UploadView, description = "`Upload-Offset` is where to go on"), Problem))]
async fn read_upload(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<UploadId>,
    headers: HeaderMap,
) -> Result<Response> {
    check_version(&headers)?;
    let row = own(app.store.read(), &actor, (id, app.now())).await?;
    told(StatusCode::OK, &standing(&app, &row).await?, true)
}

/// Send the next part of an own upload. When it is whole it becomes a photo or a clip: `GET` says which, or why not.
#[utoipa::path(patch, path = "/v1/uploads/{id}", tag = "media", operation_id = "continue_upload",
    params(("id" = UploadId, Path, description = "The upload"),
        ("Upload-Offset" = i64, Header, description = "How much is there already"),
        ("Tus-Resumable" = Option<String>, Header, description = "1.0.0")),
    request_body(content = Vec<u8>, content_type = "application/offset+octet-stream"),
    responses((status = 204, description = "Kept; `Upload-Offset` is where to go on"),
        (status = "default", body = Problem, description = "Refused; `upload_offset` when it is elsewhere",
            content_type = "application/problem+json")))]
async fn continue_upload(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<UploadId>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response> {
    check_version(&headers)?;
    if headers.get(header::CONTENT_TYPE).is_none_or(|kind| kind != PART) {
        return Err(Code::UnsupportedType.into());
    }
    let offset = number(&headers, &OFFSET)?;
    let row = own(app.store.read(), &actor, (id, app.now())).await?;
    told(StatusCode::NO_CONTENT, &go_on(&app, actor, row, (offset, body)).await?, false)
}

/// Drop an own upload; what it has become stays.
#[utoipa::path(delete, path = "/v1/uploads/{id}", tag = "media", operation_id = "drop_upload",
    params(("id" = UploadId, Path, description = "The upload")),
    responses((status = 204, description = "It is gone"), Problem))]
async fn drop_upload(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<UploadId>,
    headers: HeaderMap,
) -> Result<Response> {
    check_version(&headers)?;
    let row = own(app.store.read(), &actor, (id, app.now())).await?;
    // whoever still sends, or is being inspected, would lose its file
    let part = parts::Part::of(&app.config, row.id).await?;
    app.store.write(move |tx| Box::pin(async move { remove(tx, row.id).await })).await?;
    parts::remove(&app.config, row.id).await;
    drop(part);
    let mut response = StatusCode::NO_CONTENT.into_response();
    response.headers_mut().insert(RESUMABLE, HeaderValue::from_static(ONLY_VERSION));
    Ok(response)
}

/// Whoever names a version means this one; a plain client names none.
fn check_version(headers: &HeaderMap) -> Result<()> {
    match headers.get(RESUMABLE) {
        Some(version) if version != ONLY_VERSION => Err(Code::UploadVersion.into()),
        _ => Ok(()),
    }
}

fn number(headers: &HeaderMap, name: &HeaderName) -> Result<i64> {
    let text = headers.get(name).and_then(|value| value.to_str().ok()).ok_or(Code::InvalidRequest)?;
    // no sign, no blanks
    let is_plain = !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit());
    text.parse().ok().filter(|_| is_plain).ok_or_else(|| Code::InvalidRequest.into())
}

fn told(status: StatusCode, view: &UploadView, has_body: bool) -> Result<Response> {
    let mut response = if has_body { (status, Json(view)).into_response() } else { status.into_response() };
    let headers = response.headers_mut();
    headers.insert(RESUMABLE, HeaderValue::from_static(ONLY_VERSION));
    headers.insert(VERSION, HeaderValue::from_static(ONLY_VERSION));
    headers.insert(OFFSET, HeaderValue::from(view.offset));
    headers.insert(LENGTH, HeaderValue::from(view.length));
    let expires = view.expires_at.to_utc().format("%a, %d %b %Y %H:%M:%S GMT").to_string();
    headers.insert(EXPIRES, HeaderValue::from_str(&expires).map_err(Error::broken)?);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_digits_alone() {
        let read = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(OFFSET, HeaderValue::from_str(text).unwrap());
            number(&headers, &OFFSET).ok()
        };
        assert_eq!((read("0"), read("10485760")), (Some(0), Some(10_485_760)));
        for wrong in ["", "-1", "+1", "1 ", "0x10", "1e3", "9223372036854775808", "ten"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
        assert!(number(&HeaderMap::new(), &OFFSET).is_err());
    }
}
