//! Secret (无记名) votes: three keys before, sealed ballots while it is open, two keys after the end.
//!
//! Always true: a private key is in no table, log, event or answer, and a pair is one vote's; what is on a sealed ballot is in no table before it is
//! published sorted by content; from the unit of work that closes the vote on, nothing says whose an envelope was.
//! # Why
//! The two keys come in one request, at a public counting: nothing of a key has to be kept until the other one comes.
use std::collections::BTreeSet;

use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, Set,
    sea_query::Expr,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    commands::{self, BallotReceipt, CastBallot, Ending, Paper, SealedBy, Secrecy, Tally},
    office, queries,
    rows::{envelope, roll_entry, trustee_key, vote},
    rules::Question,
};
use crate::{
    actor::{Actor, HeldSeat},
    app::App,
    board::{
        self, lsb1,
        sealing::{self, Opener, Trustee},
    },
    error::{Checks, Code, Error, Result},
    events::{self, Happening, Kind},
    ids::{PersonId, VoteId},
    meetings,
    store::Tx,
    text,
};

/// Rows in one insert.
const CHUNK: usize = 1000;
/// Trustees that open together.
const NEEDED: usize = 2;

/// A trustee's public key.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MakeKey {
    /// Whose.
    pub trustee: Trustee,
    /// 65 bytes of an uncompressed point of P-256, base64url without padding. The private half stays with the trustee.
    #[schema(min_length = 87, max_length = 87)]
    pub public_key: String,
}

/// One of the three who open together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TrusteeView {
    /// Who.
    pub trustee: Trustee,
    /// The same in Chinese.
    pub name: String,
    /// The public key, once it is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_key: Option<String>,
}

/// A sealed ballot.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CastEnvelope {
    /// A random UUID (version 4) made by the client once per ballot; it is bound into the seal.
    pub cast_id: Uuid,
    /// The envelope, base64url without padding; see `api-spec/LSB1.md`.
    #[schema(min_length = 1, max_length = 2048)]
    pub sealed: String,
    /// The number on the roll of the elector for whom it is cast; absent: for oneself, or for the own household.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub elector: Option<i32>,
}

/// Two or three private keys, together. Does not show itself.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenBox {
    /// Of two different trustees at least.
    #[schema(min_items = 2, max_items = 3)]
    pub keys: Vec<HandedKey>,
}

/// A private key. Does not show itself.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HandedKey {
    /// Whose.
    pub trustee: Trustee,
    /// 32 bytes, base64url without padding; or hex, in groups as on paper.
    #[schema(min_length = 43, max_length = 128)]
    pub private_key: String,
}

/// Does the actor sit where this trustee's key belongs?
#[must_use]
pub fn holds(actor: &Actor, trustee: Trustee, area: &str) -> bool {
    sits(&actor.seats, trustee, area)
}

/// The same of somebody's seats.
pub(super) fn sits(seats: &[HeldSeat], trustee: Trustee, area: &str) -> bool {
    let (kind, roles): (_, &[&str]) = match trustee {
        Trustee::Committee => ("village_committee", &["chair", "vice_chair", "member"]),
        Trustee::Supervision => ("supervision_committee", &["chair", "vice_chair", "member"]),
        Trustee::Town => ("town_office", &["chair", "vice_chair", "clerk"]),
    };
    seats.iter().any(|seat| seat.body_kind == kind && roles.contains(&seat.role.as_str()) && seat.covers(area))
}

/// The three, with their public keys where they are made.
///
/// # Errors
/// `not_found`; `ballot_kind` when nothing is sealed.
pub async fn trustees(db: &impl ConnectionTrait, id: VoteId) -> Result<Vec<TrusteeView>> {
    if queries::row(db, id).await?.secrecy != Secrecy::Secret.as_str() {
        return Err(Code::BallotKind.into());
    }
    let keys = trustee_key::Entity::find().filter(trustee_key::Column::VoteId.eq(id)).all(db).await?;
    let view = |trustee: Trustee| TrusteeView {
        trustee,
        name: text::word("trustee", trustee.as_str()),
        public_key: keys.iter().find(|row| row.trustee == trustee.as_str()).map(|row| row.public_key.clone()),
    };
    Ok(Trustee::ALL.into_iter().map(view).collect())
}

