//! The list on the home page: the streams of a person, and what of it changed.
//!
//! # Why
//! A device asks for the list once and from then on for what changed, by a cursor that holds a time of the server's clock.
//! A unit of work may take ten seconds and two servers' clocks may differ by one, so each answer reaches back sixty
//! seconds before the one it follows; to take in the same row twice changes nothing. What a person sees by area and by seat
//! is no row that could have changed: so the cursor names the rights under which it was given, and under others the list
//! begins anew.
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, FixedOffset, TimeDelta, Utc};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, ExprTrait, FromQueryResult, JoinType, QueryFilter,
    QueryOrder, QuerySelect, QueryTrait, Select, SelectTwo,
    sea_query::{Expr, Query},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    super::{
        Stream,
        commands::Mute,
        masks,
        rows::{membership, stream},
        rules::{Access, FORMER, StreamKind, access, chain_of_areas},
        sealing,
    },
    MAX_STREAMS,
};
use crate::{
    actor::Actor,
    app::App,
    clock,
    error::{Code, Result},
    ids::{PersonId, StreamId},
    keys::sha256_hex,
    seals::queries::Opened,
};

/// Rows of the first page, and of those that follow.
const FIRST: u64 = 50;
const NEXT: u64 = MAX_STREAMS;
/// How far an answer reaches back before the one it follows.
const OVERLAP: TimeDelta = TimeDelta::seconds(60);
/// Streams told of as gone in one answer.
const GONE: u64 = 500;
const VERSION: &str = "c1.";

/// A stream in somebody's list.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct StreamView {
    /// Its id; the channel on the socket is `s:` and this.
    pub id: StreamId,
    /// mailbox, channel, thread, discussion, office, contact, forum, group.
    pub kind: String,
    /// Id of what it is about.
    pub subject_id: String,
    /// The `sender.id` beside what the person said there, not for a body; where it is the person's own, absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub me: Option<PersonId>,
    /// Shown at its head.
    pub title: String,
    /// Changes when the server was restored from a backup: forget what you have.
    pub epoch: String,
    /// The oldest place that is kept: 1, nothing is thrown away.
    pub first_seq: i64,
    /// Newest place.
    pub last_seq: i64,
    /// Newest number.
    pub last_no: i64,
    /// Read up to this place.
    pub read_seq: i64,
    /// Read up to this number.
    pub read_no: i64,
    /// Some device of the person has everything up to this place, and said so: for our own pages, told to nobody.
    #[serde(skip)]
    pub received_seq: i64,
    /// `last_no − read_no`.
    pub unread: i64,
    /// Somebody addressed the person, or everybody, after what was read: [有人@我].
    pub is_mentioned: bool,
    /// What the person does not want to be told of: nothing, messages, everything. What is muted shows a dot, no number.
    pub mute: String,
    /// The mute ends by itself at this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mute_until: Option<DateTime<FixedOffset>>,
    /// The person keeps it on top.
    pub is_pinned: bool,
    /// First words of the newest entry.
    pub preview: String,
    /// When that was.
    pub last_at: DateTime<FixedOffset>,
}

/// A page of the list, or of what changed in it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct StreamList {
    /// Changes when the server was restored from a backup.
    pub server_epoch: String,
    /// Hand this back to go on, or later to hear what changed.
    pub cursor: String,
    /// There are more; ask again at once.
    pub more: bool,
    /// The list begins here: what is not in this and the following pages is no longer on it.
    pub reset: bool,
    /// Newest first, what is pinned on top of its page; the first page has 50 at most, a following one 128.
    pub streams: Vec<StreamView>,
    /// No longer to be read.
    pub gone: Vec<StreamId>,
}

/// Where a device is in the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Spot {
    epoch: i64,
    /// Of the rights that decide what is on the list.
    basis: String,
    /// When this list, or this list of changes, was begun; in milliseconds.
    since: i64,
    /// What changed from then on; everything when absent.
    from: Option<i64>,
    /// The last row of the page before: its time, and its id.
    after: Option<(i64, Uuid)>,
}

impl Spot {
    fn fresh(actor: &Actor, now: DateTime<Utc>) -> Self {
        Self { epoch: 0, basis: basis(actor), since: now.timestamp_millis(), from: None, after: None }
    }

