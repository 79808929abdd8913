//! Who plays: the roster, the bodies and their seats.
use std::collections::HashMap;

use chrono::{Datelike, NaiveDate, TimeDelta};

use super::{DAYS, VILLAGE, together::NEXT};
use crate::{
    actor::Actor,
    app::App,
    bodies::{
        self, BodyForm, BodyKind, By, Role,
        commands::{FoundBody, OpenTerm, TakeSeat},
    },
    clock,
    error::{Error, Result},
    ids::{BodyId, PersonId, SessionId},
    people::{self, RosterFile},
    store::Tx,
    text,
};

/// Body, kind and areas; then its seats: role and number on the roster.
struct Body {
    key: &'static str,
    kind: BodyKind,
    areas: &'static [&'static str],
    seats: &'static [(Role, &'static str)],
}

const BODIES: &[Body] = &[
    Body { key: "county", kind: BodyKind::CountyOffice, areas: &["330521"], seats: &[(Role::Clerk, "02798")] },
    Body { key: "town", kind: BodyKind::TownOffice, areas: &["330521103"], seats: &[(Role::Clerk, "02160")] },
    Body {
        key: "committee",
        kind: BodyKind::VillageCommittee,
        areas: &[VILLAGE],
        seats: &[
            (Role::Chair, "00358"),
            (Role::ViceChair, "00551"),
            (Role::Clerk, "00405"),
            (Role::Member, "01086"),
            (Role::GridWorker, "00454"),
            (Role::LegalOfficer, "00036"),
        ],
    },
    Body { key: "branch", kind: BodyKind::PartyBranch, areas: &[VILLAGE], seats: &[(Role::Chair, "00294")] },
    Body {
        key: "supervision",
        kind: BodyKind::SupervisionCommittee,
        areas: &[VILLAGE],
        seats: &[(Role::Chair, "01163"), (Role::Member, "00692")],
    },
    Body {
        key: "council",
        kind: BodyKind::Council,
        areas: &[VILLAGE],
        seats: &[
            (Role::Chair, "02546"),
            (Role::ViceChair, "02037"),
            (Role::Secretary, "00294"),
            (Role::Member, "02607"),
            (Role::Member, "02642"),
            (Role::Member, "02344"),
            (Role::Member, "01399"),
        ],
    },
    // who comes from here keeps the neighbours' council
    Body { key: "neighbour", kind: BodyKind::Council, areas: &[NEXT], seats: &[(Role::Secretary, "02037")] },
    Body {
        key: "joint",
        kind: BodyKind::JointMeeting,
        areas: &[VILLAGE, NEXT],
        seats: &[(Role::Member, "00294"), (Role::Member, "02037")],
    },
    Body {
        key: "representatives",
        kind: BodyKind::Representatives,
        areas: &[VILLAGE],
        seats: &[
            (Role::Member, "00001"),
            (Role::Member, "00047"),
            (Role::Member, "00081"),
            (Role::Member, "00131"),
            (Role::Member, "00185"),
            (Role::Member, "00236"),
            (Role::Member, "00493"),
            (Role::Member, "00620"),
            (Role::Member, "00664"),
            (Role::Member, "00753"),
            (Role::Member, "00789"),
            (Role::Member, "00849"),
            (Role::Member, "00901"),
            (Role::Member, "00950"),
            (Role::Member, "01036"),
            (Role::Member, "01128"),
            (Role::Member, "01201"),
            (Role::Member, "01236"),
            (Role::Member, "01294"),
            (Role::Member, "01328"),
            (Role::Member, "01431"),
        ],
    },
];

/// Whom the greeting names: key of the words for the role, and number on the roster.
const LOG_INS: &[(&str, &str)] = &[
    ("demo-role-resident", "00022"),
    ("demo-role-author", "00034"),
    ("demo-role-representative", "00001"),
    ("demo-role-clerk", "00405"),
    ("demo-role-chair", "00358"),
    ("demo-role-council", "02546"),
    ("demo-role-branch", "00294"),
    ("demo-role-supervision", "01163"),
    ("demo-role-grid", "00454"),
    ("demo-role-law", "00036"),
    ("demo-role-skilled", "02344"),
    ("demo-role-neighbour", "02037"),
    ("demo-role-town", "02160"),
    ("demo-role-county", "02798"),
];

/// Everybody by number on the roster, and the bodies by key.
pub(super) struct Cast {
    people: HashMap<String, PersonId>,
    bodies: HashMap<&'static str, BodyId>,
}

