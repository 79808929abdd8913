//! 委托: an elector names somebody to cast; a second person checks it; either side or the office ends it.
use sea_orm::{ColumnTrait, EntityTrait, ExprTrait, QueryFilter, Set, sea_query::Expr};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use crate::{
    actor::Actor,
    app::App,
    bodies,
    error::{Checks, Code, Error, Result},
    events::{self, Happening, Kind},
    ids::{MediaId, PersonId, VoteId},
    media,
    people::{self, queries::Named},
    store::Tx,
    votes::{
        office,
        queries::{
            self,
            proxies::{ProxyView, active, agent_row, entry_of},
        },
        rows::{roll_agent, roll_entry, vote},
        rules::{ProxyRule, Relation, Who, proxies::PROXY_RANK},
    },
};

/// What the photo of a written proxy is attached to: `vote/number`.
pub const MEDIA_KIND: &str = "proxy";
/// Rows that the clock ends in one go.
const DUE_AT_ONCE: u64 = 500;

/// Somebody of the village, by name.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Called {
    /// Full name, as on the roster. 1 to 50 characters.
    #[schema(min_length = 1, max_length = 50)]
    pub name: String,
    /// The number on the village's roster, where several have that name.
    #[serde(default)]
    pub roster_number: Option<String>,
}

/// A proxy to be named.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NameProxy {
    /// For whom, when an office writes down a proxy on paper; absent: for oneself.
    #[serde(default)]
    pub elector: Option<Called>,
    /// Who is to cast.
    pub agent: Called,
    /// What the agent is to the elector.
    pub relation: Relation,
    /// A photo of the written proxy, uploaded before; needed when an office writes it down.
    #[serde(default)]
    pub proof_media_id: Option<MediaId>,
}

/// Names a proxy; it holds once a second person has checked it. The same again changes nothing. Recorded:
/// `vote.proxy_named`.
///
/// # Errors
/// `not_found`; `not_allowed` for somebody else's proxy without the right to open votes; `wrong_state` when the vote is
/// over, or the elector has another proxy; `proxy_not_allowed` where the preset knows none, or not this person;
/// `proxy_too_late`; `not_on_roll`; `already_cast`; `proxy_passed_on`; `proxy_limit`; `media_not_usable`;
/// `invalid_fields`.
pub async fn name_proxy(tx: &Tx, actor: &Actor, (id, input): (VoteId, NameProxy)) -> Result<ProxyView> {
    let vote = queries::row(tx, id).await?;
    if input.elector.is_some() {
        office::require(actor, &vote)?;
    }
    let rule = in_time(tx, &vote)?;
    let elector = match &input.elector {
        Some(called) => find(tx, &vote, ("elector", called)).await?,
        None => actor.person,
    };
    // who is not on the roll asks after nobody on the roster
    let entry = entry_of(tx, id, elector).await?.ok_or(Code::NotOnRoll)?;
    let agent = find(tx, &vote, ("agent", &input.agent)).await?;
    // what cannot be is told before what was done: nobody finds out for nothing whose ballot is there
    let known = active(tx, id, entry.number).await?;
    if known.is_none() {
        may_be(tx, (&vote, &rule), &entry, (agent, input.relation)).await?;
    }
    if entry.channel != queries::NOT_CAST {
        return Err(Code::AlreadyCast.into());
    }
    if let Some(known) = known {
        // sent again because the answer was lost
        let is_same = known.person_id == agent;
        return if is_same {
            queries::proxies::view(tx, &vote, known, true).await
        } else {
            Err(Code::WrongState.into())
        };
    }
    attach_proof(tx, actor, &vote, (&entry, input.proof_media_id)).await?;
    let row = roll_agent::ActiveModel {
        vote_id: Set(id),
        number: Set(entry.number),
        person_id: Set(agent),
        kind: Set(queries::PROXY.to_owned()),
        rank: Set(PROXY_RANK),
        relation: Set(Some(input.relation.as_str().to_owned())),
        state: Set(queries::NAMED.to_owned()),
        proof_media_id: Set(input.proof_media_id),
        recorded_by: Set(actor.person),
        recorded_at: Set(tx.now()),
        checked_by: Set(None),
        checked_at: Set(None),
        ended_at: Set(None),
    };
    // named before and taken back: the row is written anew, what happened stands in the events
    roll_agent::Entity::delete_by_id((id, entry.number, agent)).exec(tx).await?;
    let row = roll_agent::Entity::insert(row).exec_with_returning(tx).await?;
    record(tx, (Kind::ProxyNamed, &vote), &entry, (agent, None), Some(actor.person)).await?;
    queries::proxies::view(tx, &vote, row, true).await
}

/// The rule, while proxies may still be named and checked.
fn in_time(tx: &Tx, vote: &vote::Model) -> Result<ProxyRule> {
    if !queries::runs(&vote.state) {
        return Err(Code::WrongState.into());
    }
    let (rule, until) = queries::rule_of(vote)?.proxy.zip(vote.proxies_until).ok_or(Code::ProxyNotAllowed)?;
    if tx.now() >= until { Err(Code::ProxyTooLate.into()) } else { Ok(rule) }
}

