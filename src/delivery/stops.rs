//! What a provider does not send at all now: one template, what goes by one of its interfaces, or everything. Its rows wait
//! together, and one try decides.
use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter, QuerySelect, Set,
    sea_query::{Expr, OnConflict},
};

use super::{
    claim::Verdict,
    disturb, found,
    queries::QUEUED,
    rows::{delivery, stopped},
    rules::ladder::Channel,
    settle::UNKNOWN,
    ways::Ways,
};
use crate::{
    error::Result,
    gateways::wechat::{WechatApp, messages::Way},
    ids::DeliveryId,
    store::Tx,
    wechat::ledger::Ticket,
};

const STOPPED: &str = "stopped";
/// The same of one account of WeChat alone: what waits for one is not let go with what waits for the other.
const STOPPED_OFFICIAL: &str = "stopped@official";
const STOPPED_MINI: &str = "stopped@mini";
/// The whole channel.
const EVERYTHING: &str = "";
/// The one try is given so long.
const PROBE: TimeDelta = TimeDelta::minutes(3);

/// So many rows are moved in one unit of work; the others are held back as they are claimed, and by [`tidy`].
const PIECE: u64 = 1000;
/// It is over, and what waits for it is being let go.
const OVER: DateTime<Utc> = DateTime::UNIX_EPOCH;

/// By which of the accounts of WeChat, and by which interface there; other channels have one of each.
pub(super) type Road = Option<(WechatApp, Way)>;

/// What a provider said that it does not send.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Stop {
    /// See [`key`].
    key: String,
    after_secs: u32,
}

/// The kind whose template it is, an interface, or nothing for the whole channel; of the two accounts of WeChat each has its
/// own.
fn key(kind: &str, account: Option<WechatApp>) -> String {
    match account {
        Some(account) => format!("{kind}@{}", account.as_str()),
        None => kind.to_owned(),
    }
}

/// Where a kind stands whatever goes by an interface. No kind begins so.
fn interface(way: Way) -> String {
    format!("/{}", way.as_str())
}

/// Is it an interface, or everything?
fn is_of_every_kind(kind: &str) -> bool {
    kind == EVERYTHING || kind.starts_with('/')
}

/// The kind, and the account for which alone it is.
fn parts(key: &str) -> (&str, Option<&str>) {
    match key.split_once('@') {
        Some((kind, account)) => (kind, Some(account)),
        None => (key, None),
    }
}

/// Why a row waits for it: by account, because which one it will go by stands in no other place.
fn reason(key: &str) -> &'static str {
    match parts(key).1.and_then(WechatApp::parse) {
        Some(WechatApp::Official) => STOPPED_OFFICIAL,
        Some(WechatApp::Mini) => STOPPED_MINI,
        None => STOPPED,
    }
}

impl Stop {
    /// By the stable name of why everybody is concerned.
    pub(super) fn of(why: &str, (kind, road): (&str, Road), after_secs: u32) -> Self {
        let what = match (why, road) {
            ("template", _) => kind.to_owned(),
            ("quota" | "interface", Some((_, way))) => interface(way),
            _ => EVERYTHING.to_owned(),
        };
        Self { key: key(&what, road.map(|(account, _)| account)), after_secs }
    }

    /// Is it a template or an interface alone, and the provider well?
    pub(super) fn is_partial(&self) -> bool {
        parts(&self.key).0 != EVERYTHING
    }

    pub(super) fn until(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        now + TimeDelta::seconds(self.after_secs.into())
    }

    /// Why what it concerns waits.
    pub(super) fn reason(&self) -> &'static str {
        reason(&self.key)
    }
}

