//! Writes of media: a kept file gets its row, a row is attached to one thing, what nobody attached is forgotten.
use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, EntityTrait, ExprTrait, Order, QueryFilter, QueryOrder, QuerySelect, Set,
    sea_query::Expr,
};

use super::{
    ALOUD, ANSWER, Media, PHOTO, VOICE,
    conversion::{Heard, PLAYED},
    queries::{self, MediaView},
    rows::media,
    uploads, voice,
};
use crate::{
    actor::Actor,
    error::{Checks, Code, Result},
    ids::{MediaId, PersonId},
    seals::{self, commands::NewKey},
    store::{Store, Tx},
};

/// How long a photo waits for the form it was taken for.
const UNATTACHED_DAYS: i64 = 2;
const SWEPT_AT_ONCE: u64 = 100;
/// Of a program on one clip.
const MAX_TRIES: i32 = 3;
const AGAIN_MINUTES: i64 = 10;
/// What was replaced belongs to this: it is swept, and cannot be attached again.
const DISCARDED: &str = "discarded";
/// What is spoken here is spoken for an office: it stays when who spoke it goes.
const FOR_OFFICES: [&str; 2] = [ALOUD, ANSWER];

/// What media are attached to.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// suggestion, task, notice, meeting.
    pub kind: &'a str,
    /// Its id.
    pub id: &'a str,
    /// Where it is: residents of this area may see what is public.
    pub area: &'a str,
}

/// A file that is on the disk and wants its row.
#[derive(Clone, Debug)]
pub(super) struct NewMedia {
    pub(super) id: MediaId,
    pub(super) kind: &'static str,
    pub(super) mime: &'static str,
    pub(super) bytes: i64,
    pub(super) sha256: String,
    pub(super) width: Option<i32>,
    pub(super) height: Option<i32>,
    pub(super) duration_ms: Option<i32>,
    pub(super) levels: Option<String>,
    /// Does its clip want a program that makes it playable, or hears how loud it is?
    pub(super) wants_work: bool,
    pub(super) key: NewKey,
}

/// Gives a kept file its row, unattached.
///
/// # Errors
/// `too_many_requests` when the person has too much unattached.
pub(super) async fn keep(tx: &Tx, actor: &Actor, new: NewMedia) -> Result<MediaView> {
    queries::room(tx, actor.person, tx.now()).await?;
    let key_id = seals::commands::keep(tx, actor.person, new.key).await?;
    let row = media::ActiveModel {
        id: Set(new.id),
        owner_id: Set(actor.person),
        kind: Set(new.kind.to_owned()),
        mime: Set(new.mime.to_owned()),
        bytes: Set(new.bytes),
        sha256: Set(new.sha256),
        width: Set(new.width),
        height: Set(new.height),
        duration_ms: Set(new.duration_ms),
        subject_kind: Set(None),
        subject_id: Set(None),
        area_code: Set(None),
        created_at: Set(tx.now()),
        key_id: Set(Some(key_id)),
        levels: Set(new.levels),
        played_mime: Set(None),
        work_tries: Set(0),
        work_at: Set(new.wants_work.then(|| tx.now())),
    };
    Ok(row.insert(tx).await?.view())
}

/// Attaches the person's own unattached media to a thing, for good. The caller says how many of which kind may be.
///
/// # Errors
/// `media_not_usable` when one is another's, attached already, named twice or not there.
pub async fn attach(tx: &Tx, person: PersonId, ids: &[MediaId], to: Subject<'_>) -> Result<Vec<Media>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let taken = media::Entity::update_many()
        .col_expr(media::Column::SubjectKind, Expr::value(to.kind))
        .col_expr(media::Column::SubjectId, Expr::value(to.id))
        .col_expr(media::Column::AreaCode, Expr::value(to.area))
        .filter(media::Column::Id.is_in(ids.iter().copied()))
        .filter(media::Column::OwnerId.eq(person))
        .filter(media::Column::SubjectId.is_null())
        .exec_with_returning(tx)
        .await?;
    if taken.len() != ids.len() {
        return Err(Code::MediaNotUsable.into());
    }
    Ok(taken)
}

