//! Reads of boards: where one stands, its leaves, the two proofs, and everything for an archive.
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{
    commands::Kept,
    lsb1::{self, hex},
    rows::{board, entry, envelope, head},
    tree,
};
use crate::{
    app::{App, Leaves},
    error::{Code, Error, Result},
    ids::VoteId,
    store::Tx,
};

/// Leaves on one page at most.
const MAX_ENTRIES: u64 = 1000;

/// Where a board stands, signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HeadView {
    /// The vote.
    pub vote_id: VoteId,
    /// Leaves.
    pub n: u64,
    /// Root of the tree over them, in hex.
    pub root: String,
    /// When, as signed.
    pub t: String,
    /// Ed25519 over `LSB1-head NUL {"n","poll","root","t"}` in canonical JSON, in hex.
    pub sig: String,
    /// Public key of the board, in hex; the manifest names the same.
    pub board_key: String,
    /// The first 32 digits of the root, for the paper notice and the channel.
    pub fingerprint: String,
}

/// One leaf.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BoardEntryView {
    /// Its place, from 0.
    pub place: u64,
    /// Canonical JSON, exactly as hashed.
    pub leaf: String,
    /// `SHA-256(0x00 ‖ leaf)`, in hex.
    pub leaf_hash: String,
}

/// Leaves in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EntriesView {
    /// Leaves of the whole board.
    pub n: u64,
    /// Those asked for.
    pub items: Vec<BoardEntryView>,
}

/// Which leaves.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct EntriesQuery {
    /// The first place; 0 when absent.
    #[param(minimum = 0)]
    pub from: Option<u32>,
    /// How many, 1000 at most.
    #[param(minimum = 1, maximum = 1000)]
    pub limit: Option<u64>,
}

/// Which ballot.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ProofQuery {
    /// Digest of the ballot, as on its receipt: 64 hex digits.
    #[param(min_length = 64, max_length = 64)]
    pub h: String,
}

/// From where to where.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ConsistencyQuery {
    /// Leaves of the earlier tree.
    #[param(minimum = 1)]
    pub from: u32,
    /// Leaves of the later tree.
    #[param(minimum = 1)]
    pub to: u32,
}

/// The way from a leaf to the root of the newest head.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProofView {
    /// The leaf.
    pub entry: BoardEntryView,
    /// Does it not count, because its elector cast again? Known from the end on.
    pub is_void: bool,
    /// The head that the proof leads to.
    pub head: HeadView,
    /// Hashes on the way, from the leaf upwards (RFC 6962), in hex.
    pub proof: Vec<String>,
}

/// The earlier tree is the beginning of the later one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ConsistencyView {
    /// Leaves of the earlier tree.
    pub from: u64,
    /// Its root.
    pub from_root: String,
    /// Leaves of the later tree.
    pub to: u64,
    /// Its root.
    pub to_root: String,
    /// Hashes (RFC 6962), in hex.
    pub proof: Vec<String>,
}

/// What a vote says of itself, and the digest that binds it.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// Canonical JSON.
    pub text: String,
    /// SHA-256 of it, in hex.
    pub hash: String,
    /// The key that signs.
    pub key_id: String,
}

impl Manifest {
    /// Read.
    ///
    /// # Errors
    /// Never, as long as the row is ours.
    pub fn value(&self) -> Result<Value> {
        serde_json::from_str(&self.text).map_err(Error::broken)
    }

    /// The digest as bytes, as it is bound into each sealed ballot.
    ///
    /// # Errors
    /// Never, as long as the row is ours.
    pub fn digest(&self) -> Result<tree::Hash> {
        lsb1::unhex_hash(&self.hash).ok_or_else(|| Error::broken("the digest of a manifest"))
    }
}

/// The end of a board.
#[derive(Clone, Debug)]
pub struct Published {
    /// Canonical JSON.
    pub result: String,
    /// Ed25519 over `LSB1-result NUL result`, in hex.
    pub signature: String,
    /// What was in the sealed ballots, sorted by content, as canonical JSON.
    pub plaintexts: Option<String>,
}

pub(super) async fn row(db: &impl ConnectionTrait, vote: VoteId) -> Result<board::Model> {
    board::Entity::find_by_id(vote).one(db).await?.ok_or_else(|| Code::NotFound.into())
}

/// What a vote says of itself.
///
/// # Errors
/// `not_found` while there is no board.
pub async fn manifest(db: &impl ConnectionTrait, vote: VoteId) -> Result<Manifest> {
    let row = row(db, vote).await?;
    Ok(Manifest { text: row.manifest, hash: row.manifest_hash, key_id: row.key_id })
}

/// The key that signs what is said of a vote, its receipts too: the one with which its board began and which the manifest
/// names, though another may be in use by now.
///
/// # Errors
/// When the database cannot be read, or there is no signing key.
pub async fn signer(app: &App, vote: VoteId) -> Result<String> {
    let (newest, _) = app.keys.signer()?;
    if app.keys.signers().count() == 1 {
        // as long as none took its place nobody has to look
        return Ok(newest);
    }
    let began = board::Entity::find_by_id(vote).select_only().column(board::Column::KeyId);
    let began: Option<String> = began.into_tuple().one(app.store.read()).await?;
    // one that was lost signs nothing any more
    Ok(began.filter(|key| app.keys.signers().any(|known| known == key)).unwrap_or(newest))
}

