//! What waits for the clerk: reports, held messages, objections to rolls, challenges of results, boxes to be counted; and for who
//! speaks for a town what bodies below it have not answered in time.
use super::{Clerk, Due, Todo};
use crate::{
    actor::HeldSeat,
    app::App,
    bodies::{self, Right},
    clock,
    error::Result,
    matters::{self, InvitationView, MatterSummary},
    moderation,
    pages::layout::encode,
    reports,
    suggestions::by_body::{self, LateBelow},
    text,
    votes::queries::at_office::{AtOffice, Said, at_office},
};

/// Reported messages and those that are looked at before they are shown, a line for each area.
pub(super) async fn messages(app: &App, clerk: &Clerk) -> Result<Vec<Todo>> {
    let areas = bodies::areas_with(&clerk.actor, Right::Moderate);
    let db = app.store.read();
    let reported = reports::queries::open_by_area(db, areas.clone()).await?;
    let held = moderation::queries::waiting_by_area(db, areas).await?;
    let todo = |key: &str, path: &str, (area, count): (String, i64)| Todo {
        title: text::say_with(key, &[("n", count.into())]),
        notes: Vec::new(),
        from: String::new(),
        due: None,
        next: text::say("desk-look"),
        link: format!("{path}?area={}", encode(&area)),
    };
    let reported = reported.into_iter().map(|one| todo("desk-todo-reports", "/desk/reports", one));
    let held = held.into_iter().map(|one| todo("desk-todo-held", "/desk/held", one));
    Ok(reported.chain(held).collect())
}

/// Objections to rolls, challenges of results, boxes to be counted and votes that rest since a backup was
/// loaded, or whose boards do, a line for each vote.
pub(super) async fn about_votes(app: &App, clerk: &Clerk) -> Result<Vec<Todo>> {
    let todo = |one: AtOffice| {
        let (key, page) = match one.said {
            Said::Objection => ("desk-todo-roll-objections", "/roll"),
            Said::Strike => ("desk-todo-roll-strikes", "/roll"),
            Said::Challenge => ("desk-todo-challenges", ""),
            Said::Count => ("desk-todo-paper", "/paper"),
            Said::Restored => ("desk-todo-restored", ""),
            Said::Halted => ("desk-todo-halted", ""),
        };
        Todo {
            title: one.question,
            notes: vec![text::say_with(key, &[("n", one.count.into())])],
            from: String::new(),
            due: Some(Due::seen(one.due_at, app.now())),
            next: text::say("desk-look"),
            link: format!("/desk/votes/{}{page}", one.vote_id),
        }
    };
    let waiting = at_office(app.store.read(), &clerk.actor, (&app.calendar, app.now())).await?;
    Ok(waiting.into_iter().map(todo).collect())
}

/// Voices that are late with bodies below a town's office: it was told of each, and does not read them.
pub(super) async fn late_below(app: &App, clerk: &Clerk) -> Result<Vec<Todo>> {
    let todo = |one: LateBelow| Todo {
        title: text::say_with("desk-todo-late-below", &[("n", one.count.into())]),
        notes: Vec::new(),
        from: one.body_name,
        due: Some(Due::seen(one.due_at, app.now())),
        next: text::say("desk-todo-late-below-do"),
        link: format!("/desk/bodies?area={}", one.area_code),
    };
    let speaks = |seat: &&HeldSeat| seat.body_kind == "town_office" && bodies::SPEAKERS.contains(&seat.role.as_str());
    let areas: Vec<String> =
        clerk.actor.seats.iter().filter(speaks).flat_map(|seat| seat.areas.iter().cloned()).collect();
    let mut todos = Vec::new();
    for area in &areas {
        let late = by_body::late_below(app.store.read(), &clerk.actor, (area, app.now())).await?;
        todos.extend(late.into_iter().map(todo));
    }
    Ok(todos)
}

/// Matters that a body which the clerk leads is asked to deliberate, too: to take part there, or to say why not.
pub(super) async fn invitations(app: &App, clerk: &Clerk) -> Result<Vec<Todo>> {
    let todo = |(matter, asked): (MatterSummary, InvitationView)| Todo {
        title: matter.title,
        notes: vec![text::say_with("desk-todo-invited", &[("body", asked.body_name.into())])],
        from: matter.number,
        due: Some(Due::seen(clock::local(clock::end_of_day(asked.due_on)), app.now())),
        next: text::say("desk-todo-invited-do"),
        link: format!("/matters/{}#invitations", matter.id),
    };
    let waiting = matters::queries::waiting_for(app, &clerk.actor).await?;
    Ok(waiting.into_iter().map(todo).collect())
}
