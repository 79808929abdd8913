//! Mediations on the desk, for the legal officer who holds them: opened, ended, looked at again.
use askama::Template;
use axum::{extract::State, response::Response};
use sea_orm::Iterable;

use super::frame::{Clerk, Desk, Draft, named, villages};
use crate::{
    app::{App, Path},
    areas::AreaName,
    bodies::{self, Right},
    error::{Checks, Code, Result},
    ids::{MediaId, MediationId, PersonId},
    legal::{
        mediations::{self, EndMediation, FollowUp, MediationParty, MediationView, OpenMediation},
        rules::{MediationState, Standing, may_end},
    },
    pages::{
        fields::{Fields, Form, Sent, with_files},
        layout::{Page, render_as, see},
        words::{Words, wire},
    },
    people::{self, queries::Named},
    text,
};

/// Slots of the form; who needs more sends two names in the words.
const SLOTS: [&str; 4] = ["0", "1", "2", "3"];

#[derive(Template)]
#[template(path = "desk/legal_mediations.html")]
struct MediationsPage {
    page: Page,
    desk: Desk,
    draft: Draft,
    rows: Vec<MediationView>,
    /// Where the officer may open one.
    villages: Vec<AreaName>,
    slots: [&'static str; 4],
}

/// Those that the officer holds, and the form for another.
pub(super) async fn list(State(app): State<App>, clerk: Clerk) -> Result<Response> {
    listed(&app, &clerk, Draft::default()).await
}

async fn listed(app: &App, clerk: &Clerk, draft: Draft) -> Result<Response> {
    let db = app.store.read();
    let areas = bodies::areas_with(&clerk.actor, Right::NoteLegality);
    if areas.is_empty() {
        return Err(Code::NotAllowed.into());
    }
    let mut codes = villages(db, areas).await?;
    codes.sort();
    let mut rows = mediations::list(db, &app.keys, &clerk.actor).await?;
    rows.retain(|one| one.is_officer);
    let shown = MediationsPage {
        page: clerk.page(text::say("desk-mediations")).at("/desk/legal/mediations"),
        desk: clerk.desk(),
        draft,
        rows,
        villages: named(db, codes).await?,
        slots: SLOTS,
    };
    Ok(render_as(shown.draft.status(), &shown))
}

/// Opens one.
pub(super) async fn open(State(app): State<App>, clerk: Clerk, fields: Fields) -> Result<Response> {
    match opened(&app, &clerk, &fields).await {
        Ok(id) => Ok(see(&format!("/desk/legal/mediations/{id}"))),
        Err(error) => listed(&app, &clerk, Draft::refused("open", fields, error)?).await,
    }
}

async fn opened(app: &App, clerk: &Clerk, fields: &Fields) -> Result<MediationId> {
    let area = fields.text("area_code").to_owned();
    bodies::require(&clerk.actor, Right::NoteLegality, &area)?;
    let mut parties = Vec::new();
    let mut checks = Checks::default();
    for slot in SLOTS {
        let name = format!("name.{slot}");
        match (fields.given(&name), fields.given(&format!("number.{slot}"))) {
            (None, None) => {}
            // nobody is left out for a name that was not typed
            (None, Some(_)) => checks.wrong(name, "required"),
            (Some(called), None) => parties.push(MediationParty { person_id: None, name: called.to_owned() }),
            // both must be right: whoever is taken for another would read it
            (Some(called), Some(number)) => match found(app, &area, (called, number)).await? {
                Some(id) => parties.push(MediationParty { person_id: Some(id), name: called.to_owned() }),
                None => checks.wrong(name, "not_on_roster"),
            },
        }
    }
    checks.done()?;
    let input = OpenMediation { area_code: area, about: fields.text("about").to_owned(), parties };
    let open = app.once(clerk.actor.clone(), fields.key(), "open_mediation", input, |tx, actor, input| {
        Box::pin(mediations::open(tx, actor, input))
    });
    open.await
}

async fn found(app: &App, area: &str, (name, number): (&str, &str)) -> Result<Option<PersonId>> {
    match people::queries::named(app.store.read(), &[area.to_owned()], (name, Some(number))).await? {
        Named::One(id) => Ok(Some(id)),
        Named::Nobody | Named::Several => Ok(None),
    }
}

#[derive(Template)]
#[template(path = "desk/legal_mediation.html")]
struct MediationPage {
    page: Page,
    desk: Desk,
    draft: Draft,
    one: MediationView,
    /// Photos that were sent along with a form that was refused.
    kept: Vec<MediaId>,
    /// How it may end.
    states: Vec<String>,
}

impl MediationPage {
    fn is_open(&self) -> bool {
        self.one.state == MediationState::Opened
    }
}

/// One of them. Whoever it is held for reads it elsewhere, without a desk.
pub(super) async fn show(State(app): State<App>, clerk: Clerk, Path(id): Path<MediationId>) -> Result<Response> {
    shown(&app, &clerk, id, (Vec::new(), Draft::default())).await
}

async fn held(app: &App, clerk: &Clerk, id: MediationId) -> Result<MediationView> {
    let one = mediations::read(app.store.read(), &app.keys, &clerk.actor, id).await?;
    if one.is_officer { Ok(one) } else { Err(Code::NotFound.into()) }
}

async fn shown(app: &App, clerk: &Clerk, id: MediationId, (kept, draft): (Vec<MediaId>, Draft)) -> Result<Response> {
    let one = held(app, clerk, id).await?;
    let shown = MediationPage {
        page: clerk.page(text::say("desk-mediation")).at(format!("/desk/legal/mediations/{id}")),
        desk: clerk.desk(),
        draft,
        one,
        kept,
        states: MediationState::iter().filter(|state| may_end(Standing::Officer, *state)).map(wire).collect(),
    };
    Ok(render_as(shown.draft.status(), &shown))
}

/// How it ended.
pub(super) async fn end(
    State(app): State<App>,
    clerk: Clerk,
    Path(id): Path<MediationId>,
    form: Form,
) -> Result<Response> {
    // of one that is hidden it is not told what was wrong with a form about it, and no file for it is kept
    held(&app, &clerk, id).await?;
    let mut sent = with_files(&app, &clerk.actor, form).await?;
    match ended(&app, &clerk, id, &mut sent).await {
        Ok(()) => Ok(see(&format!("/desk/legal/mediations/{id}"))),
        Err(error) => shown(&app, &clerk, id, Draft::refused_with("end", sent, error)?).await,
    }
}

async fn ended(app: &App, clerk: &Clerk, id: MediationId, sent: &mut Sent) -> Result<()> {
    sent.whole()?;
    let fields = &sent.fields;
    let input = EndMediation {
        state: fields.choice("state")?,
        outcome: fields.text("outcome").to_owned(),
        agreement: fields.text("agreement").to_owned(),
        photos: sent.media(),
        follow_up_on: fields.optional("follow_up_on")?,
    };
    let end = app.once(clerk.actor.clone(), fields.key(), "end_mediation", (id, input), |tx, actor, input| {
        Box::pin(mediations::end(tx, actor, input))
    });
    end.await
}

/// What was found when it was looked at again.
pub(super) async fn follow_up(
    State(app): State<App>,
    clerk: Clerk,
    Path(id): Path<MediationId>,
    fields: Fields,
) -> Result<Response> {
    held(&app, &clerk, id).await?;
    match followed(&app, &clerk, (id, &fields)).await {
        Ok(()) => Ok(see(&format!("/desk/legal/mediations/{id}"))),
        Err(error) => shown(&app, &clerk, id, (Vec::new(), Draft::refused("follow", fields, error)?)).await,
    }
}

async fn followed(app: &App, clerk: &Clerk, (id, fields): (MediationId, &Fields)) -> Result<()> {
    let input = (id, FollowUp { text: fields.text("text").to_owned(), next_on: fields.optional("next_on")? });
    let write = app.once(clerk.actor.clone(), fields.key(), "follow_up_mediation", input, |tx, actor, input| {
        Box::pin(mediations::follow_up(tx, actor, input))
    });
    write.await
}
