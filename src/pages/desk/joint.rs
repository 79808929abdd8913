//! A joint meeting on the desk: who leads it, its agenda, calling it, and tasks in the villages.
use askama::Template;
use axum::{extract::State, response::Response};

use super::frame::{Clerk, Desk, Draft};
use crate::{
    app::{App, Path},
    bodies,
    error::{Code, Result},
    ids::{BodyId, JointItemId, MeetingId},
    joint::{
        GiveVillageTasks, JointView, PassTurn, ProposeItem, Rotation, SetRotation, agenda, queries, turns,
        village_tasks,
    },
    matters::{self, queries::Reaching},
    meetings::{self, MeetingView},
    pages::{
        fields::Fields,
        layout::{Page, render_as, see},
        words::Words,
    },
};

/// Meetings whose resolutions can become tasks.
const HELD: u64 = 5;

#[derive(Template)]
#[template(path = "desk/joint.html")]
struct JointPage {
    page: Page,
    desk: Desk,
    draft: Draft,
    view: JointView,
    /// Where its meetings are called.
    area: String,
    /// Matters under way that may be proposed.
    matters: Vec<Reaching>,
    /// The newest that were held.
    held: Vec<MeetingView>,
    rotations: [Rotation; 3],
}

impl JointPage {
    /// What the next meeting is about, as far as it is known.
    fn agenda(&self) -> String {
        let line = |(n, title): (usize, &str)| format!("{n}. {title}");
        let titles = self.view.items.iter().map(|one| one.matter.title.as_str());
        (1..).zip(titles).map(line).collect::<Vec<_>>().join("\n")
    }

    /// In whose name it is called.
    fn caller(&self) -> String {
        format!("{}/members", self.view.body_id)
    }

    /// What may become a task: meeting and number, and its words.
    fn carried(&self) -> Vec<(String, String)> {
        let of = |meeting: &MeetingView| {
            let id = meeting.id;
            let carried = meeting.resolutions.iter().filter(|one| one.is_carried);
            carried.map(move |one| (format!("{id}/{}", one.number), one.text.clone())).collect::<Vec<_>>()
        };
        self.held.iter().flat_map(of).collect()
    }
}

/// The page.
pub(super) async fn show(State(app): State<App>, clerk: Clerk, Path(id): Path<BodyId>) -> Result<Response> {
    shown(&app, &clerk, (id, Draft::default())).await
}

async fn shown(app: &App, clerk: &Clerk, (id, draft): (BodyId, Draft)) -> Result<Response> {
    let db = app.store.read();
    let view = queries::view(db, &clerk.actor, id, app.now()).await?;
    let areas = bodies::get(db, id).await?.areas;
    let shown = JointPage {
        page: clerk.page(view.body_name.clone()).at(format!("/desk/joint/{id}")),
        desk: clerk.desk(),
        draft,
        matters: matters::queries::reaching(db, &areas, None).await?,
        held: meetings::queries::held::newest_of_body(db, id, HELD).await?,
        area: areas.into_iter().next().unwrap_or_default(),
        rotations: Rotation::ALL,
        view,
    };
    Ok(render_as(shown.draft.status(), &shown))
}

/// One of its forms was sent.
pub(super) async fn act(
    State(app): State<App>,
    clerk: Clerk,
    Path((id, form)): Path<(BodyId, String)>,
    fields: Fields,
) -> Result<Response> {
    let done = match form.as_str() {
        "rotation" => rotate(&app, &clerk, (id, &fields)).await,
        "turn" => pass_on(&app, &clerk, (id, &fields)).await,
        "item" => propose(&app, &clerk, (id, &fields)).await,
        "withdraw" => withdraw(&app, &clerk, &fields).await,
        "tasks" => give(&app, &clerk, &fields).await,
        _ => Err(Code::NotFound.into()),
    };
    match done {
        Ok(()) => Ok(see(&format!("/desk/joint/{id}"))),
        Err(error) => shown(&app, &clerk, (id, Draft::refused(&form, fields, error)?)).await,
    }
}

async fn rotate(app: &App, clerk: &Clerk, (id, fields): (BodyId, &Fields)) -> Result<()> {
    let input = (id, SetRotation { rotation: fields.choice("rotation")?, first: fields.optional("first")? });
    let actor = clerk.actor.clone();
    app.store.write(move |tx| Box::pin(async move { turns::set_rotation(tx, &actor, input).await })).await.map(drop)
}

async fn pass_on(app: &App, clerk: &Clerk, (id, fields): (BodyId, &Fields)) -> Result<()> {
    let (to, from) = (fields.optional("to")?, fields.optional("from")?);
    let input = (id, PassTurn { reason: fields.text("reason").to_owned(), to, from });
    let pass = app.once(clerk.actor.clone(), fields.key(), "pass_turn", input, |tx, actor, input| {
        Box::pin(turns::pass_on(tx, actor, input))
    });
    pass.await.map(drop)
}

async fn propose(app: &App, clerk: &Clerk, (id, fields): (BodyId, &Fields)) -> Result<()> {
    let input = ProposeItem {
        matter_id: fields.required("matter_id")?,
        villages: ticked(fields),
        note: fields.text("note").to_owned(),
    };
    let propose = app.once(clerk.actor.clone(), fields.key(), "propose_joint_item", (id, input), |tx, actor, input| {
        Box::pin(agenda::propose(tx, actor, input))
    });
    propose.await.map(drop)
}

async fn withdraw(app: &App, clerk: &Clerk, fields: &Fields) -> Result<()> {
    let item: JointItemId = fields.required("item_id")?;
    let withdraw = app.once(clerk.actor.clone(), fields.key(), "withdraw_joint_item", item, |tx, actor, item| {
        Box::pin(agenda::withdraw(tx, actor, item))
    });
    withdraw.await.map(drop)
}

async fn give(app: &App, clerk: &Clerk, fields: &Fields) -> Result<()> {
    let chosen: String = fields.required("resolution")?;
    let (meeting, number) = chosen.split_once('/').ok_or(Code::InvalidRequest)?;
    let meeting: MeetingId = meeting.parse().map_err(|_| Code::InvalidRequest)?;
    let input = GiveVillageTasks {
        number: number.parse().map_err(|_| Code::InvalidRequest)?,
        villages: ticked(fields),
        due_on: fields.required("due_on")?,
    };
    let give =
        app.once(clerk.actor.clone(), fields.key(), "give_village_tasks", (meeting, input), |tx, actor, input| {
            Box::pin(village_tasks::give(tx, actor, input))
        });
    give.await.map(drop)
}

fn ticked(fields: &Fields) -> Vec<String> {
    fields.all("villages").filter(|code| !code.is_empty()).map(str::to_owned).collect()
}
