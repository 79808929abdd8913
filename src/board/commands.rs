//! What is done to a board: begun, appended to, ended, given its result.
use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    Select, Set, sea_query::Expr,
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    halts::halted,
    lsb1::{self, Signed, hex},
    queries::{self, HeadView},
    rows::{board, entry, envelope, head, pending},
    tree::{self, Edge},
};
use crate::{
    app::App,
    error::{Code, Error, Result},
    ids::VoteId,
    store::Tx,
};

/// Electors of a secret vote whose ballots go on its board together, so that no head says which of them came when.
pub const TOGETHER: u8 = 5;
/// Fewer than that wait for others this long: half of what a receipt promises.
const GATHER: TimeDelta = TimeDelta::seconds(30);
/// What would have waited long enough only so shortly before the end waits for it: the end would find few or none besides.
const LAST: TimeDelta = TimeDelta::seconds(20);
/// Leaves in one batch, so that a unit of work stays short.
const BATCH: usize = 400;
/// Leaves of a board in one turn.
const AT_ONCE: u64 = 50_000;
/// Rows in one insert: at most six columns each, well under SQLite's 32,766 variables.
const CHUNK: usize = 1000;

/// A sealed ballot that is kept after the end, without its elector.
#[derive(Clone, Debug)]
pub struct Kept {
    /// The client's id; it is bound into the seal.
    pub cast_id: Uuid,
    /// Digest of the envelope.
    pub hash: String,
    /// The envelope, as text.
    pub sealed: String,
}

/// A ballot that is to be on the board of its vote.
#[derive(Clone, Copy, Debug)]
pub struct Promise<'a> {
    /// The vote.
    pub vote: VoteId,
    /// Digest of the ballot.
    pub hash: &'a str,
    /// Is it one of a secret vote, which waits for others? Then until when that takes ballots.
    pub secret_until: Option<DateTime<Utc>>,
    /// Is it no reason for others to go on the board before their time? Whoever casts again and again is no crowd in which
    /// another's ballot is hidden, and the last few wait for one another.
    pub is_no_crowd: bool,
}

impl Promise<'_> {
    /// Until when it may wait, and how many it adds to those who wait together.
    fn waits(&self, now: DateTime<Utc>) -> (DateTime<Utc>, i32) {
        let Some(closes_at) = self.secret_until else { return (now, i32::from(!self.is_no_crowd)) };
        let due_at = now + GATHER;
        let is_last = due_at + LAST > closes_at;
        let until = if is_last { Ord::max(due_at, closes_at) } else { due_at };
        (until, i32::from(!self.is_no_crowd && !is_last))
    }
}

/// Begins the board of a vote. `manifest` is what the vote says of itself, an object; the roll's root and the board's key
/// are added here. The first leaves are the manifest's digest and the roll's root.
///
/// # Errors
/// When the database refuses, or the manifest is not an object.
pub async fn open(tx: &Tx, vote: VoteId, mut manifest: Value, electors: &[Value]) -> Result<HeadView> {
    let (key_id, key) = tx.keys().signer()?;
    let leaves: Vec<tree::Hash> = electors.iter().map(|one| tree::leaf(lsb1::jcs(one).as_bytes())).collect();
    let (poll, on_roll, roll_root) = (vote.to_string(), leaves.len() as u64, hex(&tree::root(&leaves)));
    let fields = manifest.as_object_mut().ok_or_else(|| Error::broken("a manifest is an object"))?;
    for (name, value) in [
        ("alg", json!("sha256-ed25519")),
        ("board_key", json!(hex(&key))),
        ("board_key_id", json!(key_id)),
        ("format", json!("LSB1")),
        ("poll", json!(poll)),
        ("promise_s", json!(lsb1::PROMISE_SECS)),
        ("roll", json!({ "n": on_roll, "root": roll_root })),
        ("v", json!(1)),
    ] {
        fields.insert(name.to_owned(), value);
    }
    let manifest = lsb1::jcs(&manifest);
    let manifest_hash = hex(&tree::sha256(&[manifest.as_bytes()]));
    let row = board::ActiveModel {
        vote_id: Set(vote),
        manifest: Set(manifest),
        manifest_hash: Set(manifest_hash.clone()),
        key_id: Set(key_id),
        size: Set(0),
        peaks: Set(String::new()),
        result: Set(None),
        result_signature: Set(None),
        plaintexts: Set(None),
        halted_at: Set(None),
    };
    board::Entity::insert(row).exec_without_returning(tx).await?;
    let first = vec![lsb1::manifest_entry(&poll, &manifest_hash), lsb1::roll_entry(&poll, on_roll, &roll_root)];
    append(tx, vote, first).await
}

