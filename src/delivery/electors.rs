//! Whom no message told of a vote, for who goes to the doors; of a secret one nothing that says who has cast.
use std::collections::{HashMap, HashSet};

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};

use super::{
    board::{ReachRow, WAITING, as_one_goes_round, messages},
    marks,
    plan::choices_of,
    rows::announcement,
};
use crate::{
    actor::Actor,
    app::App,
    bodies,
    error::{Code, Result},
    events::Kind,
    ids::{PersonId, VoteId},
    people::{self, audience::Among},
    votes::{self, Secrecy, VoteView},
    wechat,
};

/// There is nowhere to send it.
const NO_ADDRESS: &str = "no_address";
/// It is not wanted.
const UNSUBSCRIBED: &str = "unsubscribed";

/// Electors whom no message told of a vote, by group and household: for who runs it, to go round. Whoever has cast needs none:
/// in an open vote they are left out. In a secret one that would tell who has cast; there the list is of those to whom nothing
/// can be sent, whether they have cast or not, and of those to whom the message of its opening failed. Whom somebody told at the
/// door stands there with who did.
///
/// # Errors
/// `not_found`; `not_allowed` for who does not run the vote.
pub async fn electors_of(app: &App, actor: &Actor, id: VoteId) -> Result<Vec<ReachRow>> {
    let db = app.store.read();
    let vote = votes::queries::vote(db, id).await?;
    if !votes::office::may_run(actor, &vote) {
        return Err(Code::NotAllowed.into());
    }
    rows(app, &vote).await
}

/// The same for whoever may see them.
pub(super) async fn rows(app: &App, vote: &VoteView) -> Result<Vec<ReachRow>> {
    let (db, id) = (app.store.read(), vote.id);
    let electors = votes::queries::to_tell(db, id).await?;
    let marked = marks::told(db, (Kind::VoteOpened, id.0)).await?;
    let is_open = vote.secrecy == Secrecy::Open.as_str();
    let (silent, texted) = if is_open { Default::default() } else { ways(app, &electors).await? };
    // of a secret one the reminder went to who had not cast, and whoever left the list by it had not
    let kinds: &[Kind] = if is_open { &[Kind::VoteOpened, Kind::VoteClosingSoon] } else { &[Kind::VoteOpened] };
    let about = announcement::Entity::find()
        .filter(announcement::Column::SubjectId.eq(id.to_string()))
        .filter(announcement::Column::Kind.is_in(kinds.iter().map(|kind| kind.as_str())))
        .order_by_asc(announcement::Column::EventNumber);
    let (mut told, mut why) = (HashSet::<PersonId>::new(), HashMap::<PersonId, String>::new());
    for one in about.all(db).await? {
        for (person, of_it) in messages(db, (one.event_number, electors.clone())).await? {
            if of_it.sent.is_some() {
                told.insert(person);
            }
            // what waits or was not needed would say who has not cast, and who has; so would it that a text followed what failed
            let is_last = of_it.is_texted || !texted.contains(&person);
            let shown = of_it.why.filter(|why| !of_it.is_read && (is_open || (why != WAITING && is_last)));
            if let Some(shown) = shown {
                why.insert(person, shown);
            }
        }
    }
    let is_left = |id: &PersonId| is_open || silent.contains_key(id) || why.contains_key(id);
    let is_shown = |id: &PersonId| marked.contains_key(id) || (!told.contains(id) && is_left(id));
    let left: Vec<PersonId> = electors.into_iter().filter(is_shown).collect();
    let households = people::household_numbers(db, &vote.area_code).await?;
    // a body's people may live in another village
    let off_roster = bodies::members::off_roster(db, vote.body_id).await?;
    let residents = people::queries::on_rolls(db, &left).await?.into_values();
    let residents = residents.filter(|one| one.left_on.is_none() || off_roster.contains(&one.id));
    let rows = residents.map(|one| ReachRow {
        why: silent.get(&one.id).map(|why| (*why).to_owned()).or_else(|| why.get(&one.id).cloned()),
        person_id: one.id,
        name: one.name,
        household_number: households.get(&one.household).cloned().unwrap_or_default(),
        group_number: one.group_number,
        way: None,
        at: None,
        by_name: None,
        note: None,
    });
    let mut rows: Vec<ReachRow> = rows.collect();
    rows.sort_by_cached_key(as_one_goes_round);
    marks::at_door(db, marked, &mut rows).await?;
    Ok(rows)
}

/// Those of these people whom no message can tell of what they must do, and why: they have no number of their own and nothing
/// can be sent to them in WeChat, or they do not want it. And those who are sent a text when nothing else has told them.
async fn ways(app: &App, people: &[PersonId]) -> Result<(HashMap<PersonId, &'static str>, HashSet<PersonId>)> {
    let db = app.store.read();
    let (Some(first), Some(last)) = (people.iter().min(), people.iter().max()) else { return Ok(Default::default()) };
    let among = Among::Between(*first, *last);
    let numbers = people::queries::own_numbers(db, &app.keys, people).await?;
    let (wechat, choices) = (wechat::queries::tellable(db, &among, app.now()).await?, choices_of(db, &among).await?);
    let can_sms = app.gateways.sms.is_set_up();
    let (mut silent, mut texted) = (HashMap::new(), HashSet::new());
    for person in people {
        let (by_wechat, by_sms) = choices.get(person).map_or((true, true), |one| (one.by_wechat, one.by_sms));
        let (has_wechat, has_number) = (wechat.contains(person), can_sms && numbers.contains_key(person));
        if has_number && by_sms {
            texted.insert(*person);
        } else if !has_wechat || !by_wechat {
            silent.insert(*person, if has_wechat || has_number { UNSUBSCRIBED } else { NO_ADDRESS });
        }
    }
    Ok((silent, texted))
}
