//! `/speak`: leave a voice with words, photos and a clip; once, however often the button is tapped.
use askama::Template;
use axum::{
    Router,
    extract::{DefaultBodyLimit, State},
    response::Response,
};
use serde::Deserialize;

use super::{
    fields::{Fields, Form, MAX_FILES_BODY, Sent, Wrong, with_files},
    layout::{Page, Resident, render_as, see},
    words::Words,
};
use crate::{
    actor::Actor,
    app::{
        App, Query,
        routing::{get, post},
    },
    bodies::{
        self, SeatView,
        room::{self, RoomView},
    },
    error::{Code, Result},
    ids::MediaId,
    suggestions::{self, AboutToSay, Category, ReplyWish, SimilarVoice, SubmitSuggestion, Urgency, commands},
    text,
};

/// In the order in which they are shown.
const KINDS: [&str; 5] = ["help", "suggestion", "complaint", "consult", "praise"];
const CATEGORIES: [&str; 8] = ["other", "road", "utilities", "sanitation", "safety", "welfare", "land", "dispute"];
const VISIBILITIES: [&str; 3] = ["public", "handlers", "town"];

pub(super) fn routes() -> Router<App> {
    Router::new().route("/speak", get(show).merge(post(send))).layer(DefaultBodyLimit::max(MAX_FILES_BODY))
}

