//! Setting up bodies: founding one, beginning its term, and what a committee lets a council do in its name.
use std::collections::HashMap;

use askama::Template;
use chrono::{DateTime, FixedOffset, NaiveDate, TimeDelta};
use sea_orm::Iterable;

use super::{
    frame::{Clerk, Draft},
    matters::under_way,
};
use crate::{
    app::App,
    areas::{self, AreaName, TOWN_CODE, VILLAGE_CODE},
    bodies::{
        self, BodyForm, BodyKind, BodyView, By, EndMandate, FoundBody, GiveMandate, Mandate, OpenTerm, Right, Role,
        TermView,
        early::{EarlyTerm, elections},
        queries::mandates_from,
        rules::fits_level,
    },
    clock,
    error::{Checks, Result},
    ids::{BodyId, MandateId, MatterId, VoteId},
    matters::{self, MatterSummary},
    pages::{
        fields::Fields,
        words::{Words, calendar_day},
    },
    people, text, votes,
};

/// The forms, under the list of bodies; nothing for who may do none of it.
#[derive(Template)]
#[template(path = "desk/founding.html")]
pub(super) struct Founding {
    draft: Draft,
    area: String,
    may_manage: bool,
    /// Kinds that fit the area: code and name.
    kinds: Vec<(&'static str, String)>,
    /// What a council may be: code and name.
    forms: Vec<(&'static str, String)>,
    /// The other villages of the town: a council may cover several.
    neighbours: Vec<AreaName>,
    /// Every body here: id and name.
    bodies: Vec<(String, String)>,
    /// Terms that are not over.
    terms: Vec<(String, String)>,
    /// Results by which a body here was elected: the vote, and what it asked.
    elections: Vec<(String, String)>,
    /// Committees in whose name the clerk may let a council act.
    committees: Vec<(String, String)>,
    councils: Vec<(String, String)>,
    /// Matters under way, where a council may be let publish.
    matters: Vec<MatterSummary>,
}

impl Founding {
    /// Of this area.
    pub(super) async fn of(
        app: &App,
        clerk: &Clerk,
        (area, here, terms): (&str, &[BodyView], &[TermView]),
        draft: &Draft,
    ) -> Result<Self> {
        let may_manage = clerk.may(Right::ManageBodies, area);
        let committees: Vec<_> = here
            .iter()
            .filter(|view| view.body.kind == BodyKind::VillageCommittee && (may_manage || leads(clerk, view)))
            .map(name)
            .collect();
        let councils: Vec<_> = here.iter().filter(|view| view.body.kind == BodyKind::Council).map(name).collect();
        let gives = !committees.is_empty() && !councils.is_empty();
        Ok(Self {
            draft: draft.clone(),
            area: area.to_owned(),
            kinds: if may_manage { kinds(app, area).await? } else { Vec::new() },
            forms: forms(),
            neighbours: if may_manage { neighbours(app, area).await? } else { Vec::new() },
            bodies: here.iter().map(name).collect(),
            elections: if may_manage { elected(app, here).await? } else { Vec::new() },
            terms: terms.iter().map(|term| (term.id.to_string(), term_of(here, term))).collect(),
            matters: if gives { under_way(app, area).await? } else { Vec::new() },
            committees,
            councils,
            may_manage,
        })
    }
}

async fn elected(app: &App, here: &[BodyView]) -> Result<Vec<(String, String)>> {
    let db = app.store.read();
    let mut told = Vec::new();
    for one in elections(db, here.iter().map(|view| view.body.id).collect()).await? {
        let question = votes::queries::vote(db, one.vote).await?.question;
        told.push((one.vote.to_string(), format!("{} {question}", one.stood_on)));
    }
    Ok(told)
}

/// What stands in a list to choose from.
fn name(view: &BodyView) -> (String, String) {
    (view.body.id.to_string(), view.body.name.clone())
}

fn leads(clerk: &Clerk, view: &BodyView) -> bool {
    clerk.actor.seats.iter().any(|seat| seat.body_id == view.body.id && seat.role == Role::Chair.as_str())
}

async fn kinds(app: &App, area: &str) -> Result<Vec<(&'static str, String)>> {
    let level = areas::get(app.store.read(), area).await?.level;
    let fitting = BodyKind::iter().filter(|kind| fits_level(*kind, level));
    Ok(fitting.map(|kind| (kind.as_str(), text::word("body-kind", kind.as_str()))).collect())
}

/// The forms of a council: code and name.
pub(super) fn forms() -> Vec<(&'static str, String)> {
    BodyForm::iter().map(|form| (form.as_str(), text::word("body-form", form.as_str()))).collect()
}

async fn neighbours(app: &App, area: &str) -> Result<Vec<AreaName>> {
    let Some(town) = area.get(..TOWN_CODE).filter(|_| area.len() == VILLAGE_CODE) else { return Ok(Vec::new()) };
    let below = areas::queries::children(app.store.read(), Some(town)).await?;
    let others = below.into_iter().filter(|one| one.level.is_village() && one.valid_to.is_none() && one.code != area);
    Ok(others.map(|one| AreaName { code: one.code, name: one.name }).collect())
}

/// The terms of these bodies that are not over, the last one first.
pub(super) async fn terms(app: &App, here: &[BodyView]) -> Result<Vec<TermView>> {
    let ids = here.iter().map(|view| view.body.id).collect();
    let mut terms = bodies::queries::terms(app.store.read(), Some(ids)).await?;
    let today = clock::local_date(app.now());
    terms.retain(|term| term.ends_on >= today);
    Ok(terms)
}

/// A term with the name of its body.
pub(super) fn term_of(here: &[BodyView], term: &TermView) -> String {
    let of = here.iter().find(|view| view.body.id == term.body_id);
    let body = of.map(|view| view.body.name.as_str()).unwrap_or_default();
    format!("{body} {}", term_line(term))
}

/// Which one it is, and its days.
pub(super) fn term_line(term: &TermView) -> String {
    let blanks = [
        ("n", term.number.into()),
        ("from", calendar_day(term.starts_on).into()),
        ("to", calendar_day(term.ends_on).into()),
    ];
    text::say_with("desk-term-line", &blanks)
}

/// What a committee let a council do.
pub(super) struct Given {
    pub(super) id: String,
    /// Who lets whom do what, until when.
    pub(super) sentence: String,
    /// When it was ended before that, by whom and why.
    pub(super) ended: Option<String>,
    pub(super) may_end: bool,
}

/// What the committees among these bodies let councils do now, or from some day on, and what of it they ended.
pub(super) async fn mandates(app: &App, clerk: &Clerk, (area, here): (&str, &[BodyView])) -> Result<Vec<Given>> {
    let db = app.store.read();
    let given = mandates_from(db, here.iter().map(|view| view.body.id).collect(), app.now()).await?;
    let ids = given.iter().flat_map(|one| [one.from_body_id, one.to_body_id]).collect();
    let names = bodies::queries::names(db, ids).await?;
    let about: Vec<MatterId> = given.iter().filter_map(|one| one.subject_id.as_deref()?.parse().ok()).collect();
    let titles = matters::queries::titles(db, about).await?;
    let who = people::names(db, given.iter().filter_map(|one| one.ended_by).collect()).await?;
    let may_manage = clerk.may(Right::ManageBodies, area);
    let may_end = |one: &Mandate| {
        let from = here.iter().find(|view| view.body.id == one.from_body_id);
        one.ended_at.is_none() && (may_manage || from.is_some_and(|view| leads(clerk, view)))
    };
    let show = |one: &Mandate| {
        let title = one.subject_id.as_deref().and_then(|id| titles.get(&id.parse::<MatterId>().ok()?)).cloned();
        let by = one.ended_by.and_then(|id| who.get(&id)).cloned().unwrap_or_default();
        Given {
            id: one.id.to_string(),
            sentence: given_sentence(one, &names, title.unwrap_or_default()),
            ended: one.ended_at.map(|at| ended_sentence(one, at, by)),
            may_end: may_end(one),
        }
    };
    Ok(given.iter().map(show).collect())
}

fn given_sentence(one: &Mandate, names: &HashMap<BodyId, String>, title: String) -> String {
    let called = |id: &BodyId| names.get(id).cloned().unwrap_or_default();
    let day = |at: DateTime<FixedOffset>| calendar_day(at.date_naive());
    let blanks = [
        ("from", called(&one.from_body_id).into()),
        ("to", called(&one.to_body_id).into()),
        ("source", one.source.as_str().into()),
        ("begins", day(one.starts_at).into()),
        ("ends", one.ends_at.map(|at| day(at - TimeDelta::seconds(1))).unwrap_or_default().into()),
        ("title", title.into()),
    ];
    let key = match (one.subject_id.is_some(), one.ends_at.is_some()) {
        (true, true) => "desk-given-until-for",
        (true, false) => "desk-given-for",
        (false, true) => "desk-given-until",
        (false, false) => "desk-given",
    };
    text::say_with(key, &blanks)
}

fn ended_sentence(one: &Mandate, at: DateTime<FixedOffset>, who: String) -> String {
    let reason = one.end_reason.as_deref().unwrap_or_default();
    let day = calendar_day(at.date_naive());
    text::say_with("desk-given-ended", &[("day", day.into()), ("who", who.into()), ("reason", reason.into())])
}

/// Founds a body here, and in the other villages that were chosen.
pub(super) async fn found(app: &App, clerk: &Clerk, fields: &Fields) -> Result<()> {
    let mut areas = vec![fields.text("area").to_owned()];
    areas.extend(fields.all("also").map(str::to_owned));
    let input = FoundBody {
        kind: fields.choice("kind")?,
        name: fields.text("name").to_owned(),
        areas,
        founded_on: fields.optional("founded_on")?,
        form: fields.given("form").map(|_| fields.choice("form")).transpose()?,
    };
    let found = app.once(clerk.actor.clone(), fields.key(), "found_body", input, |tx, actor, input| {
        Box::pin(bodies::found_body(tx, By::Actor(actor), input))
    });
    found.await.map(drop)
}

/// Begins a term of a body.
pub(super) async fn begin_term(app: &App, clerk: &Clerk, fields: &Fields) -> Result<()> {
    let body: BodyId = fields.required("body_id")?;
    let by: Option<VoteId> = fields.optional("early.vote_id")?;
    let input = OpenTerm {
        number: fields.required("number")?,
        starts_on: fields.optional("starts_on")?,
        ends_on: fields.optional("ends_on")?,
        follows_term_id: fields.optional("follows_term_id")?,
        early: by.map(|vote_id| EarlyTerm { vote_id, reason: fields.text("early.reason").to_owned() }),
    };
    let open = app.once(clerk.actor.clone(), fields.key(), "open_term", (body, input), |tx, actor, input| {
        Box::pin(bodies::open_term(tx, By::Actor(actor), input))
    });
    open.await.map(drop)
}

/// Lets a council act in the name of a committee, to the end of a day.
pub(super) async fn give(app: &App, clerk: &Clerk, fields: &Fields) -> Result<()> {
    let last: NaiveDate = fields.required("ends_on")?;
    let mut checks = Checks::default();
    checks.day("ends_on", last);
    checks.done()?;
    let input = GiveMandate {
        from_body_id: fields.required("from_body_id")?,
        to_body_id: fields.required("to_body_id")?,
        scope: fields.text("scope").to_owned(),
        subject_id: fields.given("subject_id").map(str::to_owned),
        source: fields.text("source").to_owned(),
        starts_at: None,
        ends_at: Some(clock::local(clock::end_of_day(last))),
    };
    let give = app.once(clerk.actor.clone(), fields.key(), "give_mandate", input, |tx, actor, input| {
        Box::pin(bodies::give_mandate(tx, actor, input))
    });
    give.await.map(drop)
}

/// Ends that before the day.
pub(super) async fn end(app: &App, clerk: &Clerk, fields: &Fields) -> Result<()> {
    let id: MandateId = fields.required("mandate_id")?;
    let input = (id, EndMandate { reason: fields.text("reason").to_owned() });
    let end = app.once(clerk.actor.clone(), fields.key(), "end_mandate", input, |tx, actor, input| {
        Box::pin(bodies::end_mandate(tx, actor, input))
    });
    end.await.map(drop)
}