/// Receipts promise that these digests will be on the boards of their votes; called in the transaction of the casts.
///
/// # Errors
/// When the database refuses.
pub async fn promise(tx: &Tx, ballots: impl IntoIterator<Item = Promise<'_>>) -> Result<()> {
    let now = tx.now();
    let row = |one: Promise<'_>| {
        let (due_at, electors) = one.waits(now);
        pending::ActiveModel {
            vote_id: Set(one.vote),
            ballot_hash: Set(one.hash.to_owned()),
            due_at: Set(due_at),
            electors: Set(electors),
        }
    };
    let rows: Vec<_> = ballots.into_iter().map(row).collect();
    if !rows.is_empty() {
        pending::Entity::insert_many(rows).exec_without_returning(tx).await?;
    }
    Ok(())
}

/// Adds leaves and signs a new head.
///
/// # Errors
/// `vote_restored` when it is halted; when there is no board, its key is gone, or the database refuses.
pub async fn append(tx: &Tx, vote: VoteId, leaves: Vec<Value>) -> Result<HeadView> {
    let board = queries::row(tx, vote).await?;
    if board.halted_at.is_some() {
        return Err(Code::VoteRestored.into());
    }
    let before = edge(&board)?;
    let mut edge = before.clone();
    let mut rows = Vec::with_capacity(leaves.len());
    for value in leaves {
        let is_ballot = value["k"] == "ballot";
        let ballot_hash = value["h"].as_str().filter(|_| is_ballot).map(str::to_owned);
        let leaf = lsb1::jcs(&value);
        let leaf_hash = tree::leaf(leaf.as_bytes());
        rows.push(entry::ActiveModel {
            vote_id: Set(vote),
            place: Set(i64::try_from(edge.size).map_err(Error::broken)?),
            leaf: Set(leaf),
            leaf_hash: Set(hex(&leaf_hash)),
            ballot_hash: Set(ballot_hash),
        });
        edge.push(leaf_hash);
    }
    while !rows.is_empty() {
        let some = rows.drain(..rows.len().min(CHUNK));
        entry::Entity::insert_many(some).exec_without_returning(tx).await?;
    }
    let peaks: Vec<String> = edge.peaks.iter().map(|peak| hex(peak)).collect();
    let grown = board::Entity::update_many()
        .col_expr(board::Column::Size, Expr::value(i64::try_from(edge.size).map_err(Error::broken)?))
        .col_expr(board::Column::Peaks, Expr::value(peaks.join(",")))
        .filter(board::Column::VoteId.eq(vote))
        .filter(board::Column::Size.eq(i64::try_from(before.size).map_err(Error::broken)?))
        .exec(tx)
        .await?;
    if grown.rows_affected != 1 {
        return Err(Error::broken("a board grew beside its sequencer"));
    }
    sign_head(tx, &board, &edge).await
}

fn edge(board: &board::Model) -> Result<Edge> {
    let peaks = board.peaks.split(',').filter(|peak| !peak.is_empty());
    let peaks = peaks.map(|peak| lsb1::unhex_hash(peak).ok_or_else(|| Error::broken("the edge of a board")));
    Ok(Edge { size: board.size.unsigned_abs(), peaks: peaks.collect::<Result<_>>()? })
}

async fn sign_head(tx: &Tx, board: &board::Model, edge: &Edge) -> Result<HeadView> {
    let (root, at) = (hex(&edge.root()), lsb1::moment(tx.now()));
    let told = lsb1::head(&board.vote_id.to_string(), (edge.size, &root), &at);
    let signature = hex(&tx.keys().sign_by(&board.key_id, &lsb1::statement(Signed::Head, &told))?);
    let row = head::ActiveModel {
        vote_id: Set(board.vote_id),
        size: Set(i64::try_from(edge.size).map_err(Error::broken)?),
        root: Set(root),
        signed_at: Set(at),
        signature: Set(signature),
        is_over: Set(board.result.is_some()),
    };
    let row = head::Entity::insert(row).exec_with_returning(tx).await?;
    queries::head_view(board, row)
}