/// Somebody of the village; of a collective one of its members, who may live elsewhere.
async fn find(tx: &Tx, vote: &vote::Model, (field, called): (&str, &Called)) -> Result<PersonId> {
    let mut checks = Checks::default();
    let name = format!("{field}.name");
    checks.text(&name, &called.name, 1..=50);
    checks.done()?;
    let number = called.roster_number.as_deref().map(str::trim).filter(|number| !number.is_empty());
    let whom = (called.name.trim(), number);
    let named = match queries::is_of_collective(&vote.preset) {
        true => bodies::members::called(tx, vote.body_id, whom).await?,
        false => people::queries::named(tx, std::slice::from_ref(&vote.area_code), whom).await?,
    };
    let mut checks = Checks::default();
    match named {
        Named::One(person) => return Ok(person),
        Named::Several => checks.wrong(name, "several_of_that_name"),
        Named::Nobody => checks.wrong(name, "not_on_roster"),
    }
    checks.done()?;
    Err(Code::InvalidFields.into())
}

/// May this person cast for that elector, as far as can be known without asking anybody?
async fn may_be(
    tx: &Tx,
    (vote, rule): (&vote::Model, &ProxyRule),
    entry: &roll_entry::Model,
    (agent, relation): (PersonId, Relation),
) -> Result<()> {
    let own = entry_of(tx, vote.id, agent).await?;
    // whom it recalls casts for nobody else, as nobody does who may be chosen
    let own = own.filter(|own| own.number != entry.number && vote.recalled_id != Some(agent));
    let own = own.ok_or(Code::ProxyNotAllowed)?;
    if !rule.fits(relation, own.household_id == entry.household_id) {
        return Err(Code::ProxyNotAllowed.into());
    }
    let casts_for = |person| queries::proxies::principals(tx, vote.id, person);
    if active(tx, vote.id, own.number).await?.is_some() || casts_for(entry.person_id).await? > 0 {
        return Err(Code::ProxyPassedOn.into());
    }
    if rule.who == Who::NearKin && is_candidate(tx, vote, agent).await? {
        let mut checks = Checks::default();
        checks.wrong("agent.name", "is_candidate");
        return checks.done();
    }
    // one unit of work at a time: nobody names another in between
    if casts_for(agent).await? >= u64::from(rule.max_principals) {
        return Err(Code::ProxyLimit.into());
    }
    Ok(())
}

/// Does somebody of this name stand on the ballot? At an election nobody casts for others who may be chosen by it (浙江选举办法
/// 25); options are texts, so that a namesake is refused, too, whatever stands behind the name.
async fn is_candidate(tx: &Tx, vote: &vote::Model, agent: PersonId) -> Result<bool> {
    let options = queries::options_of(vote.options.as_deref())?;
    let name = people::names(tx, vec![agent]).await?.remove(&agent).unwrap_or_default();
    let is_named =
        |text: &str| text.strip_prefix(name.as_str()).is_some_and(|rest| !rest.starts_with(char::is_alphabetic));
    Ok(!name.is_empty() && options.iter().any(|option| is_named(option.text.trim())))
}

/// Who writes down another's proxy shows the paper.
async fn attach_proof(
    tx: &Tx,
    actor: &Actor,
    vote: &vote::Model,
    (entry, proof): (&roll_entry::Model, Option<MediaId>),
) -> Result<()> {
    let mut checks = Checks::default();
    checks.require(proof.is_some() || entry.person_id == actor.person, "proof_media_id", "no_photo");
    checks.done()?;
    let subject = format!("{}/{}", vote.id, entry.number);
    let to = media::Subject { kind: MEDIA_KIND, id: &subject, area: &vote.area_code };
    media::attach_photos(tx, actor.person, ("proof_media_id", proof.as_slice()), to).await
}

/// Checks a proxy: from now on it holds and is published. Recorded: `vote.proxy_checked`.
///
/// # Errors
/// `not_found`; `not_allowed` without the right to open votes; `second_person_needed` for who wrote it down, the elector
/// and the agent; `wrong_state` when the vote is over; `proxy_too_late`; `already_cast`.
pub async fn check_proxy(tx: &Tx, actor: &Actor, (id, number): (VoteId, i32)) -> Result<ProxyView> {
    let vote = queries::row(tx, id).await?;
    office::require(actor, &vote)?;
    let (entry, row) = agent_row(tx, id, number).await?;
    if row.state == queries::CHECKED {
        return queries::proxies::view(tx, &vote, row, true).await;
    }
    in_time(tx, &vote)?;
    if [row.recorded_by, row.person_id, entry.person_id].contains(&actor.person) {
        return Err(Code::SecondPersonNeeded.into());
    }
    if entry.channel != queries::NOT_CAST {
        return Err(Code::AlreadyCast.into());
    }
    let change = roll_agent::Entity::update_many()
        .col_expr(roll_agent::Column::State, Expr::value(queries::CHECKED))
        .col_expr(roll_agent::Column::CheckedBy, Expr::value(actor.person))
        .col_expr(roll_agent::Column::CheckedAt, Expr::value(tx.now()));
    let row = changed(tx, change, &row).await?;
    record(tx, (Kind::ProxyChecked, &vote), &entry, (row.person_id, None), Some(actor.person)).await?;
    queries::proxies::view(tx, &vote, row, true).await
}