/// Can anything more be said on this board: is the key still there with which it began, and was it not halted?
///
/// # Errors
/// `not_found` while there is no board.
pub async fn is_signable(tx: &Tx, vote: VoteId) -> Result<bool> {
    let board = row(tx, vote).await?;
    Ok(board.halted_at.is_none() && tx.keys().signers().any(|known| known == board.key_id))
}

/// The result; `None` before it is published.
///
/// # Errors
/// `not_found` while there is no board.
pub async fn published(db: &impl ConnectionTrait, vote: VoteId) -> Result<Option<Published>> {
    let row = row(db, vote).await?;
    let told = row.result.zip(row.result_signature);
    Ok(told.map(|(result, signature)| Published { result, signature, plaintexts: row.plaintexts }))
}

pub(super) fn head_view(board: &board::Model, row: head::Model) -> Result<HeadView> {
    let manifest: Value = serde_json::from_str(&board.manifest).map_err(Error::broken)?;
    Ok(HeadView {
        vote_id: board.vote_id,
        n: row.size.unsigned_abs(),
        fingerprint: lsb1::fingerprint(&row.root),
        root: row.root,
        t: row.signed_at,
        sig: row.signature,
        board_key: manifest["board_key"].as_str().unwrap_or_default().to_owned(),
    })
}

/// The newest head.
///
/// # Errors
/// `not_found` while there is no board.
pub async fn newest(db: &impl ConnectionTrait, vote: VoteId) -> Result<HeadView> {
    let board = row(db, vote).await?;
    let heads = head::Entity::find().filter(head::Column::VoteId.eq(vote)).order_by_desc(head::Column::Size);
    head_view(&board, heads.one(db).await?.ok_or(Code::NotFound)?)
}

/// The heads that are kept. Of a board with a result: the first, at `close`, at `result` and, where it was settled afterwards,
/// there. Oldest first.
///
/// # Errors
/// `not_found` while there is no board.
pub async fn heads(db: &impl ConnectionTrait, vote: VoteId) -> Result<Vec<HeadView>> {
    let board = row(db, vote).await?;
    let kept = head::Entity::find().filter(head::Column::VoteId.eq(vote)).order_by_asc(head::Column::Size);
    kept.all(db).await?.into_iter().map(|row| head_view(&board, row)).collect()
}

/// Ballots on the board, whether they count or not.
///
/// # Errors
/// When the database cannot be read.
pub async fn ballots(db: &impl ConnectionTrait, vote: VoteId) -> Result<u64> {
    let ballots = entry::Entity::find().filter(entry::Column::VoteId.eq(vote));
    Ok(ballots.filter(entry::Column::BallotHash.is_not_null()).count(db).await?)
}

/// Leaves from a place on.
///
/// # Errors
/// `not_found` while there is no board; `invalid_cursor` for a limit out of range.
pub async fn entries(db: &impl ConnectionTrait, vote: VoteId, query: &EntriesQuery) -> Result<EntriesView> {
    let board = row(db, vote).await?;
    let limit = query.limit.unwrap_or(MAX_ENTRIES);
    if !(1..=MAX_ENTRIES).contains(&limit) {
        return Err(Code::InvalidCursor.into());
    }
    let rows = entry::Entity::find()
        .filter(entry::Column::VoteId.eq(vote))
        .filter(entry::Column::Place.gte(i64::from(query.from.unwrap_or(0))))
        .order_by_asc(entry::Column::Place)
        .limit(limit)
        .all(db)
        .await?;
    Ok(EntriesView { n: board.size.unsigned_abs(), items: rows.into_iter().map(entry_view).collect() })
}

fn entry_view(row: entry::Model) -> BoardEntryView {
    BoardEntryView { place: row.place.unsigned_abs(), leaf: row.leaf, leaf_hash: row.leaf_hash }
}

/// Every leaf, as hashed, in order.
///
/// # Errors
/// When the database cannot be read.
pub async fn leaves(db: &impl ConnectionTrait, vote: VoteId) -> Result<Vec<String>> {
    let all = entry::Entity::find().select_only().column(entry::Column::Leaf).filter(entry::Column::VoteId.eq(vote));
    Ok(all.order_by_asc(entry::Column::Place).into_tuple().all(db).await?)
}

/// Read once for all who ask at the same moment: a proof is for everybody, and needs every leaf.
async fn shared_leaves(app: &App, vote: VoteId, size: u64) -> Result<Leaves> {
    app.counted.leaves((vote.0, size), || leaf_hashes(app.store.read(), vote, size)).await
}

async fn leaf_hashes(db: &impl ConnectionTrait, vote: VoteId, size: u64) -> Result<Vec<tree::Hash>> {
    let all = entry::Entity::find().select_only().column(entry::Column::LeafHash);
    let all = all.filter(entry::Column::VoteId.eq(vote)).order_by_asc(entry::Column::Place).limit(size);
    let texts: Vec<String> = all.into_tuple().all(db).await?;
    let hash = |text: &String| lsb1::unhex_hash(text).ok_or_else(|| Error::broken("the hash of a leaf"));
    texts.iter().map(hash).collect()
}