/// One turn of the sequencer over all boards that grow now. Any server may take it, in any moment. What many cast in
/// a second is appended a piece at a time, so that who casts then waits for a piece only.
///
/// # Errors
/// When the database fails.
pub async fn tick(app: &App) -> Result<u64> {
    let waiting = ready(app.store.read(), pending::Entity::find(), app.now()).await?;
    let mut appended = 0;
    for vote in waiting {
        // which pieces there are is read beside the writer
        let promised = promised(app.store.read(), vote).await?;
        for piece in promised.chunks(BATCH) {
            let Some((first, last)) = piece.first().cloned().zip(piece.last().cloned()) else { break };
            match app.store.write(move |tx| Box::pin(sequence(tx, vote, Some((first, last))))).await {
                Ok(some) => appended += some,
                // a board that cannot grow holds up no other
                Err(error) => {
                    tracing::error!(%vote, %error, "ballots to put on a board");
                    break;
                }
            }
        }
    }
    Ok(appended)
}

/// Of what waits, the boards for which something has waited long enough, or enough waits that nobody can say which of it came
/// when.
async fn ready(db: &impl ConnectionTrait, waiting: Select<pending::Entity>, now: DateTime<Utc>) -> Result<Vec<VoteId>> {
    let is_ready = Condition::any()
        .add(pending::Column::DueAt.min().lte(now))
        // nothing that was promised is due so late: the clock was put back since
        .add(pending::Column::DueAt.max().gte(now + GATHER * 2))
        .add(pending::Column::Electors.sum().gte(i64::from(TOGETHER)));
    let boards =
        waiting.select_only().column(pending::Column::VoteId).filter(Expr::exists(halted().into_query()).not());
    Ok(boards.group_by(pending::Column::VoteId).having(is_ready).into_tuple().all(db).await?)
}

/// Digests that wait for this board, sorted.
async fn promised(db: &impl ConnectionTrait, vote: VoteId) -> Result<Vec<String>> {
    let hashes = pending::Entity::find().select_only().column(pending::Column::BallotHash);
    let hashes = hashes.filter(pending::Column::VoteId.eq(vote)).order_by_asc(pending::Column::BallotHash);
    Ok(hashes.limit(AT_ONCE).into_tuple().all(db).await?)
}

/// Appends what was promised, sorted by digest, and says how many: all of it, or what lies between these two digests, if it has
/// waited long enough or is enough.
///
/// # Errors
/// When the database fails.
pub async fn sequence(tx: &Tx, vote: VoteId, between: Option<(String, String)>) -> Result<u64> {
    let mut taken = pending::Entity::delete_many().filter(pending::Column::VoteId.eq(vote));
    if let Some((first, last)) = between {
        let piece = pending::Column::BallotHash.between(first, last);
        let waiting = pending::Entity::find().filter(pending::Column::VoteId.eq(vote)).filter(piece.clone());
        // another server may have taken what was seen: what came since waits for others
        if ready(tx, waiting, tx.now()).await?.is_empty() {
            return Ok(0);
        }
        taken = taken.filter(piece);
    }
    let mut taken = taken.into_query();
    let taken = tx.query_all(taken.returning_col(pending::Column::BallotHash)).await?;
    let mut taken: Vec<String> = taken.iter().map(|row| Ok(row.try_get_by_index(0)?)).collect::<Result<_>>()?;
    if taken.is_empty() {
        return Ok(0);
    }
    taken.sort();
    let poll = vote.to_string();
    append(tx, vote, taken.iter().map(|hash| lsb1::ballot_entry(&poll, hash)).collect()).await?;
    Ok(taken.len() as u64)
}

/// Ends a board: what was promised, what is told at the end (named ballots, ballots that do not count), the `close` entry.
///
/// # Errors
/// When the database fails.
pub async fn close(tx: &Tx, vote: VoteId, mut told: Vec<Value>) -> Result<HeadView> {
    sequence(tx, vote, None).await?;
    let ballots = queries::ballots(tx, vote).await?;
    told.push(lsb1::close_entry(&vote.to_string(), ballots));
    append(tx, vote, told).await
}

