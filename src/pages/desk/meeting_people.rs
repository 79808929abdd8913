//! Who is to come to a meeting and who came: the screen at its door, and the list against which it is counted.
use std::collections::HashSet;

use askama::Template;
use axum::{extract::State, http::HeaderMap, response::Response};

use super::{
    frame::{Clerk, Desk},
    sheets::{FOUND, Find, Found},
};
use crate::{
    app::{App, Path},
    bodies, clock,
    error::{Code, Result},
    ids::{MeetingId, PersonId},
    meetings::{self, Audience, ChangeList, ListedView, MeetingView},
    pages::{
        codes,
        fields::Fields,
        layout::{Page, render},
        words::Words,
    },
    people, text,
};

#[derive(Template)]
#[template(path = "desk/meeting_door.html")]
struct DoorPage {
    page: Page,
    desk: Desk,
    meeting: MeetingView,
    picture: String,
    shown_secs: i64,
}

/// The screen at the door: it asks for itself again when the next code is due, without a script.
pub(super) async fn door(
    State(app): State<App>,
    clerk: Clerk,
    Path(id): Path<MeetingId>,
    headers: HeaderMap,
) -> Result<Response> {
    let meeting = meetings::queries::meeting(app.store.read(), id).await?;
    clerk.sits_over(&meeting.area_code)?;
    let code = meetings::queries::door_code(&app, &clerk.actor, id).await?;
    let picture = codes::drawn(&codes::whole(&app, &headers, &code.path), 420)?;
    Ok(render(&DoorPage {
        page: clerk.page(text::say("desk-door")).at(format!("/desk/meetings/{id}/door")),
        desk: clerk.desk(),
        picture,
        shown_secs: code.shown_secs,
        meeting,
    }))
}

/// The list of a meeting, and what may be written down about it.
#[derive(Default)]
pub(super) struct Roll {
    /// Who is on it.
    pub(super) people: Vec<ListedView>,
    /// Who came to the body since, or left it, each as the form sends it back.
    pub(super) changed: Vec<(String, String)>,
}

impl Roll {
    /// Who is still on it and sits nowhere any more: they count, so they sign in.
    pub(super) fn others(&self, awaited: &[bodies::SeatView], found: &[Found]) -> Vec<Found> {
        let is_known = |person: PersonId| {
            awaited.iter().any(|seat| seat.person_id == person) || found.iter().any(|one| one.id == person)
        };
        let others = self.people.iter().filter(|one| !is_known(one.person_id));
        others.map(|one| Found { id: one.person_id, label: one.name.clone() }).collect()
    }

    /// Who is on it by that name and was not found in the village: a member of the collective may live elsewhere.
    pub(super) fn named(&self, find: &Find, found: &[Found]) -> Vec<Found> {
        let words = find.words();
        let words = words.trim();
        let is_known = |person: PersonId| found.iter().any(|one| one.id == person);
        let fits = |one: &&ListedView| !words.is_empty() && one.name.contains(words) && !is_known(one.person_id);
        let named = self.people.iter().filter(fits).take(FOUND);
        named.map(|one| Found { id: one.person_id, label: one.name.clone() }).collect()
    }
}

/// The list, for who holds the meeting.
pub(super) async fn roll(app: &App, meeting: &MeetingView, list: Option<Vec<ListedView>>) -> Result<Roll> {
    let Some(people) = list else { return Ok(Roll::default()) };
    let (db, now) = (app.store.read(), app.now());
    let entitled: HashSet<PersonId> = match meeting.audience {
        Audience::Members => {
            bodies::members::voting(db, meeting.body_id, (now, meeting.starts_at.date_naive())).await?
        }
        Audience::Representatives => bodies::representatives(db, &meeting.area_code, clock::local_date(now)).await?,
        Audience::Villagers | Audience::Group => HashSet::new(),
    };
    if meeting.starts_at <= clock::local(now) {
        return Ok(Roll { people, changed: Vec::new() });
    }
    let is_listed = |person: &PersonId| people.iter().any(|one| one.person_id == *person);
    let came: Vec<PersonId> = entitled.iter().filter(|person| !is_listed(person)).copied().collect();
    let names = people::names(db, came).await?;
    let said = |key: &str, name: &str| text::say_with(key, &[("name", name.into())]);
    let mut changed: Vec<(String, String)> =
        names.iter().map(|(id, name)| (format!("in/{id}"), said("desk-list-came", name))).collect();
    let left = people.iter().filter(|one| !entitled.contains(&one.person_id));
    changed.extend(left.map(|one| (format!("out/{}", one.person_id), said("desk-list-left", &one.name))));
    changed.sort();
    Ok(Roll { people, changed })
}

/// Writes down a change of the list.
pub(super) async fn change(app: &App, clerk: &Clerk, id: MeetingId, fields: &Fields) -> Result<()> {
    let change: String = fields.required("change")?;
    let (way, person) = change.split_once('/').ok_or(Code::InvalidRequest)?;
    let input = ChangeList {
        person_id: person.parse().map_err(|_| Code::InvalidRequest)?,
        is_entered: way == "in",
        reason: fields.text("reason").to_owned(),
    };
    let change = app.once(clerk.actor.clone(), fields.key(), "change_meeting_list", (id, input), |tx, actor, input| {
        Box::pin(meetings::commands::change_list(tx, actor, input))
    });
    change.await.map(drop)
}

/// Who belongs to the body without a seat, as far as those awaited by their seats are not meant.
pub(super) async fn without_seat(
    app: &App,
    clerk: &Clerk,
    meeting: &MeetingView,
    awaited: &[bodies::SeatView],
) -> Result<Vec<Found>> {
    let all = bodies::members::list(app.store.read(), &clerk.actor, meeting.body_id).await?;
    let is_seated = |person: PersonId| awaited.iter().any(|seat| seat.person_id == person);
    let others = all.into_iter().filter(|one| !is_seated(one.person_id));
    Ok(others.map(|one| Found { id: one.person_id, label: one.name }).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_long_list_as_many_are_found_as_of_the_village() {
        let one = |_| ListedView { person_id: PersonId::new(), name: "费小兰".to_owned() };
        let roll = Roll { people: (0..1000).map(one).collect(), changed: Vec::new() };
        let named = |words: &str| roll.named(&Find::named(Some(words.to_owned())), &[]).len();
        assert_eq!((named("费"), named("欧阳"), named(" ")), (FOUND, 0, 0));
    }
}