/// Every leaf is looked at: of a county's vote that takes a while, and holds up no thread that others wait for.
async fn over<T: Send + 'static>(leaves: Leaves, look: impl FnOnce(&[tree::Hash]) -> T + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(move || look(&leaves)).await.map_err(Error::broken)
}

fn in_hex(path: Vec<tree::Hash>) -> Vec<String> {
    path.iter().map(|step| hex(step)).collect()
}

/// That a ballot is on the board.
///
/// # Errors
/// `not_found` when it is not (yet).
pub async fn proof(app: &App, vote: VoteId, hash: &str) -> Result<ProofView> {
    let db = app.store.read();
    let head = newest(db, vote).await?;
    let found = entry::Entity::find().filter(entry::Column::VoteId.eq(vote)).filter(entry::Column::BallotHash.eq(hash));
    let found = found.one(db).await?.map(entry_view).ok_or(Code::NotFound)?;
    let leaves = shared_leaves(app, vote, head.n).await?;
    let place = usize::try_from(found.place).map_err(Error::broken)?;
    let void = tree::leaf(lsb1::jcs(&lsb1::void_entry(&vote.to_string(), hash)).as_bytes());
    let (is_void, path) = over(leaves, move |all| (all.contains(&void), tree::inclusion(all, place))).await?;
    let path = path.ok_or(Code::NotFound)?;
    Ok(ProofView { entry: found, is_void, head, proof: in_hex(path) })
}

/// That nothing was changed between two sizes of the board.
///
/// # Errors
/// `not_found` for sizes that the board never had.
pub async fn consistency(app: &App, vote: VoteId, query: &ConsistencyQuery) -> Result<ConsistencyView> {
    let (from, to) = (u64::from(query.from), u64::from(query.to));
    let size = row(app.store.read(), vote).await?.size.unsigned_abs();
    if from == 0 || from > to || size < to {
        return Err(Code::NotFound.into());
    }
    // whatever sizes are asked for, it is the same leaves
    let leaves = shared_leaves(app, vote, size).await?;
    let (earlier, later) = (usize::try_from(from).map_err(Error::broken)?, usize::try_from(to).map_err(Error::broken)?);
    let found = over(leaves, move |all| {
        let all = all.get(..later)?;
        Some((tree::consistency(all, earlier)?, tree::root(all.get(..earlier)?), tree::root(all)))
    });
    let (proof, from_root, to_root) = found.await?.ok_or(Code::NotFound)?;
    let (from_root, to_root) = (hex(&from_root), hex(&to_root));
    Ok(ConsistencyView { from, from_root, to, to_root, proof: in_hex(proof) })
}

/// The sealed ballots after the end, in their order.
///
/// # Errors
/// When the database cannot be read.
pub async fn kept(db: &impl ConnectionTrait, vote: VoteId) -> Result<Vec<Kept>> {
    let rows = envelope::Entity::find().filter(envelope::Column::VoteId.eq(vote)).order_by_asc(envelope::Column::Place);
    Ok(rows.all(db).await?.into_iter().map(kept_view).collect())
}

/// The sealed ballot with this id, though the vote is over and nobody knows whose it is, and when it came onto the board with
/// others: in which second it was taken is not kept. `None` from when everybody has the envelopes.
///
/// # Errors
/// When the database cannot be read.
pub async fn kept_as(db: &impl ConnectionTrait, vote: VoteId, cast_id: Uuid) -> Result<Option<(Kept, String)>> {
    if row(db, vote).await?.result.is_some() {
        return Ok(None);
    }
    let kept = envelope::Entity::find().filter(envelope::Column::VoteId.eq(vote));
    let Some(kept) = kept.filter(envelope::Column::CastId.eq(cast_id)).one(db).await? else { return Ok(None) };
    Ok(on_board_at(db, vote, &kept.ballot_hash).await?.map(|at| (kept_view(kept), at)))
}

/// When the ballot with this digest came onto the board, whether it counts or not: by the first head that is kept since. `None`:
/// it is not on it.
///
/// # Errors
/// When the database cannot be read.
pub async fn on_board_at(db: &impl ConnectionTrait, vote: VoteId, hash: &str) -> Result<Option<String>> {
    let found = entry::Entity::find().filter(entry::Column::VoteId.eq(vote)).filter(entry::Column::BallotHash.eq(hash));
    let Some(found) = found.one(db).await? else { return Ok(None) };
    let heads = head::Entity::find().filter(head::Column::VoteId.eq(vote));
    let heads = heads.filter(head::Column::Size.gt(found.place)).order_by_asc(head::Column::Size);
    Ok(heads.one(db).await?.map(|head| head.signed_at))
}

fn kept_view(row: envelope::Model) -> Kept {
    Kept { cast_id: row.cast_id, hash: row.ballot_hash, sealed: row.sealed }
}