/// Nothing more is said on this board, because the key that signs it is lost, or more may have been signed than it has: what waits
/// for it goes, and the sealed ballots that nobody will open.
///
/// # Errors
/// When the database refuses.
pub async fn give_up(tx: &Tx, vote: VoteId) -> Result<()> {
    pending::Entity::delete_many().filter(pending::Column::VoteId.eq(vote)).exec(tx).await?;
    envelope::Entity::delete_many().filter(envelope::Column::VoteId.eq(vote)).exec(tx).await?;
    forget_when(tx, vote).await
}

/// Keeps the sealed ballots without their electors, in the order of `SHA-256(digest ‖ closing root)`: nobody chose it, and
/// it says nothing. In which second each was taken is kept no more.
///
/// # Errors
/// When the database refuses.
pub async fn keep(tx: &Tx, vote: VoteId, closing_root: &str, mut ballots: Vec<Kept>) -> Result<()> {
    let root = lsb1::unhex(closing_root).ok_or_else(|| Error::broken("a root is hex"))?;
    ballots.sort_by_cached_key(|kept| tree::sha256(&[&lsb1::unhex(&kept.hash).unwrap_or_default(), &root]));
    let row = |(place, kept): (usize, Kept)| {
        Ok(envelope::ActiveModel {
            vote_id: Set(vote),
            place: Set(i32::try_from(place).map_err(Error::broken)?),
            ballot_hash: Set(kept.hash),
            cast_id: Set(kept.cast_id),
            sealed: Set(kept.sealed),
        })
    };
    let rows: Vec<envelope::ActiveModel> = ballots.into_iter().enumerate().map(row).collect::<Result<_>>()?;
    for some in rows.chunks(CHUNK) {
        envelope::Entity::insert_many(some.to_vec()).exec_without_returning(tx).await?;
    }
    Ok(())
}

/// Gives a board its result, signed and bound by its digest; `plaintexts` are what was in the sealed ballots, sorted by
/// content.
///
/// # Errors
/// When the database fails, or there is a result already.
pub async fn publish(tx: &Tx, vote: VoteId, result: &Value, plaintexts: Option<&Value>) -> Result<HeadView> {
    let board = queries::row(tx, vote).await?;
    let signature = hex(&tx.keys().sign_by(&board.key_id, &lsb1::statement(Signed::Result, result))?);
    let result = lsb1::jcs(result);
    let digest = hex(&tree::sha256(&[result.as_bytes()]));
    let kept = board::Entity::update_many()
        .col_expr(board::Column::Result, Expr::value(result))
        .col_expr(board::Column::ResultSignature, Expr::value(signature))
        .col_expr(board::Column::Plaintexts, Expr::value(plaintexts.map(lsb1::jcs)))
        .filter(board::Column::VoteId.eq(vote))
        .filter(board::Column::Result.is_null())
        .exec(tx)
        .await?;
    if kept.rows_affected != 1 {
        return Err(Error::broken("a board has one result"));
    }
    let end = append(tx, vote, vec![lsb1::result_entry(&vote.to_string(), &digest)]).await?;
    forget_when(tx, vote).await?;
    Ok(end)
}

/// From now on everybody has the envelopes, and who holds one need not be who cast it. With which others it came onto the board is
/// told no more by the heads of those moments, of which the last signs all that the others did.
async fn forget_when(tx: &Tx, vote: VoteId) -> Result<()> {
    let sizes = head::Entity::find().select_only().column(head::Column::Size).filter(head::Column::VoteId.eq(vote));
    let sizes: Vec<i64> = sizes.order_by_asc(head::Column::Size).into_tuple().all(tx).await?;
    // between the first and those of the end
    if let [_, between @ .., _, _] = sizes.as_slice() {
        for some in between.chunks(CHUNK) {
            head::Entity::delete_many()
                .filter(head::Column::VoteId.eq(vote))
                .filter(head::Column::Size.is_in(some.iter().copied()))
                .exec(tx)
                .await?;
        }
    }
    // these are not written anew with the next vote
    head::Entity::update_many()
        .col_expr(head::Column::IsOver, Expr::value(true))
        .filter(head::Column::VoteId.eq(vote))
        .filter(head::Column::IsOver.eq(false))
        .exec(tx)
        .await?;
    Ok(())
}