#[derive(Template)]
#[template(path = "speak.html")]
struct SpeakPage {
    page: Page,
    kinds: [&'static str; 5],
    categories: [&'static str; 8],
    visibilities: [&'static str; 3],
    seats: Vec<SeatView>,
    /// Where one may speak in person.
    room: Option<RoomView>,
    /// Whose draft the phone keeps.
    draft: String,
    typed: Fields,
    wrong: Wrong,
    /// What was sent along with a form that was refused.
    kept: Vec<MediaId>,
    /// What was said already, before it is said again.
    similar: Vec<SimilarVoice>,
    /// For when there is no network: nobody's, until the phone says whose.
    is_offline: bool,
}

impl SpeakPage {
    /// Does it answer what was sent?
    fn is_answer(&self) -> bool {
        self.wrong.is_any() || !self.similar.is_empty() || !self.kept.is_empty()
    }

    /// Did nobody else say so?
    fn is_only_own(&self) -> bool {
        self.similar.iter().all(|one| one.is_own)
    }
}

/// By which name a phone keeps the draft of this person. It tells nobody who that is, and no two people have the same.
pub(super) fn draft_of(app: &App, actor: &Actor) -> String {
    app.keys.lookup("draft", &actor.person.to_string())
}

/// Who sits in the committee of the village: of whom a complaint may be.
async fn seated(app: &App, who: &Resident) -> Result<Vec<SeatView>> {
    let db = app.store.read();
    match bodies::committee(db, &who.actor.area).await? {
        Some(body) => bodies::members_of(db, body, app.now()).await,
        None => Ok(Vec::new()),
    }
}

async fn page(app: &App, who: &Resident, (sent, wrong, similar): (Sent, Wrong, Vec<SimilarVoice>)) -> Result<Response> {
    let seats = seated(app, who).await?;
    let room = room::of_village(app.store.read(), &who.actor.area, app.now()).await?;
    let kept = sent.kept(&wrong);
    let page = who.page("page-speak");
    let status = wrong.status();
    let (kinds, categories, visibilities) = (KINDS, CATEGORIES, VISIBILITIES);
    let (draft, typed) = (draft_of(app, &who.actor), sent.fields);
    let is_offline = false;
    let shown = SpeakPage {
        page,
        kinds,
        categories,
        visibilities,
        seats,
        room,
        draft,
        typed,
        wrong,
        kept,
        similar,
        is_offline,
    };
    Ok(render_as(status, &shown))
}

/// The page for when there is no network: the same for everybody, each time.
pub(super) fn offline() -> String {
    let title = text::say("page-offline");
    let shown = SpeakPage {
        page: Page { title, back: "/".to_owned(), path: "/speak".to_owned(), ..Page::default() },
        kinds: KINDS,
        categories: CATEGORIES,
        visibilities: VISIBILITIES,
        seats: Vec::new(),
        room: None,
        draft: String::new(),
        typed: Fields::default(),
        wrong: Wrong::default(),
        kept: Vec::new(),
        similar: Vec::new(),
        is_offline: true,
    };
    // writing into a string does not fail
    shown.render().unwrap_or_default()
}

/// What a page that leads here has chosen already; anything else stays to be chosen.
#[derive(Debug, Default, Deserialize)]
struct Chosen {
    kind: Option<String>,
    visibility: Option<String>,
}

async fn show(State(app): State<App>, who: Resident, Query(chosen): Query<Chosen>) -> Result<Response> {
    let mut sent = Sent::default();
    for (name, value) in [("kind", chosen.kind), ("visibility", chosen.visibility)] {
        if let Some(value) = value {
            sent.fields.preset(name, value);
        }
    }
    page(&app, &who, (sent, Wrong::default(), Vec::new())).await
}

/// What one has said already oneself and, of what is for everybody, others: the first time that it is sent.
async fn similar(app: &App, who: &Resident, form: &Fields) -> Result<Vec<SimilarVoice>> {
    // what is tried again is in one's list, and no other voice
    if form.given("anyway").is_some() || app.was_done(who.actor.person, form.key()).await? {
        return Ok(Vec::new());
    }
    let about = AboutToSay { text: form.text("text").to_owned(), place: form.text("place").to_owned() };
    let mut found = suggestions::similar(app, &who.actor, &about).await?;
    found.retain(|one| one.is_own || form.text("visibility") == "public");
    Ok(found)
}

async fn send(State(app): State<App>, who: Resident, form: Form) -> Result<Response> {
    let mut sent = with_files(&app, &who.actor, form).await?;
    // a page of somebody else's that is still open on a shared phone
    if sent.fields.given("writer").is_some_and(|writer| writer != draft_of(&app, &who.actor)) {
        return Ok(see("/"));
    }
    let whole = sent.whole();
    let is_whole = whole.is_ok();
    let submitted = match whole {
        Err(error) => Err(error),
        Ok(()) => match similar(&app, &who, &sent.fields).await {
            Ok(similar) if !similar.is_empty() => return page(&app, &who, (sent, Wrong::default(), similar)).await,
            // wrong words are told with everything else that is wrong
            _ => submit(&app, &who, &sent).await,
        },
    };
    match submitted {
        Ok(voice) => Ok(see(&format!("/suggestions/{}", voice.id))),
        Err(error) => {
            let has_arrived = is_whole && error.code() == Code::IdempotencyMismatch;
            // a phone that never heard our answer tries again, with its files sent anew
            if has_arrived && sent.fields.has("again", "1") {
                return Ok(see("/suggestions"));
            }
            let mut wrong = Wrong::from(error)?;
            if has_arrived {
                wrong.sentence = text::say("page-speak-arrived");
            }
            page(&app, &who, (sent, wrong, Vec::new())).await
        }
    }
}

async fn submit(app: &App, who: &Resident, sent: &Sent) -> Result<commands::Left> {
    let form = &sent.fields;
    let input = SubmitSuggestion {
        kind: form.choice("kind")?,
        visibility: form.choice("visibility")?,
        text: form.text("text").to_owned(),
        place: form.text("place").to_owned(),
        media: sent.media(),
        about_person_id: form.optional("about_person_id")?,
        urgency: if form.has("is_urgent", "1") { Urgency::Urgent } else { Urgency::Ordinary },
        reply_wish: form.given("reply_wish").map_or(Ok(ReplyWish::Here), |_| form.choice("reply_wish"))?,
        category: form.given("category").map_or(Ok(Category::Other), |_| form.choice("category"))?,
        is_flagged: false,
    };
    let input = input.against(&app.words);
    app.once(who.actor.clone(), form.key(), "submit_suggestion", input, |tx, actor, input| {
        Box::pin(commands::submit(tx, actor, input))
    })
    .await
}