    fn parse(text: &str) -> Result<Self> {
        let bytes = text.strip_prefix(VERSION).and_then(|rest| URL_SAFE_NO_PAD.decode(rest).ok());
        let spot: Self = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()).ok_or(Code::InvalidCursor)?;
        let times = [Some(spot.since), spot.from, spot.after.map(|(at, _)| at)];
        let is_time = |at: i64| (0..253_402_300_800_000).contains(&at);
        if times.into_iter().flatten().all(is_time) { Ok(spot) } else { Err(Code::InvalidCursor.into()) }
    }

    fn text(&self) -> String {
        format!("{VERSION}{}", URL_SAFE_NO_PAD.encode(serde_json::to_vec(self).unwrap_or_default()))
    }

    fn limit(&self) -> u64 {
        if self.from.is_none() && self.after.is_none() { FIRST } else { NEXT }
    }
}

/// A stream with the actor's own row, if there is one; those left included.
type Own = (Stream, Option<membership::Model>);

/// Streams, each with the person's own row.
pub(super) fn with_member(person: PersonId) -> SelectTwo<stream::Entity, membership::Entity> {
    joined(person).select_also(membership::Entity)
}

fn joined(person: PersonId) -> Select<stream::Entity> {
    let own = stream::Entity::belongs_to(membership::Entity)
        .from(stream::Column::Id)
        .to(membership::Column::StreamId)
        .on_condition(move |_, member| {
            Condition::all().add(Expr::col((member, membership::Column::PersonId)).eq(person))
        })
        .into();
    stream::Entity::find().join(JoinType::LeftJoin, own)
}

/// The role of a row that was not left.
pub(in super::super) fn role_in(member: Option<&membership::Model>) -> Option<&str> {
    member.filter(|row| row.left_at.is_none()).map(|row| row.role.as_str())
}

/// What is on the actor's list: by rows, by area, by seat.
pub(super) fn listed(actor: &Actor) -> Condition {
    let joined = Query::select()
        .column(membership::Column::StreamId)
        .from(membership::Entity)
        .and_where(membership::Column::PersonId.eq(actor.person))
        .and_where(membership::Column::LeftAt.is_null())
        // whoever handled thousands of voices keeps their rows, and must not lose what is alive behind them
        .and_where(membership::Column::Role.ne(FORMER))
        .to_owned();
    let bodies: Vec<_> = actor.seats.iter().map(|seat| seat.body_id).collect();
    let by_area = Condition::all()
        .add(stream::Column::Kind.eq(StreamKind::Channel.as_str()))
        .add(stream::Column::AreaCode.is_in(chain_of_areas(&actor.area)));
    let by_seat = Condition::all()
        .add(stream::Column::Kind.is_in([StreamKind::Office.as_str(), StreamKind::Forum.as_str()]))
        .add(stream::Column::BodyId.is_in(bodies));
    Condition::any().add(stream::Column::Id.in_subquery(joined)).add(by_area).add(by_seat)
}

/// Everything on the actor's home page, newest first, 128 at most.
///
/// # Errors
/// When the database cannot be read.
pub async fn list(app: &App, actor: &Actor) -> Result<Vec<StreamView>> {
    let read = read(app, actor, &Spot::fresh(actor, app.now()), MAX_STREAMS).await?;
    views(app, actor, read)
}

