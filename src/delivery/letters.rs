//! What a webhook is told, written at each try from the present state.
use serde_json::{Value, json};

use crate::{
    app::App,
    error::{Code, Error, Result},
    ids::NoticeId,
    notices,
};

/// The body of a call about a notice; `kind` is the event's. Nothing once the notice is withdrawn: what was not sent by
/// then is not sent.
pub(super) async fn about_notice(app: &App, kind: &str, subject: &str) -> Result<Option<Value>> {
    let id: NoticeId = subject.parse().map_err(Error::broken)?;
    let found = match notices::queries::detail(app.store.read(), id).await {
        Err(error) if error.code() == Code::NotFound => return Ok(None),
        found => found?,
    };
    let notice = found.notice;
    if notice.state == notices::queries::WITHDRAWN {
        return Ok(None);
    }
    let public_url = app.config.public_url.trim_end_matches('/');
    Ok(Some(json!({
        "type": kind,
        "notice": {
            "id": id,
            "number": notice.number,
            "version": notice.version,
            "title": notice.title,
            "text": found.text,
            "area_code": notice.area_code,
            "matter_id": notice.matter_id,
            "body_name": notice.body_name,
            "adviser_body_name": notice.adviser_body_name,
            "state": notice.state,
            "period_from": notice.period_from,
            "period_to": notice.period_to,
            "last_day": notice.last_day,
            "published_at": notice.published_at,
        },
        "url": format!("{public_url}/notices/{id}"),
    })))
}
