//! Reads of what is said aloud: the clip of a thing's present version, and the words that a machine is given.
use std::collections::HashMap;

use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    rows::clip,
    rules::{self, About},
};
use crate::{
    actor::Actor,
    error::{Code, Result},
    forms,
    ids::{FormId, MatterId, MediaId, NoticeId, PersonId, VoteId},
    matters,
    media::{self, Media, MediaView},
    notices, votes,
};

/// Notices and votes do not change but by a new version; what has none stays as it is.
pub(super) const ONLY_VERSION: i32 = 1;

/// A clip that says something aloud.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ClipView {
    /// What it says.
    pub about: About,
    /// Id of that.
    #[schema(value_type = String, format = Uuid)]
    pub subject_id: Uuid,
    /// Which version of it.
    pub version: i32,
    /// Was it made by a machine? Otherwise somebody spoke it.
    pub is_machine: bool,
    /// The clip; its `url` is for everybody, of a form for whoever may read that.
    pub media: MediaView,
}

/// Something that can be said aloud, as it is now.
pub(super) struct Subject {
    pub(super) about: About,
    pub(super) id: Uuid,
    pub(super) area: String,
    pub(super) version: i32,
    /// Of a notice: the matter it is about.
    pub(super) matter: Option<MatterId>,
    /// Who published or opened it.
    pub(super) by: Option<PersonId>,
    /// Does it hang, or is it open?
    pub(super) is_current: bool,
    /// What is to be said.
    pub(super) words: String,
}

/// What somebody is to say.
#[derive(Clone, Debug)]
pub struct ToSay {
    /// Where the thing is.
    pub area_code: String,
    /// The words, all of them.
    pub words: String,
    /// The version of the thing that they are of.
    pub version: i32,
}

/// What is to be said of a thing.
///
/// # Errors
/// `not_found`.
pub async fn to_say(db: &impl ConnectionTrait, which: (About, Uuid)) -> Result<ToSay> {
    let subject = subject(db, which).await?;
    Ok(ToSay { area_code: subject.area, words: subject.words, version: subject.version })
}

/// The thing itself.
///
/// # Errors
/// `not_found`.
pub(super) async fn subject(db: &impl ConnectionTrait, (about, id): (About, Uuid)) -> Result<Subject> {
    Ok(match about {
        About::Notice => {
            let notice = notices::queries::spoken(db, NoticeId(id)).await?;
            Subject {
                about,
                id,
                words: rules::of_text(&notice.title, &notice.text),
                area: notice.area_code,
                version: notice.version,
                matter: notice.matter_id,
                by: Some(notice.published_by),
                is_current: notice.hangs,
            }
        }
        About::Vote => {
            let vote = votes::queries::spoken(db, VoteId(id)).await?;
            Subject {
                about,
                id,
                words: rules::of_question(&vote.question, &vote.options, vote.max_choices),
                area: vote.area_code,
                version: ONLY_VERSION,
                matter: None,
                by: Some(vote.opened_by),
                is_current: vote.is_open,
            }
        }
        About::Matter => {
            let head = matters::queries::head(db, MatterId(id)).await?;
            Subject {
                about,
                id,
                words: rules::of_text(&head.title, &head.summary),
                area: head.area_code,
                version: ONLY_VERSION,
                matter: None,
                by: None,
                is_current: true,
            }
        }
        About::Form => {
            let form = forms::spoken::spoken(db, FormId(id)).await?;
            Subject {
                about,
                id,
                words: rules::of_form(&form.title, &form.questions),
                area: form.area_code,
                version: ONLY_VERSION,
                matter: None,
                by: Some(form.opened_by),
                is_current: form.is_open,
            }
        }
    })
}

/// The clips that say these things, by their ids; `wanted`: id and present version.
///
/// # Errors
/// When the database cannot be read.
pub async fn clips(db: &impl ConnectionTrait, about: About, wanted: &[(Uuid, i32)]) -> Result<HashMap<Uuid, ClipView>> {
    let rows = clip::Entity::find()
        .filter(clip::Column::About.eq(about))
        .filter(clip::Column::SubjectId.is_in(wanted.iter().map(|(id, _)| *id)))
        .filter(clip::Column::MediaId.is_not_null())
        .all(db)
        .await?;
    let files = media::queries::rows(db, rows.iter().filter_map(|row| row.media_id).collect()).await?;
    let present = rows.iter().filter(|row| wanted.contains(&(row.subject_id, row.version)));
    Ok(present.filter_map(|row| Some((row.subject_id, shown(row, files.get(&row.media_id?)?)))).collect())
}