impl Cast {
    /// The person with this number, as an actor with the seats held today.
    pub(super) async fn actor(&self, app: &App, number: &str) -> Result<Actor> {
        let person = self.person(number)?;
        let seats = bodies::seats_of(app.store.read(), person, app.now()).await?;
        let known = people::person(app.store.read(), person).await?;
        let name = known.map(|resident| resident.name).unwrap_or_default();
        let (session, area) = (SessionId::new(), VILLAGE.to_owned());
        Ok(Actor { person, session, name, area, seats, phone_listed_at: None })
    }

    pub(super) fn person(&self, number: &str) -> Result<PersonId> {
        self.people.get(number).copied().ok_or_else(|| Error::broken(format!("the demo's roster has no {number}")))
    }

    pub(super) fn body(&self, key: &str) -> Result<BodyId> {
        self.bodies.get(key).copied().ok_or_else(|| Error::broken(format!("the demo has no body {key}")))
    }
}

/// Is the story there already?
pub(super) async fn is_seated(app: &App) -> Result<bool> {
    Ok(bodies::committee(app.store.read(), VILLAGE).await?.is_some())
}

/// The roster.
pub(super) async fn import(app: &App, csv: &'static [u8]) -> Result<()> {
    let file = RosterFile { bytes: csv.into(), area: Some(VILLAGE.to_owned()), imported_by: None, confirm_left: None };
    people::import_roster(app, file).await?;
    Ok(())
}

/// Founds the bodies and fills the seats.
pub(super) async fn seat(app: &App) -> Result<Cast> {
    let residents = people::residents(app.store.read(), VILLAGE).await?;
    let people = residents.into_iter().map(|resident| (resident.roster_number, resident.id)).collect();
    let mut cast = Cast { people, bodies: HashMap::new() };
    let today = clock::local_date(app.now());
    // the village committee's term: five years (organic law, article 11), elected in January
    let begins = NaiveDate::from_ymd_opt(today.year(), 1, 15).filter(|day| *day <= today).unwrap_or(today);
    let ends = NaiveDate::from_ymd_opt(begins.year() + 5, 1, 14).unwrap_or(begins);
    // that of its council three years, over two months from when the demo is started: the next election is drafted
    let council_ends = today + TimeDelta::days(DAYS + 60);
    let council = (council_ends - TimeDelta::days(3 * 365), council_ends);
    for body in BODIES {
        let name = text::word("demo-body", body.key);
        let (begins, ends) = if body.key == "council" { council } else { (begins, ends) };
        let form = (body.kind == BodyKind::Council).then_some(BodyForm::SingleVillage);
        let areas = body.areas.iter().map(|area| (*area).to_owned()).collect();
        let found = FoundBody { kind: body.kind, name, areas, founded_on: Some(begins), form };
        let people =
            body.seats.iter().map(|(role, number)| Ok((*role, cast.person(number)?))).collect::<Result<Vec<_>>>()?;
        let id = app.store.write(move |tx| Box::pin(fill(tx, found, people, (begins, ends)))).await?;
        cast.bodies.insert(body.key, id);
    }
    Ok(cast)
}

async fn fill(
    tx: &Tx,
    found: FoundBody,
    people: Vec<(Role, PersonId)>,
    (begins, ends): (NaiveDate, NaiveDate),
) -> Result<BodyId> {
    let is_council = found.kind == BodyKind::Council;
    let body = bodies::found_body(tx, By::Operator, found).await?.body.id;
    let term = OpenTerm { number: 1, starts_on: Some(begins), ends_on: Some(ends), follows_term_id: None, early: None };
    let term = bodies::open_term(tx, By::Operator, (body, term)).await?.id;
    for (role, person_id) in people {
        let seat = TakeSeat {
            person_id,
            term_id: Some(term),
            role,
            kind: None,
            nomination: None,
            route: None,
            starts_on: Some(begins),
            ends_on: None,
            reason: None,
            service_group: (is_council && role == Role::Member).then(|| text::say("demo-service-group")),
        };
        bodies::take_seat(tx, By::Operator, (body, seat)).await?;
    }
    Ok(body)
}

/// Role, name and phone of those whom the greeting names.
pub(super) fn phones(csv: &'static [u8], today: NaiveDate) -> Result<Vec<(String, String, String)>> {
    let rows = people::roster::parse(csv, today)?;
    let line = |(role, number): &(&str, &str)| {
        let row = rows.iter().find(|row| row.person_no == *number)?;
        Some((text::say(role), row.name.clone(), row.phone.clone()?))
    };
    Ok(LOG_INS.iter().filter_map(line).collect())
}
