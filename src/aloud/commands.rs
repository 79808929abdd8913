//! What is done about clips: one is let to be heard, replaced, taken away; the speech command's is put in its place.
use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect, Set,
    sea_query::{Expr, OnConflict},
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    queries::{self, ClipView, Subject},
    rows::clip,
    rules::{self, About},
};
use crate::{
    actor::Actor,
    bodies::{self, Right},
    error::{Checks, Code, Result},
    events::{self, Happening, Kind},
    ids::{MediaId, PersonId, VoteId},
    media, notices,
    store::Tx,
    votes,
};

/// A clip to be heard.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordClip {
    /// An own unattached voice clip.
    pub media_id: MediaId,
    /// Of the thing: the version that was read out; the present one when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<i32>,
}

/// Lets a clip say this thing from now on; the one before is destroyed. The same once more changes nothing. Records
/// `clip.recorded`.
///
/// # Errors
/// `not_found`; `not_allowed` for whoever may not publish, open or raise it there, `mandate_needed` as for publishing;
/// `changed` when another version is said by now; `wrong_state` when it hangs or is open no more; `media_not_usable`;
/// `invalid_fields` for what is no voice clip.
pub async fn record_clip(tx: &Tx, actor: &Actor, (about, id, input): (About, Uuid, RecordClip)) -> Result<ClipView> {
    let subject = queries::subject(tx, (about, id)).await?;
    require(tx, actor, &subject).await?;
    if let Some(row) = clip::Entity::find_by_id((about, id)).one(tx).await?
        && (row.media_id, row.version) == (Some(input.media_id), subject.version)
    {
        return queries::view(tx, &row).await;
    }
    if input.version.is_some_and(|version| version != subject.version) {
        return Err(Code::Changed.into());
    }
    if !subject.is_current {
        return Err(Code::WrongState.into());
    }
    put(tx, &subject, (actor.person, Some(actor.person)), input.media_id).await
}

/// Takes the clip away, for good; no machine speaks in its stead. Records `clip.removed`.
///
/// # Errors
/// `not_found`, also when there is none of the present version; `not_allowed`, `mandate_needed` as for recording.
pub async fn remove_clip(tx: &Tx, actor: &Actor, (about, id): (About, Uuid)) -> Result<()> {
    let subject = queries::subject(tx, (about, id)).await?;
    require(tx, actor, &subject).await?;
    let row = clip::Entity::find_by_id((about, id)).one(tx).await?.ok_or(Code::NotFound)?;
    let before = row.media_id.filter(|_| row.version == subject.version).ok_or(Code::NotFound)?;
    clip::Entity::update_many()
        .set(clip::ActiveModel { version: Set(subject.version), ..silent(None) })
        .filter(clip::Column::About.eq(about))
        .filter(clip::Column::SubjectId.eq(id))
        .exec(tx)
        .await?;
    let data = json!({ "about": about, "version": subject.version });
    give_up(tx, &subject, &[before]).await?;
    events::record(tx, Happening::new(Kind::ClipRemoved, id).at(subject.area).by(actor.person).with(data)).await?;
    Ok(())
}

/// What is not heard any more is destroyed; what electors heard during a vote stays as evidence, attached to the vote.
async fn give_up(tx: &Tx, subject: &Subject, clips: &[MediaId]) -> Result<()> {
    match subject.about {
        About::Vote => Ok(()),
        About::Notice | About::Matter | About::Form => media::commands::discard(tx, media::ALOUD, clips).await,
    }
}

/// Who may publish a notice there, open a form or raise a matter, and whoever runs the vote, says how it sounds.
async fn require(tx: &Tx, actor: &Actor, subject: &Subject) -> Result<()> {
    queries::require_hearer(tx, Some(actor), (subject.about, subject.id)).await?;
    match subject.about {
        About::Notice => notices::commands::require_publisher(tx, actor, (&subject.area, subject.matter)).await,
        About::Vote => {
            // what is voted on inside a body is that body's: nobody else has a hand in it
            let vote = votes::queries::vote(tx, VoteId(subject.id)).await?;
            let runs = votes::office::may_run(actor, &vote);
            if runs { Ok(()) } else { Err(Code::NotAllowed.into()) }
        }
        About::Matter => bodies::require(actor, Right::RaiseMatter, &subject.area).map(drop),
        About::Form => bodies::require(actor, Right::OpenForm, &subject.area).map(drop),
    }
}

/// No clip; the command is tried at this time, if at all.
fn silent(try_at: Option<DateTime<Utc>>) -> clip::ActiveModel {
    clip::ActiveModel {
        media_id: Set(None),
        spoken_by: Set(None),
        made_at: Set(None),
        tries: Set(0),
        try_at: Set(try_at),
        ..Default::default()
    }
}