/// A page of the list, or of what changed in it since the cursor was given.
///
/// # Errors
/// `invalid_cursor` for one that is none of ours.
pub async fn page(app: &App, actor: &Actor, cursor: Option<&str>) -> Result<StreamList> {
    let begin = Spot::fresh(actor, app.now());
    let asked = cursor.map(Spot::parse).transpose()?.filter(|spot| spot.basis == begin.basis);
    let mut spot = asked.unwrap_or_else(|| begin.clone());
    if spot.after.is_none() {
        spot.since = begin.since;
    }
    let mut gone = match (spot.after, spot.from) {
        (None, Some(_)) => gone(app, actor, &spot).await?,
        _ => Some(Vec::new()),
    };
    if gone.is_none() {
        (spot, gone) = (begin.clone(), Some(Vec::new()));
    }
    let mut read = read(app, actor, &spot, spot.limit()).await?;
    if spot.epoch != 0 && spot.epoch != read.epoch {
        (spot, gone) = (begin, Some(Vec::new()));
        read = self::read(app, actor, &spot, spot.limit()).await?;
    }
    spot.epoch = read.epoch;
    let is_first = spot.after.is_none();
    let (more, last) = (read.rows.len() as u64 >= spot.limit(), read.rows.last());
    let next = match last.filter(|_| more) {
        Some((last, _)) => Spot { after: Some((last.last_at.timestamp_millis(), last.id.0)), ..spot.clone() },
        None => Spot { from: Some(Ord::max(spot.since - OVERLAP.num_milliseconds(), 0)), after: None, ..spot.clone() },
    };
    Ok(StreamList {
        server_epoch: spot.epoch.to_string(),
        cursor: next.text(),
        more,
        reset: is_first && spot.from.is_none(),
        streams: views(app, actor, read)?,
        gone: gone.unwrap_or_default(),
    })
}

/// Rows of one page, and what opens their previews.
#[derive(Default)]
struct Read {
    epoch: i64,
    rows: Vec<Own>,
    opened: Opened,
}

/// One query: streams, the own rows, the keys of what is sealed, the epoch of the server.
async fn read(app: &App, actor: &Actor, spot: &Spot, limit: u64) -> Result<Read> {
    let db = app.store.read();
    let at = |millis: i64| DateTime::from_timestamp_millis(millis).unwrap_or_default();
    // the town's and the county's channel are there for who listens before anything is said in them
    let is_shown = Condition::any()
        .add(stream::Column::LastSeq.gt(0))
        .add(stream::Column::Kind.ne(StreamKind::Channel.as_str()))
        .add(stream::Column::AreaCode.eq(&actor.area));
    let mut rows = joined(actor.person).filter(listed(actor)).filter(is_shown);
    match (spot.from, spot.after) {
        (Some(from), after) => {
            let changed = Condition::any()
                .add(stream::Column::ChangedAt.gte(at(from)))
                .add(membership::Column::ChangedAt.gte(at(from)));
            rows = rows.filter(changed).order_by_asc(stream::Column::Id);
            if let Some((_, id)) = after {
                rows = rows.filter(stream::Column::Id.gt(StreamId(id)));
            }
        }
        (None, after) => {
            rows = rows.order_by_desc(stream::Column::LastAt).order_by_desc(stream::Column::Id);
            if let Some((millis, id)) = after {
                let same = Condition::all()
                    .add(stream::Column::LastAt.eq(at(millis)))
                    .add(stream::Column::Id.lt(StreamId(id)));
                rows = rows.filter(Condition::any().add(stream::Column::LastAt.lt(at(millis))).add(same));
            }
        }
    }
    let mut select = rows.limit(limit).select_also(membership::Entity).into_query();
    select.expr_as(epoch_of_all(), "server_epoch");
    Opened::join(&mut select, Expr::col((stream::Entity, stream::Column::KeyId)));
    let mut read = Read::default();
    for row in db.query_all(&select).await? {
        read.epoch = row.try_get("", "server_epoch")?;
        read.opened.take(&app.keys, &row)?;
        let member = membership::Model::from_query_result_optional(&row, "B_")?;
        read.rows.push((stream::Model::from_query_result(&row, "A_")?, member));
    }
    if read.rows.is_empty() {
        let none = Query::select().expr_as(epoch_of_all(), "server_epoch").to_owned();
        let row = db.query_one(&none).await?;
        read.epoch = row.map(|row| row.try_get("", "server_epoch")).transpose()?.flatten().unwrap_or(0);
    }
    Ok(read)
}

/// Streams that begin later have later epochs, and a restore lifts all of them: the smallest is the server's.
fn epoch_of_all() -> Expr {
    let smallest = Query::select().expr(Expr::col(stream::Column::Epoch).min()).from(stream::Entity).to_owned();
    Expr::SubQuery(None, Box::new(smallest.into()))
}

fn views(app: &App, actor: &Actor, read: Read) -> Result<Vec<StreamView>> {
    let mut rows = on_top(actor, read.rows);
    sealing::show_previews(&read.opened, rows.iter_mut().map(|(stream, _)| stream))?;
    Ok(rows.into_iter().map(|(stream, member)| view((app, actor), stream, member.as_ref())).collect())
}

