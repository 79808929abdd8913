//! `/skills`: what one can do and for what one may be found; `/needs`: what others need, and taking it.
use askama::Template;
use axum::{Router, extract::State, response::Response};

use super::{
    fields::{Fields, WhichArea, Wrong},
    layout::{Page, Resident, render, render_as, see, see_saved, up},
    words::{Words, wire},
};
use crate::{
    app::{
        App, Path, Query,
        routing::{get, post},
    },
    areas::{self, TOWN_CODE},
    error::Result,
    ids::NeedId,
    people,
    skills::{
        EndNeed, NeedView, SetSkills, TakeNeed, entries, needs,
        rules::{NeedState, SkillUse, typed as tags_of},
    },
    text,
};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/skills", get(own).merge(post(keep)))
        .route("/needs", get(list))
        .route("/needs/{id}", get(show))
        .route("/needs/{id}/take", post(take).merge(get(up)))
        .route("/needs/{id}/end", post(end).merge(get(up)))
}

#[derive(Template)]
#[template(path = "skills.html")]
struct SkillsPage {
    page: Page,
    wrong: Wrong,
    typed: Fields,
    uses: [SkillUse; 3],
    /// Who is not is found by nobody.
    is_of_age: bool,
}

impl SkillsPage {
    fn is_allowed(&self, one: &SkillUse) -> bool {
        self.typed.has("uses", &wire(one))
    }
}

async fn own(State(app): State<App>, who: Resident) -> Result<Response> {
    let kept = entries::of(app.store.read(), who.actor.person).await?;
    let mut typed = Fields::default();
    typed.preset("tags", kept.tags.join(" "));
    typed.preset("availability", kept.availability);
    typed.preset("place", kept.place);
    for one in kept.uses {
        typed.preset("uses", wire(one));
    }
    form(&app, &who, (typed, Wrong::default())).await
}

async fn form(app: &App, who: &Resident, (typed, wrong): (Fields, Wrong)) -> Result<Response> {
    let page = who.page("page-skills").at("/skills");
    let is_of_age = people::queries::is_of_age(app.store.read(), who.actor.person, app.now()).await?;
    Ok(render_as(wrong.status(), &SkillsPage { page, wrong, typed, uses: SkillUse::ALL, is_of_age }))
}

async fn keep(State(app): State<App>, who: Resident, fields: Fields) -> Result<Response> {
    let input = SetSkills {
        tags: tags_of(fields.text("tags")),
        availability: fields.text("availability").to_owned(),
        place: fields.text("place").to_owned(),
        uses: SkillUse::ALL.into_iter().filter(|one| fields.has("uses", &wire(one))).collect(),
    };
    let actor = who.actor.clone();
    match app.store.write(move |tx| Box::pin(async move { entries::set(tx, &actor, input).await })).await {
        Ok(_) => Ok(see_saved("/skills")),
        Err(error) => form(&app, &who, (fields, Wrong::from(error)?)).await,
    }
}

#[derive(Template)]
#[template(path = "needs.html")]
struct NeedsPage {
    page: Page,
    needs: Vec<NeedView>,
}

async fn list(State(app): State<App>, who: Resident, Query(which): Query<WhichArea>) -> Result<Response> {
    let db = app.store.read();
    let town = who.actor.area.get(..TOWN_CODE).unwrap_or(&who.actor.area).to_owned();
    let area = which.area.filter(|area| !area.is_empty()).unwrap_or(town);
    let needs = needs::list(db, &who.actor, (&area, app.now())).await?;
    let name = areas::name(db, &area).await?;
    let title = text::say_with("page-needs-of", &[("area", name.into())]);
    Ok(render(&NeedsPage { page: who.page("page-needs").titled(title).at("/needs"), needs }))
}

#[derive(Template)]
#[template(path = "need.html")]
struct NeedPage {
    page: Page,
    one: NeedView,
    wrong: Wrong,
    typed: Fields,
    is_of_age: bool,
}

impl NeedPage {
    fn may_take(&self) -> bool {
        self.waits() && self.is_of_age
    }

    /// Might the viewer take it, but for the age?
    fn is_too_young(&self) -> bool {
        self.waits() && !self.is_of_age
    }

    /// Does it wait for somebody outside the body that posted it?
    fn waits(&self) -> bool {
        self.one.state == NeedState::Open && !self.one.is_of_body
    }

    /// How it may end, from here, by the viewer.
    fn ways(&self) -> &'static [&'static str] {
        match (self.one.state, self.one.is_of_body, self.one.is_taker) {
            (NeedState::Taken, true, _) => &["done", "returned", "withdrawn"],
            (NeedState::Taken, _, true) => &["done", "returned"],
            (NeedState::Open, true, _) => &["withdrawn"],
            _ => &[],
        }
    }

    /// The state in which the viewer sees it, where it can still end.
    fn seen(&self) -> &'static str {
        if self.one.state == NeedState::Taken { "taken" } else { "open" }
    }
}

async fn show(State(app): State<App>, who: Resident, Path(id): Path<NeedId>) -> Result<Response> {
    shown(&app, &who, (id, Fields::default(), Wrong::default())).await
}

async fn shown(app: &App, who: &Resident, (id, typed, wrong): (NeedId, Fields, Wrong)) -> Result<Response> {
    let one = needs::read(app.store.read(), &who.actor, id).await?;
    let page = who.page("page-need").back("/needs").at(format!("/needs/{id}"));
    let is_of_age = people::queries::is_of_age(app.store.read(), who.actor.person, app.now()).await?;
    Ok(render_as(wrong.status(), &NeedPage { page, one, wrong, typed, is_of_age }))
}

async fn take(State(app): State<App>, who: Resident, Path(id): Path<NeedId>, fields: Fields) -> Result<Response> {
    let input = (id, TakeNeed { contact: fields.text("contact").to_owned() });
    let take = app.once(who.actor.clone(), fields.key(), "take_need", input, |tx, actor, input| {
        Box::pin(needs::take(tx, actor, input))
    });
    let taken = take.await.map(drop);
    answered(&app, &who, (id, fields, taken)).await
}

async fn end(State(app): State<App>, who: Resident, Path(id): Path<NeedId>, fields: Fields) -> Result<Response> {
    let ended = ended(&app, &who, (id, &fields)).await;
    answered(&app, &who, (id, fields, ended)).await
}

async fn ended(app: &App, who: &Resident, (id, fields): (NeedId, &Fields)) -> Result<()> {
    let seen = fields.given("seen").map(|_| fields.choice("seen")).transpose()?;
    let (outcome, taker) = (fields.choice("outcome")?, fields.optional("taker")?);
    let input = (id, EndNeed { outcome, text: fields.text("text").to_owned(), seen, taker });
    let end = app.once(who.actor.clone(), fields.key(), "end_need", input, |tx, actor, input| {
        Box::pin(needs::end(tx, actor, input))
    });
    end.await.map(drop)
}

async fn answered(app: &App, who: &Resident, (id, fields, done): (NeedId, Fields, Result<()>)) -> Result<Response> {
    match done {
        Ok(()) => Ok(see(&format!("/needs/{id}"))),
        Err(error) => shown(app, who, (id, fields, Wrong::from(error)?)).await,
    }
}