fn shown(row: &clip::Model, file: &Media) -> ClipView {
    let media = MediaView { url: format!("/v1/clips/{}{}", file.id, file.form()), ..file.view() };
    let is_machine = row.spoken_by.is_none();
    ClipView { about: row.about, subject_id: row.subject_id, version: row.version, is_machine, media }
}

/// The clip that says a notice in this version.
///
/// # Errors
/// When the database cannot be read.
pub async fn of_notice(db: &impl ConnectionTrait, id: NoticeId, version: i32) -> Result<Option<ClipView>> {
    Ok(clips(db, About::Notice, &[(id.0, version)]).await?.remove(&id.0))
}

/// The clip that says a vote.
///
/// # Errors
/// When the database cannot be read.
pub async fn of_vote(db: &impl ConnectionTrait, id: VoteId) -> Result<Option<ClipView>> {
    Ok(clips(db, About::Vote, &[(id.0, ONLY_VERSION)]).await?.remove(&id.0))
}

/// The clip that says a matter.
///
/// # Errors
/// When the database cannot be read.
pub async fn of_matter(db: &impl ConnectionTrait, id: MatterId) -> Result<Option<ClipView>> {
    Ok(clips(db, About::Matter, &[(id.0, ONLY_VERSION)]).await?.remove(&id.0))
}

/// The clips that say these forms, by their ids. The caller knows who may read them.
///
/// # Errors
/// When the database cannot be read.
pub async fn of_forms(db: &impl ConnectionTrait, ids: &[FormId]) -> Result<HashMap<Uuid, ClipView>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let wanted: Vec<(Uuid, i32)> = ids.iter().map(|id| (id.0, ONLY_VERSION)).collect();
    clips(db, About::Form, &wanted).await
}

/// Everybody hears what everybody may read; what an area is asked, only who may read it there.
///
/// # Errors
/// `not_found` for anybody else.
pub(super) async fn require_hearer(
    db: &impl ConnectionTrait,
    actor: Option<&Actor>,
    (about, id): (About, Uuid),
) -> Result<()> {
    if about.is_for_everybody() {
        return Ok(());
    }
    forms::spoken::require_hearer(db, actor, FormId(id)).await
}

/// The clip that says this thing now.
///
/// # Errors
/// `not_found` when there is no such thing, or no clip of its present version.
pub async fn clip(db: &impl ConnectionTrait, (about, id): (About, Uuid)) -> Result<ClipView> {
    let version = version(db, (about, id)).await?;
    clips(db, about, &[(id, version)]).await?.remove(&id).ok_or_else(|| Code::NotFound.into())
}

/// The file of a clip, for whoever may hear it, and what it says; not of a version that is no more.
///
/// # Errors
/// `not_found`.
pub(super) async fn file(db: &impl ConnectionTrait, actor: Option<&Actor>, id: MediaId) -> Result<(Media, About)> {
    let row = clip::Entity::find().filter(clip::Column::MediaId.eq(id)).one(db).await?.ok_or(Code::NotFound)?;
    require_hearer(db, actor, (row.about, row.subject_id)).await?;
    if version(db, (row.about, row.subject_id)).await? != row.version {
        return Err(Code::NotFound.into());
    }
    Ok((media::queries::row(db, id).await?.ok_or(Code::NotFound)?, row.about))
}

async fn version(db: &impl ConnectionTrait, (about, id): (About, Uuid)) -> Result<i32> {
    match about {
        About::Notice => Ok(notices::queries::spoken(db, NoticeId(id)).await?.version),
        About::Vote | About::Matter | About::Form => Ok(ONLY_VERSION),
    }
}

/// Of a row that has a clip.
///
/// # Errors
/// `not_found` when it has none.
pub(super) async fn view(db: &impl ConnectionTrait, row: &clip::Model) -> Result<ClipView> {
    let file = media::queries::row(db, row.media_id.ok_or(Code::NotFound)?).await?.ok_or(Code::NotFound)?;
    Ok(shown(row, &file))
}