/// The same of what must be photos; `field` is where the request names them.
///
/// # Errors
/// As [`attach`]; `invalid_fields` for what is none.
pub async fn attach_photos(tx: &Tx, person: PersonId, (field, ids): (&str, &[MediaId]), to: Subject<'_>) -> Result<()> {
    let attached = attach(tx, person, ids, to).await?;
    let mut checks = Checks::default();
    checks.require(attached.iter().all(|one| one.kind == PHOTO), field, "no_photo");
    checks.done()
}

/// What a person attached to a thing of this kind belongs to nothing again, to be attached elsewhere in the same unit of work.
///
/// # Errors
/// When the database refuses.
pub async fn release(tx: &Tx, person: PersonId, (kind, id): (&str, &str)) -> Result<()> {
    media::Entity::update_many()
        .col_expr(media::Column::SubjectKind, Expr::value(None::<String>))
        .col_expr(media::Column::SubjectId, Expr::value(None::<String>))
        .col_expr(media::Column::AreaCode, Expr::value(None::<String>))
        .filter(media::Column::OwnerId.eq(person))
        .filter(media::Column::SubjectKind.eq(kind))
        .filter(media::Column::SubjectId.eq(id))
        .exec(tx)
        .await?;
    Ok(())
}

/// Takes away rows that nobody attached in two days, 100 at most; their files go afterwards.
pub(super) async fn forget_unattached(tx: &Tx) -> Result<Vec<Media>> {
    let nobodys = media::Column::SubjectId.is_null().or(media::Column::SubjectKind.eq(DISCARDED));
    let old = media::Entity::find()
        .filter(nobodys.clone())
        .filter(media::Column::CreatedAt.lt(tx.now() - TimeDelta::days(UNATTACHED_DAYS)))
        .order_by_asc(media::Column::CreatedAt)
        .limit(SWEPT_AT_ONCE)
        .all(tx)
        .await?;
    let gone = media::Entity::delete_many()
        .filter(media::Column::Id.is_in(old.iter().map(|row| row.id)))
        .filter(nobodys)
        .exec_with_returning(tx)
        .await?;
    seals::commands::forget(tx, &gone.iter().filter_map(|row| row.key_id).collect::<Vec<_>>()).await?;
    Ok(gone)
}

/// Takes the next clip that waits for its program, and counts the try: whoever dies over it has used it up. First what most
/// phones cannot play, and of these the newest: somebody waits to hear it.
pub(super) async fn claim_work(tx: &Tx) -> Result<Option<Media>> {
    let waits = media::Column::WorkAt.lte(tx.now());
    let is_mute = media::Column::Mime.eq(voice::AMR).and(media::Column::PlayedMime.is_null());
    let place: Expr = Expr::case(is_mute, 0).finally(1).into();
    let next = media::Entity::find()
        .filter(waits)
        .order_by(place, Order::Asc)
        .order_by_desc(media::Column::CreatedAt)
        .limit(1)
        .one(tx)
        .await?;
    let Some(next) = next else { return Ok(None) };
    let tries = next.work_tries + 1;
    let taken = media::Entity::update_many()
        .col_expr(media::Column::WorkTries, Expr::value(tries))
        .col_expr(media::Column::WorkAt, Expr::value(next_try(tries).map(|wait| tx.now() + wait)))
        .filter(media::Column::Id.eq(next.id))
        .exec_with_returning(tx)
        .await?;
    Ok(taken.into_iter().next())
}

/// What was claimed and could not be tried, for no fault of the clip or the program, has its try again.
pub(super) async fn give_back(tx: &Tx, of: &Media) -> Result<()> {
    media::Entity::update_many()
        .col_expr(media::Column::WorkTries, Expr::value(of.work_tries - 1))
        .col_expr(media::Column::WorkAt, Expr::value(tx.now() + TimeDelta::minutes(AGAIN_MINUTES)))
        .filter(media::Column::Id.eq(of.id))
        .filter(media::Column::WorkTries.eq(of.work_tries))
        .exec(tx)
        .await?;
    Ok(())
}