/// What is stopped waits. What a stop held whose time has come is looked at further: see [`probe`].
pub(super) async fn hold_back(
    tx: &Tx,
    (channel, rows, ways): (Channel, &[delivery::Model], &Ways<'_>),
    verdicts: &mut [(usize, Verdict)],
) -> Result<()> {
    if !verdicts.iter().any(|(_, verdict)| *verdict == Verdict::Send) {
        return Ok(());
    }
    for stop in of_channel(tx, channel.as_str()).await?.into_iter().filter(|stop| stop.until > tx.now()) {
        for at in held(&stop, (rows, ways), verdicts) {
            verdicts[at].1 = Verdict::Later(stop.until, reason(&stop.kind));
        }
    }
    Ok(())
}

/// When the time of a stop has come, one row of it goes out and decides; the others wait for how that ends, and disturb
/// nobody meanwhile. It is chosen after every other question: one that is put off for a reason of its own would decide
/// nothing, and the others would wait for it again and again.
pub(super) async fn probe(
    tx: &Tx,
    (channel, rows, ways): (Channel, &[delivery::Model], &Ways<'_>),
    verdicts: &mut [(usize, Verdict)],
) -> Result<()> {
    if !verdicts.iter().any(|(_, verdict)| *verdict == Verdict::Send) {
        return Ok(());
    }
    let now = tx.now();
    let mut put_off: Vec<DeliveryId> = Vec::new();
    let has_come = |stop: &stopped::Model| stop.until > OVER && stop.until <= now;
    for stop in of_channel(tx, channel.as_str()).await?.into_iter().filter(has_come) {
        let held = held(&stop, (rows, ways), verdicts);
        if held.is_empty() {
            continue;
        }
        let until = now + PROBE;
        let probe = stopped::Entity::update_many()
            .col_expr(stopped::Column::Until, Expr::value(until))
            .filter(stopped::Column::Channel.eq(&stop.channel))
            .filter(stopped::Column::Kind.eq(&stop.kind))
            .filter(stopped::Column::Until.lte(now));
        let tries = usize::from(probe.exec(tx).await?.rows_affected == 1);
        for at in held.into_iter().skip(tries) {
            verdicts[at].1 = Verdict::Later(until, reason(&stop.kind));
            put_off.push(rows[verdicts[at].0].id);
        }
    }
    disturb::give_back(tx, put_off).await
}

/// Of what would be sent now, by its place among the verdicts: what this stop is about.
fn held(
    stop: &stopped::Model,
    (rows, ways): (&[delivery::Model], &Ways<'_>),
    verdicts: &[(usize, Verdict)],
) -> Vec<usize> {
    let is_held = |row: &delivery::Model| {
        let way = ways.found(row.id);
        let account = way.map(Ticket::app);
        // what is said in the conversation needs no template
        let is_templated = way.is_none_or(Ticket::is_templated);
        let by = way.map(|way| key(&interface(way.way()), account));
        stop.kind == key(EVERYTHING, account)
            || by.as_ref() == Some(&stop.kind)
            || (is_templated && stop.kind == key(&row.kind, account))
    };
    let places = verdicts.iter().enumerate();
    let held = places.filter(|(_, (place, verdict))| *verdict == Verdict::Send && is_held(&rows[*place]));
    held.map(|(at, _)| at).collect()
}

async fn of_channel(db: &impl ConnectionTrait, channel: &str) -> Result<Vec<stopped::Model>> {
    Ok(stopped::Entity::find().filter(stopped::Column::Channel.eq(channel)).all(db).await?)
}

/// Does anything of this channel wait for a stop, or for one that is over?
pub(super) async fn is_any(db: &impl ConnectionTrait, channel: Channel) -> Result<bool> {
    Ok(!of_channel(db, channel.as_str()).await?.is_empty())
}

/// Nothing of this is sent until then; what waits, waits together.
pub(super) async fn stop(tx: &Tx, channel: &str, stops: Vec<Stop>) -> Result<()> {
    for stop in stops {
        let until = stop.until(tx.now());
        let row =
            stopped::ActiveModel { channel: Set(channel.to_owned()), kind: Set(stop.key.clone()), until: Set(until) };
        let again = OnConflict::columns([stopped::Column::Channel, stopped::Column::Kind])
            .update_column(stopped::Column::Until)
            .to_owned();
        stopped::Entity::insert(row).on_conflict(again).exec_without_returning(tx).await?;
        hold(tx, (channel, &stop.key), until).await?;
    }
    Ok(())
}

/// What a letter that went out has shown to be open.
fn shown_open(kind: &str, road: Road) -> Vec<String> {
    let account = road.map(|(account, _)| account);
    let mut keys = vec![key(EVERYTHING, account)];
    // what is said in the conversation needs no template
    if road.is_none_or(|(_, way)| way != Way::Conversation) {
        keys.push(key(kind, account));
    }
    keys.extend(road.map(|(_, way)| key(&interface(way), account)));
    keys
}

/// The provider took one of these kinds: what waited for that is due.
pub(super) async fn go_on(tx: &Tx, channel: &str, kinds: Vec<(&str, Road)>) -> Result<()> {
    let mut keys: Vec<String> = kinds.into_iter().flat_map(|(kind, road)| shown_open(kind, road)).collect();
    keys.sort();
    keys.dedup();
    if keys.is_empty() {
        return Ok(());
    }
    let over = stopped::Entity::update_many()
        .col_expr(stopped::Column::Until, Expr::value(OVER))
        .filter(stopped::Column::Channel.eq(channel))
        .filter(stopped::Column::Kind.is_in(keys))
        .exec_with_returning(tx)
        .await?;
    // each with everything of its own account, so that nothing holds back again what is let go here
    for stop in over {
        let_go(tx, &stop).await?;
    }
    Ok(())
}

/// Is everything of this account, or of the channel where it has none, stopped now, or what goes by one of its interfaces? What
/// is let go then would be held back again at once, and let go once more, for as long as it lasts; its own time comes anyway.
fn is_shut(stops: &[stopped::Model], account: Option<&str>, now: DateTime<Utc>) -> bool {
    let holds = |stop: &stopped::Model| {
        let (kind, of) = parts(&stop.kind);
        is_of_every_kind(kind) && of == account && stop.until > now
    };
    stops.iter().any(holds)
}

/// Moves the next of what waits for a stop, or for its end. Says whether there may be more.
pub(super) async fn tidy(tx: &Tx, channel: Channel) -> Result<bool> {
    let mut is_more = false;
    let stops = of_channel(tx, channel.as_str()).await?;
    for stop in &stops {
        is_more |= if stop.until == OVER {
            let holds_all = is_shut(&stops, parts(&stop.kind).1, tx.now());
            !holds_all && let_go(tx, stop).await?
        } else {
            stop.until > tx.now() && hold(tx, (&stop.channel, &stop.kind), stop.until).await?
        };
    }
    Ok(is_more)
}

/// Which of the two accounts a row will go by is known when it is claimed: there it is held back.
async fn hold(tx: &Tx, (channel, key): (&str, &str), until: DateTime<Utc>) -> Result<bool> {
    let (kind, account) = parts(key);
    if account.is_some() {
        return Ok(false);
    }
    let early = delivery::Column::DueAt.lt(until);
    move_piece(tx, (of_kind(channel, kind).add(early), until), STOPPED).await
}

/// The stop is gone when nothing waits for it.
async fn let_go(tx: &Tx, stop: &stopped::Model) -> Result<bool> {
    let later = delivery::Column::DueAt.gt(tx.now());
    let why = reason(&stop.kind);
    let waits = of_kind(&stop.channel, parts(&stop.kind).0).add(delivery::Column::Reason.eq(why)).add(later);
    let is_more = move_piece(tx, (waits, tx.now()), why).await?;
    if !is_more {
        stopped::Entity::delete_by_id((stop.channel.clone(), stop.kind.clone()))
            .filter(stopped::Column::Until.eq(OVER))
            .exec(tx)
            .await?;
    }
    Ok(is_more)
}

/// Moves as many rows as one unit of work may, to another time; says whether there may be more.
async fn move_piece(tx: &Tx, (waits, at): (Condition, DateTime<Utc>), why: &'static str) -> Result<bool> {
    let piece = delivery::Entity::find()
        .select_only()
        .column(delivery::Column::Id)
        .filter(waits)
        .limit(PIECE)
        .into_tuple::<DeliveryId>()
        .all(tx)
        .await?;
    let is_more = piece.len() as u64 == PIECE;
    if !piece.is_empty() {
        found::queued(piece)
            .col_expr(delivery::Column::DueAt, Expr::value(at))
            .col_expr(delivery::Column::Reason, Expr::value(why))
            .exec(tx)
            .await?;
    }
    Ok(is_more)
}

/// What waits of a kind on its own; of what may have been heard that is not forgotten.
fn of_kind(channel: &str, kind: &str) -> Condition {
    let of_kind = (!is_of_every_kind(kind)).then(|| delivery::Column::Kind.eq(kind));
    let is_known = delivery::Column::Reason.is_null().or(delivery::Column::Reason.ne(UNKNOWN));
    Condition::all()
        .add(delivery::Column::Channel.eq(channel))
        .add(delivery::Column::State.eq(QUEUED))
        .add(delivery::Column::CarriedBy.is_null())
        .add(is_known)
        .add_option(of_kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stop_is_for_a_kind_or_an_interface_and_an_account() {
        let of = |why, road| Stop::of(why, ("notice.published", road), 60);
        let by = |app| Some((app, Way::Subscription));
        let (sms, wechat) = (of("template", None), of("template", by(WechatApp::Mini)));
        assert_eq!((sms.key.as_str(), wechat.key.as_str()), ("notice.published", "notice.published@mini"));
        let (quota, account) = (of("quota", by(WechatApp::Mini)), of("account", by(WechatApp::Official)));
        assert_eq!((of("quota", None).key.as_str(), quota.key.as_str()), ("", "/subscription@mini"));
        assert_eq!(
            (account.key.as_str(), of("interface", by(WechatApp::Official)).key.as_str()),
            ("@official", "/subscription@official")
        );
        assert!(sms.is_partial() && wechat.is_partial() && quota.is_partial());
        assert!(!of("quota", None).is_partial() && !account.is_partial());
        assert_eq!((sms.reason(), wechat.reason()), (STOPPED, STOPPED_MINI));
        assert_eq!((quota.reason(), account.reason()), (STOPPED_MINI, STOPPED_OFFICIAL));
    }

    #[test]
    fn a_letter_that_went_out_says_what_is_open() {
        assert_eq!(shown_open("notice.published", None), ["", "notice.published"]);
        let by = |way| shown_open("notice.published", Some((WechatApp::Official, way)));
        assert_eq!(by(Way::Template), ["@official", "notice.published@official", "/template@official"]);
        assert_eq!(by(Way::Conversation), ["@official", "/conversation@official"], "the template may still be stopped");
    }

    #[test]
    fn a_stop_of_everything_shuts_its_own_account_alone() {
        let now = OVER + TimeDelta::days(1);
        let stop = |kind: &str, until| stopped::Model { channel: "wechat".to_owned(), kind: kind.to_owned(), until };
        let stops = [stop("@official", now + PROBE), stop("notice.published@mini", now + PROBE), stop("@mini", now)];
        assert!(is_shut(&stops, Some("official"), now));
        assert!(!is_shut(&stops, Some("mini"), now), "a template is not everything, and the other's time has come");
        assert!(!is_shut(&stops, None, now));
        assert!(is_shut(&[stop("/template@mini", now + PROBE)], Some("mini"), now));
        assert!(is_shut(&[stop("", now + PROBE)], None, now));
    }
}
