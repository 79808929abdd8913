//! Opening: a roll that hung long enough, and what a vote says of itself (the manifest) and its frozen roll go on the public board before the first ballot.
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::Expr};
use serde_json::{Value, json};

use super::amend;
use crate::{
    app::App,
    board::{self, HeadView, lsb1, sealing, tree},
    error::Result,
    ids::VoteId,
    store::Tx,
    votes::{
        commands::Choice,
        queries,
        rows::{roll_entry, vote},
    },
};

/// What may be chosen, in the order of the ballot.
const OPTIONS: [Choice; 3] = [Choice::For, Choice::Against, Choice::Abstain];
const DUE_AT_ONCE: u64 = 100;

/// Begins the board of a vote whose roll is frozen; `tally` names the keys to which a secret ballot is sealed.
///
/// # Errors
/// When the database refuses.
pub(in crate::votes) async fn open_board(
    tx: &Tx,
    vote: &vote::Model,
    tally: Option<&[(sealing::Trustee, String)]>,
) -> Result<HeadView> {
    let rule = queries::rule_of(vote)?;
    let mut manifest = json!({
        "area": vote.area_code, "binding": vote.is_binding, "closes": lsb1::moment(vote.closes_at), "law": rule.law,
        "opens": lsb1::moment(vote.opens_at), "options": OPTIONS.map(Choice::as_str), "preset": vote.preset,
        "challenge_days": vote.challenge_days, "question": vote.question, "revote": vote.allows_revote, "rule": rule,
        "secrecy": vote.secrecy,
    });
    if vote.options.is_some() {
        let options = queries::options_of(vote.options.as_deref())?;
        let (keys, texts): (Vec<_>, Vec<_>) = options.into_iter().map(|option| (option.key, option.text)).unzip();
        manifest["kind"] = json!("choice");
        manifest["options"] = json!(keys);
        manifest["option_texts"] = json!(texts);
        manifest["max_choices"] = json!(vote.max_choices);
        manifest["seats"] = json!(vote.seats);
        manifest["parent"] = json!(vote.parent_vote_id);
    }
    if vote.has_paper {
        manifest["paper"] = json!(true);
        // at the end stands what became of the sheets, be it that none was handed out
        manifest["sheets"] = json!(true);
    }
    if let Some(keys) = tally {
        manifest["tally"] = sealing::tally(keys);
    }
    let electors = roll_leaves(tx, vote).await?;
    let head = board::commands::open(tx, vote.id, manifest, &electors).await?;
    // a secret vote has no board before its keys are made, and its roll may have been amended by then
    let amended = amend::leaves(tx, vote).await?;
    if amended.is_empty() { Ok(head) } else { board::commands::append(tx, vote.id, amended).await }
}

/// Opens the votes whose roll has hung as long as it was to hang. One that cannot be opened holds up no other. Recorded:
/// `vote.opened`.
///
/// # Errors
/// When the database fails.
pub(super) async fn due(app: &App) -> Result<()> {
    let ready = vote::Entity::find()
        .select_only()
        .column(vote::Column::Id)
        .filter(vote::Column::State.eq(queries::POSTED))
        .filter(vote::Column::RestoredAt.is_null())
        .filter(vote::Column::OpensAt.lte(app.now()))
        .limit(DUE_AT_ONCE);
    let ready: Vec<VoteId> = ready.into_tuple().all(app.store.read()).await?;
    for id in ready {
        if let Err(error) = app.store.write(move |tx| Box::pin(open_posted(tx, id))).await {
            tracing::error!(vote = %id, %error, "a vote to open");
        }
    }
    Ok(())
}

async fn open_posted(tx: &Tx, id: VoteId) -> Result<()> {
    let vote = queries::row(tx, id).await?;
    if vote.state != queries::POSTED || vote.restored_at.is_some() || vote.opens_at > tx.now() {
        return Ok(());
    }
    vote::Entity::update_many()
        .col_expr(vote::Column::State, Expr::value(queries::OPEN))
        .filter(vote::Column::Id.eq(id))
        .filter(vote::Column::State.eq(queries::POSTED))
        .exec(tx)
        .await?;
    super::record_opened(tx, &vote, None).await
}

/// The frozen roll as leaves, without its amendments: number, keyed tag, unit and weight, in order of the numbers.
///
/// # Errors
/// When the database cannot be read.
pub(in crate::votes) async fn roll_leaves(
    db: &impl sea_orm::ConnectionTrait,
    vote: &vote::Model,
) -> Result<Vec<Value>> {
    let entries = roll_entry::Entity::find()
        .filter(roll_entry::Column::VoteId.eq(vote.id))
        .filter(roll_entry::Column::Number.lte(vote.roll_frozen))
        .order_by_asc(roll_entry::Column::Number)
        .all(db)
        .await?;
    let unit = unit(vote)?;
    Ok(entries.iter().map(|entry| leaf(entry, &unit)).collect())
}

fn unit(vote: &vote::Model) -> Result<String> {
    Ok(json!(queries::rule_of(vote)?.unit).as_str().unwrap_or_default().to_owned())
}

fn leaf(entry: &roll_entry::Model, unit: &str) -> Value {
    let number = u64::from(entry.number.unsigned_abs());
    lsb1::elector_entry(number, entry.tag.as_deref().unwrap_or_default(), unit, 1)
}

/// One elector as a leaf.
///
/// # Errors
/// Never, as long as the row is ours.
pub(super) fn elector_leaf(vote: &vote::Model, entry: &roll_entry::Model) -> Result<Value> {
    Ok(leaf(entry, &unit(vote)?))
}

/// The Merkle root over the frozen roll, in hex; it is told wherever the roll hangs, and is that of the manifest.
///
/// # Errors
/// When the database cannot be read.
pub(super) async fn roll_root(tx: &Tx, vote: &vote::Model) -> Result<String> {
    let leaves = roll_leaves(tx, vote).await?;
    let hashes: Vec<tree::Hash> = leaves.iter().map(|one| tree::leaf(lsb1::jcs(one).as_bytes())).collect();
    Ok(lsb1::hex(&tree::root(&hashes)))
}