/// A copy that was lost is to be made again, with all tries.
pub(super) async fn make_anew(tx: &Tx, id: MediaId) -> Result<()> {
    media::Entity::update_many()
        .col_expr(media::Column::PlayedMime, Expr::value(None::<String>))
        .col_expr(media::Column::WorkTries, Expr::value(0))
        .col_expr(media::Column::WorkAt, Expr::value(tx.now()))
        .filter(media::Column::Id.eq(id))
        .filter(media::Column::PlayedMime.is_not_null())
        .exec(tx)
        .await?;
    Ok(())
}

/// Has the program tried again on clips that it was given up on, with all their tries. Says how many.
///
/// # Errors
/// When the database fails.
pub async fn redrive(store: &Store) -> Result<u64> {
    store.write(|tx| Box::pin(begin_again(tx))).await
}

async fn begin_again(tx: &Tx) -> Result<u64> {
    let is_mute = media::Column::Mime.eq(voice::AMR).and(media::Column::PlayedMime.is_null());
    let done = media::Entity::update_many()
        .col_expr(media::Column::WorkTries, Expr::value(0))
        .col_expr(media::Column::WorkAt, Expr::value(tx.now()))
        .filter(media::Column::Kind.eq(VOICE))
        .filter(media::Column::WorkAt.is_null())
        .filter(media::Column::WorkTries.gte(MAX_TRIES))
        .filter(media::Column::Levels.is_null().or(is_mute))
        .exec(tx)
        .await?;
    Ok(done.rows_affected)
}

/// When a program that was tried so often is tried next; `None`: no more.
fn next_try(tries: i32) -> Option<TimeDelta> {
    match tries {
        ..=1 => Some(TimeDelta::minutes(AGAIN_MINUTES)),
        2.. if tries < MAX_TRIES => Some(TimeDelta::hours(2)),
        _ => None,
    }
}

/// What a program heard and made is kept, unless the clip is gone, or somebody else tries it by now. Says whether it is.
pub(super) async fn worked(tx: &Tx, of: &Media, heard: Heard) -> Result<bool> {
    let is_there = match of.key_id {
        Some(key) => seals::queries::open(tx, tx.keys(), key).await?.is_some(),
        None => true,
    };
    let played = heard.is_played.then(|| PLAYED.to_owned()).filter(|_| is_there);
    let done = media::Entity::update_many()
        .col_expr(media::Column::Levels, Expr::value(heard.levels.filter(|_| is_there)))
        .col_expr(media::Column::PlayedMime, Expr::value(played))
        .col_expr(media::Column::WorkAt, Expr::value(None::<DateTime<Utc>>))
        .filter(media::Column::Id.eq(of.id))
        .filter(media::Column::WorkTries.eq(of.work_tries))
        .exec(tx)
        .await?;
    Ok(is_there && done.rows_affected == 1)
}

/// What is attached to a thing of this kind belongs to another from now on; the area stays.
///
/// # Errors
/// When the database refuses.
pub async fn hand_over(tx: &Tx, ids: &[MediaId], from: &str, (kind, id): (&str, &str)) -> Result<()> {
    media::Entity::update_many()
        .col_expr(media::Column::SubjectKind, Expr::value(kind))
        .col_expr(media::Column::SubjectId, Expr::value(id))
        .filter(media::Column::Id.is_in(ids.iter().copied()))
        .filter(media::Column::SubjectKind.eq(from))
        .exec(tx)
        .await?;
    Ok(())
}

/// Makes these unreadable, for good: those that are attached to a thing of this kind.
///
/// # Errors
/// When the database refuses.
pub async fn erase(tx: &Tx, kind: &str, ids: &[MediaId]) -> Result<()> {
    if ids.is_empty() {
        return Ok(());
    }
    let rows = media::Entity::find()
        .filter(media::Column::Id.is_in(ids.iter().copied()))
        .filter(media::Column::SubjectKind.eq(kind))
        .all(tx)
        .await?;
    make_unreadable(tx, &rows).await?;
    Ok(())
}

