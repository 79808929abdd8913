//! What follows: a new version has no clip yet, and the one of the old version is destroyed.
use uuid::Uuid;

use super::{commands, queries::ONLY_VERSION, rules::About};
use crate::{
    error::Result,
    events::{Event, Kind, Reaction},
    forms::Purpose,
    store::Tx,
};

/// Run by the relay.
pub const REACTIONS: &[Reaction] = &[Reaction { name: "aloud.begin", run: |tx, event| Box::pin(begin(tx, event)) }];

async fn begin(tx: &Tx, event: &Event) -> Result<()> {
    let (about, is_over) = match event.kind {
        Kind::NoticePublished | Kind::NoticeRevised => (About::Notice, false),
        Kind::NoticeWithdrawn | Kind::NoticeConcluded => (About::Notice, true),
        Kind::VoteOpened => (About::Vote, false),
        Kind::VoteClosed => (About::Vote, true),
        // a visit is asked at the door
        Kind::FormOpened if event.get::<String>("purpose").as_deref() == Some(Purpose::Visit.as_str()) => return Ok(()),
        Kind::FormOpened => (About::Form, false),
        Kind::FormClosed => (About::Form, true),
        _ => return Ok(()),
    };
    let id: Uuid = event.subject_id()?;
    if is_over {
        return commands::end_trying(tx, (about, id)).await;
    }
    let version = event.data.get("version").and_then(serde_json::Value::as_i64);
    let version = version.and_then(|version| i32::try_from(version).ok()).unwrap_or(ONLY_VERSION);
    let Some(area) = event.area.as_deref() else { return Ok(()) };
    commands::begin(tx, (about, id), (area, version)).await
}