/// Puts a clip in its place; `owner`: whose file it is, and who spoke it, if somebody did.
pub(super) async fn put(
    tx: &Tx,
    subject: &Subject,
    (owner, spoken_by): (PersonId, Option<PersonId>),
    id: MediaId,
) -> Result<ClipView> {
    let to = media::Subject { kind: media::ALOUD, id: &subject.id.to_string(), area: &subject.area };
    let attached = media::attach(tx, owner, &[id], to).await?;
    let mut checks = Checks::default();
    checks.require(attached.iter().all(media::Media::is_voice), "media_id", "no_clip");
    checks.done()?;
    let before = clip::Entity::find_by_id((subject.about, subject.id)).one(tx).await?.and_then(|row| row.media_id);
    let row = clip::ActiveModel {
        about: Set(subject.about),
        subject_id: Set(subject.id),
        area_code: Set(subject.area.clone()),
        version: Set(subject.version),
        media_id: Set(Some(id)),
        spoken_by: Set(spoken_by),
        made_at: Set(Some(tx.now())),
        tries: Set(0),
        try_at: Set(None),
    };
    let in_place = OnConflict::columns([clip::Column::About, clip::Column::SubjectId])
        .update_columns([
            clip::Column::Version,
            clip::Column::MediaId,
            clip::Column::SpokenBy,
            clip::Column::MadeAt,
            clip::Column::Tries,
            clip::Column::TryAt,
        ])
        .to_owned();
    let row = clip::Entity::insert(row).on_conflict(in_place).exec_with_returning(tx).await?;
    give_up(tx, subject, before.as_slice()).await?;
    let digest: Vec<&str> = attached.iter().map(|one| one.sha256.as_str()).collect();
    let data = json!({
        "about": subject.about, "version": subject.version, "media": id, "machine": spoken_by.is_none(),
        "sha256": digest.first(),
    });
    let mut happening = Happening::new(Kind::ClipRecorded, subject.id).at(&subject.area).with(data);
    happening.actor = spoken_by;
    events::record(tx, happening).await?;
    queries::view(tx, &row).await
}

/// A version that has no clip yet: the one before is destroyed, and the command is to try. A clip that was made of this
/// version already stays.
pub(super) async fn begin(tx: &Tx, (about, id): (About, Uuid), (area, version): (&str, i32)) -> Result<()> {
    let before = clip::Entity::find_by_id((about, id)).one(tx).await?;
    if before.as_ref().is_some_and(|row| row.version >= version) {
        return Ok(());
    }
    let row = clip::ActiveModel {
        about: Set(about),
        subject_id: Set(id),
        area_code: Set(area.to_owned()),
        version: Set(version),
        ..silent(Some(tx.now()))
    };
    let old = before.as_ref().and_then(|row| row.media_id);
    if before.is_some() {
        clip::Entity::update(row).exec(tx).await?;
    } else {
        clip::Entity::insert(row).exec_without_returning(tx).await?;
    }
    media::commands::discard(tx, media::ALOUD, old.as_slice()).await
}

/// Nobody needs a machine for what was taken down.
pub(super) async fn end_trying(tx: &Tx, (about, id): (About, Uuid)) -> Result<()> {
    clip::Entity::update_many()
        .col_expr(clip::Column::TryAt, Expr::value(None::<DateTime<Utc>>))
        .filter(clip::Column::About.eq(about))
        .filter(clip::Column::SubjectId.eq(id))
        .exec(tx)
        .await?;
    Ok(())
}

/// Takes the next thing that the command is to say, and counts the try: whoever dies over it has used it up.
pub(super) async fn claim(tx: &Tx) -> Result<Option<clip::Model>> {
    let waits = clip::Column::TryAt.lte(tx.now()).and(clip::Column::MediaId.is_null());
    let next = clip::Entity::find().filter(waits).order_by_asc(clip::Column::TryAt).limit(1).one(tx).await?;
    let Some(next) = next else { return Ok(None) };
    let tries = next.tries + 1;
    let change = clip::ActiveModel {
        tries: Set(tries),
        try_at: Set(rules::next_try(tries).map(|wait| tx.now() + wait)),
        ..Default::default()
    };
    let taken = clip::Entity::update_many()
        .set(change)
        .filter(clip::Column::About.eq(next.about))
        .filter(clip::Column::SubjectId.eq(next.subject_id))
        .exec_with_returning(tx)
        .await?;
    Ok(taken.into_iter().next())
}

/// What was claimed and could not be kept, for no fault of the command, has its try again.
pub(super) async fn give_back(tx: &Tx, row: &clip::Model) -> Result<()> {
    let again = rules::next_try(1).map(|wait| tx.now() + wait);
    clip::Entity::update_many()
        .col_expr(clip::Column::Tries, Expr::value(row.tries - 1))
        .col_expr(clip::Column::TryAt, Expr::value(again))
        .filter(clip::Column::About.eq(row.about))
        .filter(clip::Column::SubjectId.eq(row.subject_id))
        .filter(clip::Column::Tries.eq(row.tries))
        .filter(clip::Column::MediaId.is_null())
        .exec(tx)
        .await?;
    Ok(())
}

/// What the command made takes its place, unless somebody spoke meanwhile, or the thing is another by now.
pub(super) async fn put_made(tx: &Tx, (row, owner): (&clip::Model, PersonId), id: MediaId) -> Result<bool> {
    let now = clip::Entity::find_by_id((row.about, row.subject_id)).one(tx).await?;
    let subject = queries::subject(tx, (row.about, row.subject_id)).await?;
    // tries begin anew with a clip, also with one that was taken away again
    let is_wanted = now.is_some_and(|now| now == *row);
    if !is_wanted || subject.version != row.version || !subject.is_current {
        return Ok(false);
    }
    put(tx, &subject, (owner, None), id).await.map(|_| true)
}