/// No key, no picture of its sound, and no program takes it up or ends with it. What was kept in clear gets a key that is
/// destroyed: so it is told as erased from now on, and its file is found by whoever takes it away. Says how many keys there
/// were to be destroyed.
async fn make_unreadable(tx: &Tx, rows: &[Media]) -> Result<u64> {
    let mut keys = Vec::with_capacity(rows.len());
    for row in rows {
        let key = match row.key_id {
            Some(key) => key,
            None => {
                let (_, key) = seals::commands::make(tx, row.owner_id).await?;
                let sealed = media::Entity::update_many().col_expr(media::Column::KeyId, Expr::value(key));
                sealed.filter(media::Column::Id.eq(row.id)).exec(tx).await?;
                key
            }
        };
        keys.push(key);
    }
    for some in rows.chunks(500) {
        media::Entity::update_many()
            .col_expr(media::Column::Levels, Expr::value(None::<String>))
            .col_expr(media::Column::WorkAt, Expr::value(None::<DateTime<Utc>>))
            .col_expr(media::Column::WorkTries, Expr::col(media::Column::WorkTries).add(1))
            .filter(media::Column::Id.is_in(some.iter().map(|row| row.id)))
            .exec(tx)
            .await?;
    }
    seals::commands::destroy(tx, &keys).await
}

/// Makes these unreadable, for good, and attachable to nothing: those that are attached to a thing of this kind. Rows and files
/// are swept like what nobody attached.
///
/// # Errors
/// When the database refuses.
pub async fn discard(tx: &Tx, kind: &str, ids: &[MediaId]) -> Result<()> {
    erase(tx, kind, ids).await?;
    media::Entity::update_many()
        .col_expr(media::Column::SubjectKind, Expr::value(DISCARDED))
        .col_expr(media::Column::SubjectId, Expr::value(""))
        .col_expr(media::Column::AreaCode, Expr::value(None::<String>))
        .filter(media::Column::Id.is_in(ids.iter().copied()))
        .filter(media::Column::SubjectKind.eq(kind))
        .exec(tx)
        .await?;
    Ok(())
}

/// A person's voice clips, without what was spoken for an office.
fn own_clips() -> Condition {
    let of_nothing = media::Column::SubjectKind.is_null();
    Condition::all()
        .add(media::Column::Kind.eq(VOICE))
        .add(of_nothing.or(media::Column::SubjectKind.is_not_in(FOR_OFFICES)))
}

/// Makes every voice clip of a person unreadable, but what was spoken for an office.
///
/// # Errors
/// When the database refuses.
pub async fn erase_clips_of(tx: &Tx, owner: PersonId) -> Result<u64> {
    let clips = media::Entity::find().filter(media::Column::OwnerId.eq(owner)).filter(own_clips());
    make_unreadable(tx, &clips.all(tx).await?).await
}

/// Makes unreadable what must not outlive a person's account: every voice clip, whatever is attached to these things
/// (`subject_kind` and ids), and what is not attached. Photos of what is public stay, and so does what was spoken for an
/// office. Says how many: their files are taken away by [`super::removal::remove_erased`].
///
/// # Errors
/// When the database refuses.
pub async fn erase_of(tx: &Tx, owner: PersonId, things: &[(&str, &[String])]) -> Result<usize> {
    uploads::remove_of(tx, owner).await?;
    let mut gone = media::Entity::find()
        .filter(media::Column::OwnerId.eq(owner))
        .filter(Condition::any().add(own_clips()).add(media::Column::SubjectId.is_null()))
        .all(tx)
        .await?;
    for (kind, ids) in things {
        for some in ids.chunks(500) {
            let attached = media::Entity::find()
                .filter(media::Column::SubjectKind.eq(*kind))
                .filter(media::Column::SubjectId.is_in(some.iter().map(String::as_str)));
            gone.extend(attached.all(tx).await?);
        }
    }
    make_unreadable(tx, &gone).await?;
    Ok(gone.len())
}