/// What may be read, what is pinned first.
fn on_top(actor: &Actor, rows: Vec<Own>) -> Vec<Own> {
    let standing = rows.into_iter().map(|(row, member)| (row, member.filter(|member| member.left_at.is_none())));
    let mut own: Vec<Own> =
        standing.filter(|(row, member)| access(row, actor, role_in(member.as_ref())) != Access::None).collect();
    let pinned = |member: &Option<membership::Model>| member.as_ref().and_then(|row| row.pinned_at);
    own.sort_by_key(|(_, member)| std::cmp::Reverse(pinned(member)));
    own
}

/// Places that ended since the device asked last; `None`: too many to be told, the list begins anew.
async fn gone(app: &App, actor: &Actor, spot: &Spot) -> Result<Option<Vec<StreamId>>> {
    let from = DateTime::from_timestamp_millis(spot.from.unwrap_or_default()).unwrap_or_default();
    let ended = Condition::any().add(membership::Column::LeftAt.is_not_null()).add(membership::Column::Role.eq(FORMER));
    let rows = with_member(actor.person)
        .filter(membership::Column::PersonId.eq(actor.person))
        .filter(membership::Column::ChangedAt.gte(from))
        .filter(ended)
        .limit(GONE)
        .all(app.store.read())
        .await?;
    if rows.len() as u64 == GONE {
        return Ok(None);
    }
    let is_gone = |(row, member): &Own| access(row, actor, role_in(member.as_ref())) == Access::None;
    Ok(Some(rows.into_iter().filter(is_gone).map(|(row, _)| row.id).collect()))
}

/// What decides which streams are listed without a row.
fn basis(actor: &Actor) -> String {
    let mut seats: Vec<String> =
        actor.seats.iter().map(|seat| format!("{} {} {:?}", seat.body_id, seat.role, seat.areas)).collect();
    seats.sort_unstable();
    sha256_hex(format!("{} {seats:?}", actor.area).as_bytes()).chars().take(12).collect()
}

pub(super) fn view((app, actor): (&App, &Actor), row: Stream, member: Option<&membership::Model>) -> StreamView {
    let (now, person) = (app.now(), actor.person);
    let (read_seq, read_no) = member.map_or((0, 0), |member| (member.read_seq, member.read_no));
    // who came later was not there when everybody was addressed
    let all = if row.last_no > read_no { row.last_all_seq } else { 0 };
    let addressed = Ord::max(member.map_or(0, |member| member.last_mention_seq), all);
    let muting = member.filter(|member| member.mute_until.is_none_or(|until| until > now));
    StreamView {
        id: row.id,
        me: masks::is_masked(&row.kind).then(|| masks::mask(&app.keys, row.id, person)),
        subject_id: masks::subject(&row, person),
        kind: row.kind,
        title: row.title,
        epoch: row.epoch.to_string(),
        first_seq: 1,
        last_seq: row.last_seq,
        last_no: row.last_no,
        read_seq,
        read_no,
        received_seq: member.map_or(0, |member| Ord::max(member.recv_seq, member.read_seq)),
        unread: row.last_no - read_no,
        is_mentioned: addressed > read_seq,
        mute: muting.map_or_else(|| Mute::Nothing.as_str().to_owned(), |member| member.mute.clone()),
        mute_until: muting.and_then(|member| member.mute_until).map(clock::local),
        is_pinned: member.is_some_and(|member| member.pinned_at.is_some()),
        preview: row.last_preview,
        last_at: clock::local(row.last_at),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spot_survives_the_trip_and_rubbish_is_refused() {
        let spot = Spot {
            epoch: 7,
            basis: "0123456789ab".to_owned(),
            since: 1_764_000_000_000,
            from: Some(1_763_999_940_000),
            after: Some((1_764_000_000_000, Uuid::now_v7())),
        };
        assert_eq!(Spot::parse(&spot.text()).unwrap(), spot);
        let late = Spot { since: i64::MAX, ..spot };
        for bad in ["", "c1.", "c1.AAAA", "c2.AAAA", &late.text(), &"c1.".repeat(900)] {
            assert!(Spot::parse(bad).is_err(), "{bad}");
        }
    }
}