/// Takes a trustee's public key, or another in its place while the vote waits. With the third the vote opens. Recorded:
/// `vote.opened`.
///
/// # Errors
/// `not_found`; `ballot_kind`; `not_allowed` for who does not sit there, and whom it is about; `vote_restored`; `wrong_state` once it is open;
/// `second_person_needed` when the same person made another of the three; `invalid_fields`.
pub async fn make_key(tx: &Tx, actor: &Actor, (id, input): (VoteId, MakeKey)) -> Result<Vec<TrusteeView>> {
    let vote = queries::going(tx, id).await?;
    if !holds(actor, input.trustee, &vote.area_code) || office::is_voted_on(&vote, actor.person) {
        return Err(Code::NotAllowed.into());
    }
    let before = trustees(tx, id).await?;
    if before.iter().any(|one| one.trustee == input.trustee && one.public_key.as_ref() == Some(&input.public_key)) {
        // sent again because the answer was lost
        return Ok(before);
    }
    if vote.state != queries::WAITING_KEYS || tx.now() >= vote.closes_at {
        return Err(Code::WrongState.into());
    }
    // whoever saw how the box of another vote was opened would open this one, too
    let used = trustee_key::Entity::find().filter(trustee_key::Column::PublicKey.eq(input.public_key.as_str()));
    let mut checks = Checks::default();
    checks.require(used.one(tx).await?.is_none() && sealing::is_public(&input.public_key), "public_key", "invalid");
    checks.done()?;
    let others = trustee_key::Entity::find()
        .filter(trustee_key::Column::VoteId.eq(id))
        .filter(trustee_key::Column::MadeBy.eq(actor.person))
        .filter(trustee_key::Column::Trustee.ne(input.trustee.as_str()));
    if others.one(tx).await?.is_some() {
        return Err(Code::SecondPersonNeeded.into());
    }
    trustee_key::Entity::delete_by_id((id, input.trustee.as_str().to_owned())).exec(tx).await?;
    let row = trustee_key::ActiveModel {
        vote_id: Set(id),
        trustee: Set(input.trustee.as_str().to_owned()),
        public_key: Set(input.public_key),
        made_by: Set(actor.person),
        made_at: Set(tx.now()),
    };
    trustee_key::Entity::insert(row).exec_without_returning(tx).await?;
    let now = trustees(tx, id).await?;
    let keys: Option<Vec<(Trustee, String)>> =
        now.iter().map(|one| Some((one.trustee, one.public_key.clone()?))).collect();
    if let Some(keys) = keys {
        begin(tx, actor, vote, &keys).await?;
    }
    Ok(now)
}

async fn begin(tx: &Tx, actor: &Actor, vote: vote::Model, keys: &[(Trustee, String)]) -> Result<()> {
    let mut change = vote.into_active_model();
    // a roll that still hangs is waited for
    let hangs = *change.opens_at.as_ref() > tx.now();
    if hangs {
        change.state = Set(queries::POSTED.to_owned());
    } else {
        change.state = Set(queries::OPEN.to_owned());
        change.opens_at = Set(tx.now());
    }
    change.has_board = Set(true);
    let vote = change.update(tx).await?;
    commands::open_board(tx, &vote, Some(keys)).await?;
    if hangs { Ok(()) } else { commands::record_opened(tx, &vote, Some(actor)).await }
}

/// Casts a ballot in clear: as it is in an open vote; sealed here, in memory, in a secret one (系统代封), which is the
/// weaker promise. The choice is written nowhere before it is sealed.
///
/// # Errors
/// Those of [`commands::cast`].
pub async fn cast_in_clear(app: &App, actor: &Actor, id: VoteId, ballot: CastBallot) -> Result<BallotReceipt> {
    let paper = Paper::open(id, &ballot).by(actor);
    let cast = commands::hand_in(&app.store, (actor.person, id), paper).await;
    let cast = match cast {
        Err(error) if error.code() == Code::BallotKind => {
            let paper = seal_for(app, id, &ballot).await?.by(actor);
            commands::hand_in(&app.store, (actor.person, id), paper).await?
        }
        other => other?,
    };
    commands::sign(&app.keys, board::queries::signer(app, id).await?, cast)
}

async fn seal_for(app: &App, id: VoteId, ballot: &CastBallot) -> Result<Paper> {
    let manifest = board::queries::manifest(app.store.read(), id).await;
    let manifest = manifest.map_err(|error| match error.code() {
        Code::NotFound => Code::VoteNotOpen.into(),
        _ => error,
    })?;
    let asked = manifest.value()?;
    // an open vote, and not a ballot that fits it
    let to = sealing::tally_keys(&asked).ok_or(Code::BallotKind)?;
    ballot.fits(Question::read(&asked).as_ref())?;
    let choices = ballot.marks();
    let envelope = sealing::seal(&app.keys, &to, &manifest.digest()?, ballot.cast_id, &choices)?;
    Ok(Paper::sealed((ballot.cast_id, ballot.elector), &envelope, SealedBy::Server))
}