/// Ends a proxy that was not used: by the elector, the agent or the office. Recorded: `vote.proxy_ended`.
///
/// # Errors
/// `not_found`, also for who has nothing to do with it; `already_cast`; `wrong_state` when the vote is over.
pub async fn revoke_proxy(tx: &Tx, actor: &Actor, (id, number): (VoteId, i32)) -> Result<ProxyView> {
    let vote = queries::row(tx, id).await?;
    let (entry, row) = agent_row(tx, id, number).await?;
    let is_own = [row.person_id, entry.person_id].contains(&actor.person);
    if !is_own && !office::runs(actor, &vote) {
        return Err(Code::NotFound.into());
    }
    if !queries::runs(&vote.state) {
        return Err(Code::WrongState.into());
    }
    if entry.channel != queries::NOT_CAST {
        return Err(Code::AlreadyCast.into());
    }
    let row = end(tx, (&vote, &entry), row, (queries::REVOKED, Some(actor.person))).await?;
    queries::proxies::view(tx, &vote, row, true).await
}

/// Ends a proxy, with what became of it.
pub(super) async fn end(
    tx: &Tx,
    (vote, entry): (&vote::Model, &roll_entry::Model),
    row: roll_agent::Model,
    (state, by): (&'static str, Option<PersonId>),
) -> Result<roll_agent::Model> {
    let change = roll_agent::Entity::update_many()
        .col_expr(roll_agent::Column::State, Expr::value(state))
        .col_expr(roll_agent::Column::EndedAt, Expr::value(tx.now()));
    let row = changed(tx, change, &row).await?;
    record(tx, (Kind::ProxyEnded, vote), entry, (row.person_id, Some(state)), by).await?;
    Ok(row)
}

/// From the state in which it was read; `changed` when somebody was first.
async fn changed(
    tx: &Tx,
    change: sea_orm::UpdateMany<roll_agent::Entity>,
    row: &roll_agent::Model,
) -> Result<roll_agent::Model> {
    let this = roll_agent::Column::VoteId.eq(row.vote_id).and(roll_agent::Column::Number.eq(row.number));
    let done = change
        .filter(this)
        .filter(roll_agent::Column::PersonId.eq(row.person_id))
        .filter(roll_agent::Column::State.eq(row.state.as_str()))
        .exec_with_returning(tx)
        .await?;
    done.into_iter().next().ok_or_else(|| Code::Changed.into())
}

async fn record(
    tx: &Tx,
    (kind, vote): (Kind, &vote::Model),
    entry: &roll_entry::Model,
    (agent, why): (PersonId, Option<&str>),
    by: Option<PersonId>,
) -> Result<()> {
    let data = json!({ "number": entry.number, "elector": entry.person_id, "agent": agent, "why": why });
    let mut happening = Happening::new(kind, vote.id).at(&vote.area_code).with(data);
    if let Some(by) = by {
        happening = happening.by(by);
    }
    events::record(tx, happening).await.map(drop)
}

/// Ends the proxies that nobody checked in time. Recorded: `vote.proxy_ended`. A vote in which that fails holds up no other.
pub(super) async fn void_unchecked(app: &App) -> Result<()> {
    for id in queries::proxies::overdue(app.store.read(), (app.now(), DUE_AT_ONCE)).await? {
        let ended = app.store.write(move |tx| Box::pin(void_of(tx, id))).await;
        ended.unwrap_or_else(|error| tracing::error!(vote = %id, %error, "proxies that nobody checked"));
    }
    Ok(())
}

async fn void_of(tx: &Tx, id: VoteId) -> Result<()> {
    let vote = queries::row(tx, id).await?;
    if vote.proxies_until.is_none_or(|until| tx.now() < until) {
        return Ok(());
    }
    let late = roll_agent::Entity::find()
        .filter(roll_agent::Column::VoteId.eq(id))
        .filter(roll_agent::Column::State.eq(queries::NAMED));
    for row in late.all(tx).await? {
        let entry = roll_entry::Entity::find_by_id((id, row.number)).one(tx).await?;
        let entry = entry.ok_or_else(|| Error::broken("a proxy without its elector"))?;
        end(tx, (&vote, &entry), row, (queries::VOID, None)).await?;
    }
    Ok(())
}