/// Casts a ballot that the phone sealed.
///
/// # Errors
/// `invalid_fields` for what is no envelope of this ballot; those of [`commands::cast`].
pub async fn cast_envelope(app: &App, actor: &Actor, id: VoteId, ballot: CastEnvelope) -> Result<BallotReceipt> {
    let envelope = sealing::read(&ballot.sealed, ballot.cast_id);
    let mut checks = Checks::default();
    checks.require(envelope.is_some(), "sealed", "invalid");
    checks.done()?;
    let paper = Paper::sealed((ballot.cast_id, ballot.elector), &envelope.unwrap_or_default(), SealedBy::Phone);
    let cast = commands::hand_in(&app.store, (actor.person, id), paper.by(actor)).await?;
    commands::sign(&app.keys, board::queries::signer(app, id).await?, cast)
}

/// Ends a secret vote: the board's last words, the ballots without their electors in an order that says nothing, the roll
/// written anew, so that not even the place of a row tells who cast when. Recorded: `vote.box_closed`.
///
/// # Errors
/// When the database refuses.
pub(super) async fn close_box(tx: &Tx, vote: &vote::Model) -> Result<()> {
    if strip(tx, vote).await? == 0 {
        return count_opened(tx, vote, Vec::new()).await;
    }
    let happening = Happening::new(Kind::VoteBoxClosed, vote.id).at(&vote.area_code);
    events::record(tx, happening.with(json!({ "matter": vote.matter_id }))).await?;
    Ok(())
}

/// Ends the board of a secret vote and parts its ballots from their electors; says how many ballots there are. The links
/// still lie in the files until they are written back.
///
/// # Errors
/// When the database refuses.
pub(super) async fn strip(tx: &Tx, vote: &vote::Model) -> Result<usize> {
    let poll = vote.id.to_string();
    let void = commands::take_out_superseded(tx, vote.id).await?;
    let mut told: Vec<Value> = void.iter().map(|hash| lsb1::void_entry(&poll, hash)).collect();
    told.extend(commands::boxes::leaves(tx, vote).await?);
    let end = board::commands::close(tx, vote.id, told).await?;
    let rows = envelope::Entity::find().filter(envelope::Column::VoteId.eq(vote.id)).all(tx).await?;
    envelope::Entity::delete_many().filter(envelope::Column::VoteId.eq(vote.id)).exec(tx).await?;
    let kept = |row: envelope::Model| {
        let (cast_id, hash, sealed) = (row.cast_id, row.ballot_hash, row.sealed.unwrap_or_default());
        board::commands::Kept { cast_id, hash, sealed }
    };
    let kept: Vec<_> = rows.into_iter().map(kept).collect();
    let ballots = kept.len();
    board::commands::keep(tx, vote.id, &end.root, kept).await?;
    let took_part = write_roll_anew(tx, vote.id).await?;
    if let Some(meeting) = vote.meeting_id {
        // one moment for all, in the order of the roll: when and after whom somebody cast is in no table any more
        let at = vote.closed_at.filter(|at| *at < vote.closes_at).unwrap_or(vote.closes_at);
        meetings::commands::attend_by_phone(tx, meeting, &took_part, at).await?;
    }
    vote::Entity::update_many()
        .col_expr(vote::Column::LinksLeft, Expr::value(true))
        .filter(vote::Column::Id.eq(vote.id))
        .exec(tx)
        .await?;
    Ok(ballots)
}

/// Among those of votes that are over. Says who cast by phone or had it cast by a proxy, in the order of the roll.
pub(super) async fn write_roll_anew(tx: &Tx, id: VoteId) -> Result<Vec<(PersonId, PersonId)>> {
    let rows = roll_entry::Entity::find()
        .filter(roll_entry::Column::VoteId.eq(id))
        .order_by_asc(roll_entry::Column::Number)
        .all(tx)
        .await?;
    roll_entry::Entity::delete_many().filter(roll_entry::Column::VoteId.eq(id)).exec(tx).await?;
    for some in rows.chunks(CHUNK) {
        let over = |row: &roll_entry::Model| roll_entry::Model { is_over: true, ..row.clone() };
        let again = some.iter().map(|row| over(row).into_active_model().reset_all());
        roll_entry::Entity::insert_many(again).exec_without_returning(tx).await?;
    }
    let there = |row: &roll_entry::Model| {
        let caster = row.cast_by.unwrap_or(row.person_id);
        match row.channel.as_str() {
            // of a household whoever cast was there
            queries::ONLINE => Some((caster, caster)),
            queries::PROXY => Some((row.person_id, caster)),
            // on paper: signed in with the paper
            _ => None,
        }
    };
    Ok(rows.iter().filter_map(there).collect())
}

/// Opens the sealed ballots with the private keys of two trustees, in memory, counts them and publishes what was on them,
/// sorted by content. Recorded: `vote.closed`.
///
/// # Errors
/// `not_found`; `ballot_kind`; `vote_restored`; `not_allowed` for who is no trustee, and whom it is about; `wrong_state` unless it waits for its keys (that it was
/// opened already is told to who hands in its keys again); `trustee_key_wrong` for fewer than two, or keys that are not
/// those of this vote, with the trustees whose they are.
pub async fn open_box(app: &App, actor: &Actor, (id, input): (VoteId, OpenBox)) -> Result<()> {
    let db = app.store.read();
    let vote = queries::going(db, id).await?;
    let is_holder = Trustee::ALL.into_iter().any(|trustee| holds(actor, trustee, &vote.area_code));
    if !is_holder || office::is_voted_on(&vote, actor.person) {
        return Err(Code::NotAllowed.into());
    }
    let public = trustees(db, id).await?;
    if !matches!(vote.state.as_str(), queries::COUNTING | queries::CLOSED) {
        return Err(Code::WrongState.into());
    }
    let openers = openers(&public, &input)?;
    if vote.state == queries::CLOSED {
        // sent again because the answer was lost
        return Ok(());
    }
    let manifest = board::queries::manifest(db, id).await?.digest()?;
    let kept = board::queries::kept(db, id).await?;
    let opening = tokio::task::spawn_blocking(move || {
        let open = |kept: &board::commands::Kept| {
            let envelope = sealing::read(&kept.sealed, kept.cast_id)?;
            sealing::open(&openers, &manifest, &envelope)
        };
        kept.iter().map(open).collect::<Vec<_>>()
    });
    let opened = opening.await.map_err(Error::broken)?;
    app.store.write(move |tx| Box::pin(count_box(tx, id, opened))).await
}

fn openers(public: &[TrusteeView], input: &OpenBox) -> Result<Vec<Opener>> {
    let (mut openers, mut whose, mut checks) = (Vec::new(), BTreeSet::new(), Checks::default());
    for handed in &input.keys {
        let known = public.iter().find(|one| one.trustee == handed.trustee).and_then(|one| one.public_key.clone());
        let opener = Opener::parse(handed.trustee, &handed.private_key).filter(|own| known == Some(own.public()));
        // whose it is is said: the others need not type theirs again letter by letter
        checks.require(opener.is_some(), handed.trustee.as_str(), "wrong_key");
        checks.require(whose.insert(handed.trustee), handed.trustee.as_str(), "duplicate");
        openers.extend(opener);
    }
    checks.done_as(Code::TrusteeKeyWrong)?;
    // each is the one that was published; what one pair does not open another may
    if openers.len() >= NEEDED { Ok(openers) } else { Err(Code::TrusteeKeyWrong.into()) }
}

async fn count_box(tx: &Tx, id: VoteId, opened: Vec<Option<Vec<String>>>) -> Result<()> {
    let vote = queries::going(tx, id).await?;
    match vote.state.as_str() {
        queries::COUNTING => {}
        // somebody else was first
        queries::CLOSED => return Ok(()),
        _ => return Err(Code::WrongState.into()),
    }
    count_opened(tx, &vote, opened).await
}

/// Counts what was on the sealed ballots with what was on paper, and publishes both together.
async fn count_opened(tx: &Tx, vote: &vote::Model, opened: Vec<Option<Vec<String>>>) -> Result<()> {
    let mut tally = Tally::of(vote)?;
    let opened: Vec<_> = opened.into_iter().map(|marks| marks.filter(|marks| tally.is_valid(marks))).collect();
    for ballot in &opened {
        tally.add(ballot.as_deref(), 1);
    }
    // what an invalid ballot says is not shown, nor in which order the options were marked: both could be a sign by which a
    // buyer knows whose it is
    let shown = |ballot: Option<Vec<String>>| json!(ballot.map(|marks| tally.in_order(marks)));
    let by_phone = opened.len() as u64;
    let mut plaintexts: Vec<Value> = opened.into_iter().map(shown).collect();
    plaintexts.extend(commands::boxes::add(tx, vote, (&mut tally, by_phone)).await?);
    plaintexts.sort_by_cached_key(lsb1::jcs);
    commands::conclude(tx, vote, Ending::Counted(tally, Some(Value::Array(plaintexts)))).await?;
    commands::boxes::forget(tx, vote).await
}
