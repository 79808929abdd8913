//! Voices on the desk: the list to sort, and one voice with everything that can be done about it.
use std::collections::HashMap;

use askama::Template;
use axum::{extract::State, response::Response};
use chrono::{DateTime, FixedOffset};
use serde::Deserialize;

use super::{
    aloud::missing,
    frame::{Clerk, Desk, Draft, Due, live},
    matters::{item_of, path_of, under_way},
    suggestion_acts,
};
use crate::{
    app::{App, Path, Query},
    bodies::{self, Right, SeatView, queries::Body},
    error::{Code, Result},
    ids::{MatterId, MediaId, SuggestionId},
    matters::{self, JoinSuggestion, MatterSummary, RaiseMatter, ReservedItem, TemplateKey},
    page,
    pages::{
        fields::{Fields, Form, Sent, with_files},
        layout::{Live, Page, encode, render, render_as, see},
        thread::{self, Thread},
        words::{Words, wire},
    },
    streams,
    suggestions::{
        self, AnswerOutcome, AnswerSuggestion, CosignSheetView, HidingState, SpeakAnswer, Step, SuggestionState,
        SuggestionSummary, SuggestionView, Urgency, Visibility,
        queries::{Scope, SuggestionsQuery},
        referrals,
    },
    text,
};

/// Characters of a voice that stand for it in a list.
const FIRST_WORDS: usize = 28;

/// Which voices are listed.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Filter {
    state: Option<SuggestionState>,
    cursor: Option<String>,
}

#[derive(Template)]
#[template(path = "desk/suggestions.html")]
struct ListPage {
    page: Page,
    desk: Desk,
    state: String,
    rows: Vec<Row>,
    more: String,
    next_cursor: Option<String>,
}

struct Row {
    title: String,
    notes: Vec<String>,
    from: String,
    state: String,
    /// Only of what still waits.
    due: Option<Due>,
    id: SuggestionId,
}

/// The list.
pub(super) async fn list(State(app): State<App>, clerk: Clerk, Query(filter): Query<Filter>) -> Result<Response> {
    let query = SuggestionsQuery { scope: Scope::Desk, state: filter.state, cursor: filter.cursor, limit: Some(30) };
    let found = suggestions::queries::list(app.store.read(), &app.keys, &clerk.actor, query);
    let page::Page { items, next_cursor } = found.await?;
    let given = suggestions::queries::assignees(app.store.read(), &items).await?;
    let rows = items.into_iter().map(|voice| row(&app, (voice, &given))).collect();
    let state = filter.state.map(wire).unwrap_or_default();
    let more = if state.is_empty() { "?".to_owned() } else { format!("?state={}&", encode(&state)) };
    let page = live(&app, &clerk, (clerk.page(text::say("desk-suggestions")), &Draft::default())).await?;
    Ok(render(&ListPage { page, desk: clerk.desk(), state, rows, more, next_cursor }))
}

fn row(app: &App, (voice, given): (SuggestionSummary, &HashMap<SuggestionId, String>)) -> Row {
    let waits = matches!(voice.state, SuggestionState::Submitted | SuggestionState::Accepted);
    Row {
        title: title(&voice),
        notes: notes(&voice, given.get(&voice.id)),
        from: from(&voice),
        state: text::word("suggestion-state", &wire(voice.state)),
        due: waits.then(|| Due::seen(next_step(&voice).1, app.now())),
        id: voice.id,
    }
}

/// What is to be done next, and until when.
pub(super) fn next_step(voice: &SuggestionSummary) -> (Step, DateTime<FixedOffset>) {
    if voice.state == SuggestionState::Submitted {
        (Step::Accept, voice.accept_due_at)
    } else {
        (Step::Answer, voice.answer_due_at)
    }
}

/// First words; that it is not public, or that it was only spoken.
pub(super) fn title(voice: &SuggestionSummary) -> String {
    let words = voice.text.as_deref().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ");
    match words.chars().count() {
        0 if voice.text.is_none() => text::say("desk-voice-private"),
        0 => text::say("suggestion-spoken"),
        1..=FIRST_WORDS => words,
        _ => words.chars().take(FIRST_WORDS).chain(['…']).collect(),
    }
}

/// Number, kind, whether it presses or went up, who was given it, whether everybody sees it, clip and photos.
pub(super) fn notes(voice: &SuggestionSummary, given: Option<&String>) -> Vec<String> {
    let kind = text::word("suggestion-kind", &wire(voice.kind));
    let photos = voice.media.iter().filter(|one| one.kind == "photo").count();
    let clip = voice.media.iter().find_map(|one| one.duration_ms);
    let mut notes = vec![format!("{kind} {}", voice.number)];
    notes.extend((voice.urgency == Urgency::Urgent).then(|| text::say("suggestion-urgency-urgent")));
    notes.extend((voice.level > 0).then(|| text::say("desk-went-up")));
    notes.extend(given.map(|name| text::say_with("desk-given-to", &[("name", name.as_str().into())])));
    notes.extend(voice.is_hidden.then(|| text::say("desk-is-hidden")));
    notes.extend(voice.is_media_hidden.then(|| text::say("desk-is-media-hidden")));
    notes.extend(clip.map(|millis| text::say_with("desk-clip", &[("n", (millis / 1000).into())])));
    notes.extend((photos > 0).then(|| text::say_with("desk-photos", &[("n", photos.into())])));
    notes.extend(voice.matter_id.map(|_| text::say("desk-joined")));
    notes.extend(voice.rating.map(|rating| text::say_with("desk-rated", &[("n", rating.into())])));
    notes
}

/// Whose it is, as far as a list says so, and where.
pub(super) fn from(voice: &SuggestionSummary) -> String {
    let name = voice.author_name.clone().unwrap_or_else(|| text::say("desk-name-hidden"));
    [Some(name), voice.place.clone().filter(|place| !place.is_empty())]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(" · ")
}

#[derive(Template)]
#[template(path = "desk/suggestion.html")]
struct VoicePage {
    page: Page,
    desk: Desk,
    draft: Draft,
    voice: SuggestionView,
    due: Option<Due>,
    members: Vec<SeatView>,
    open_matters: Vec<MatterSummary>,
    /// Bodies to which it can be passed on.
    onward: Vec<Body>,
    /// Bodies that can be asked for their part.
    others: Vec<Body>,
    joined: Option<MatterSummary>,
    /// What was signed on paper.
    sheets: Vec<CosignSheetView>,
    may_raise: bool,
    thread: Option<Thread>,
    may_write: bool,
    /// A recording that was sent along with a form that was refused.
    kept: Vec<MediaId>,
    /// Others that can get the same answer, with what stands for each.
    alike: Vec<(SuggestionId, String)>,
}

impl VoicePage {
    /// The paths that a matter may take.
    fn templates(&self) -> [TemplateKey; 4] {
        TemplateKey::ALL
    }

    /// What the law reserves to the assembly.
    fn reserved(&self) -> [ReservedItem; 10] {
        ReservedItem::ALL
    }

    fn can(&self, step: &str) -> bool {
        self.voice.can.iter().any(|one| wire(one) == step)
    }

    fn is_urgent(&self) -> bool {
        self.voice.summary.urgency == Urgency::Urgent
    }

    fn may_hide_media(&self) -> bool {
        let is_upheld = self.voice.hiding.as_ref().is_some_and(|one| one.state == HidingState::Upheld);
        !self.voice.summary.media.is_empty() && !is_upheld
    }

    fn is_public(&self) -> bool {
        self.voice.summary.visibility == Visibility::Public
    }
}

/// One voice. Opening one that is not public is written down, and its author sees it.
pub(super) async fn show(State(app): State<App>, clerk: Clerk, Path(id): Path<SuggestionId>) -> Result<Response> {
    shown(&app, &clerk, id, (Vec::new(), Draft::default())).await
}

pub(super) async fn shown(
    app: &App,
    clerk: &Clerk,
    id: SuggestionId,
    (kept, draft): (Vec<MediaId>, Draft),
) -> Result<Response> {
    let db = app.store.read();
    let voice = suggestions::queries::open(app, &clerk.actor, id).await?;
    let head = &voice.summary;
    let members = match voice.can.contains(&Step::Assign) {
        true => bodies::members_of(db, head.body_id, app.now()).await?,
        false => Vec::new(),
    };
    let mut page = clerk.page(title(head)).at(format!("/desk/suggestions/{id}"));
    let (mut thread, mut may_write) = (None, false);
    if let Some(stream) = voice.stream_id {
        let (stream, access) = streams::queries::readable(db, &clerk.actor, stream).await?;
        thread = Some(thread::thread(app, &clerk.actor, &stream, None).await?);
        may_write = access == streams::Access::Write;
        thread::seen(app, &clerk.actor, &stream);
        if draft.is_blank() {
            // fresh after its own thread alone: each opening of a voice that is not public is counted
            page = page.live(Live::one(&stream));
        }
    }
    let open = if voice.can.contains(&Step::Join) { under_way(app, &head.area_code).await? } else { Vec::new() };
    let asks_others = voice.can.iter().any(|step| matches!(step, Step::Refer | Step::Involve));
    let (onward, others) =
        if asks_others { referrals::choices(db, head, app.now()).await? } else { (Vec::new(), Vec::new()) };
    let joined = match head.matter_id {
        Some(matter) => Some(matters::queries::head(db, matter).await?),
        None => None,
    };
    let sheets = if head.cosigns > 0 { suggestions::kept_sheets(db, &clerk.actor, id).await? } else { Vec::new() };
    let waits = matches!(head.state, SuggestionState::Submitted | SuggestionState::Accepted);
    let alike = match voice.can.contains(&Step::Answer) {
        true => suggestions::queries::desk_alike(db, &clerk.actor, head).await?,
        false => Vec::new(),
    };
    let shown = VoicePage {
        alike: alike.iter().map(|one| (one.id, format!("{} · {} {}", title(one), from(one), one.number))).collect(),
        due: waits.then(|| Due::seen(next_step(head).1, app.now())),
        may_raise: clerk.may(Right::RaiseMatter, &head.area_code),
        open_matters: open,
        onward,
        others,
        desk: clerk.desk(),
        page,
        draft,
        members,
        joined,
        sheets,
        thread,
        may_write,
        kept,
        voice,
    };
    Ok(render_as(shown.draft.status(), &shown))
}

/// One of the forms of the page was sent.
pub(super) async fn act(
    State(app): State<App>,
    clerk: Clerk,
    Path((id, form)): Path<(SuggestionId, String)>,
    fields: Fields,
) -> Result<Response> {
    let done = match form.as_str() {
        "accept" => suggestion_acts::accept(&app, &clerk, id, &fields).await,
        "assign" => suggestion_acts::assign(&app, &clerk, id, &fields).await,
        "refer" => suggestion_acts::refer(&app, &clerk, id, &fields).await,
        "involve" => suggestion_acts::involve(&app, &clerk, id, &fields).await,
        "keep" => suggestion_acts::keep(&app, &clerk, id, &fields).await,
        "call-back" => suggestion_acts::call_back(&app, &clerk, id, &fields).await,
        "ordinary" => suggestion_acts::make_ordinary(&app, &clerk, id, &fields).await,
        "extend" => suggestion_acts::extend(&app, &clerk, id, &fields).await,
        "hide" => suggestion_acts::hide(&app, &clerk, (id, true), &fields).await,
        "show" => suggestion_acts::hide(&app, &clerk, (id, false), &fields).await,
        "join" => join(&app, &clerk, id, &fields).await,
        "raise" => return raise(&app, &clerk, id, fields).await,
        "say" => say(&app, &clerk, id, &fields).await,
        _ => Err(Code::NotFound.into()),
    };
    match done {
        Ok(()) => Ok(see(&format!("/desk/suggestions/{id}"))),
        Err(error) => shown(&app, &clerk, id, (Vec::new(), Draft::refused(&form, fields, error)?)).await,
    }
}

/// Answered in words, by a recording, or both.
pub(super) async fn answer(
    State(app): State<App>,
    clerk: Clerk,
    Path(id): Path<SuggestionId>,
    form: Form,
) -> Result<Response> {
    let mut sent = with_files(&app, &clerk.actor, form).await?;
    let done = reply(&app, &clerk, id, &mut sent).await;
    ended(&app, &clerk, id, ("answer", sent, done)).await
}

async fn reply(app: &App, clerk: &Clerk, id: SuggestionId, sent: &mut Sent) -> Result<()> {
    sent.whole()?;
    let text = sent.fields.text("text").to_owned();
    // the newest: a form that was refused brings the one before along
    let outcome =
        sent.fields.given("outcome").map_or(Ok(AnswerOutcome::Answered), |_| sent.fields.choice("outcome"))?;
    let also = sent.fields.all("also").filter_map(|id| id.parse().ok()).collect();
    let input = (id, AnswerSuggestion { text, clip_media_id: sent.media().last().copied(), outcome, also });
    let answer = app.once(clerk.actor.clone(), sent.fields.key(), "answer_suggestion", input, |tx, actor, input| {
        Box::pin(suggestions::commands::answer(tx, actor, input))
    });
    answer.await.map(drop)
}

/// An answer that was written is said, too.
pub(super) async fn speak(
    State(app): State<App>,
    clerk: Clerk,
    Path(id): Path<SuggestionId>,
    form: Form,
) -> Result<Response> {
    let mut sent = with_files(&app, &clerk.actor, form).await?;
    let done = match (sent.whole(), sent.media().last()) {
        (Err(error), _) => Err(error),
        (Ok(()), None) => Err(missing()),
        (Ok(()), Some(media_id)) => {
            let input = (id, SpeakAnswer { media_id: *media_id });
            let speak = app.once(clerk.actor.clone(), sent.fields.key(), "speak_answer", input, |tx, actor, input| {
                Box::pin(suggestions::commands::speak_answer(tx, actor, input))
            });
            speak.await.map(drop)
        }
    };
    ended(&app, &clerk, id, ("answer-clip", sent, done)).await
}

async fn ended(
    app: &App,
    clerk: &Clerk,
    id: SuggestionId,
    (form, sent, done): (&str, Sent, Result<()>),
) -> Result<Response> {
    match done {
        Ok(()) => Ok(see(&format!("/desk/suggestions/{id}"))),
        Err(error) => shown(app, clerk, id, Draft::refused_with(form, sent, error)?).await,
    }
}

async fn join(app: &App, clerk: &Clerk, id: SuggestionId, fields: &Fields) -> Result<()> {
    let matter: MatterId = fields.required("matter_id")?;
    let input = (matter, JoinSuggestion { suggestion_id: id });
    let join = app.once(clerk.actor.clone(), fields.key(), "join_suggestion", input, |tx, actor, input| {
        Box::pin(matters::commands::join_suggestion(tx, actor, input))
    });
    join.await.map(drop)
}

/// A new matter from this voice; the desk goes on there.
async fn raise(app: &App, clerk: &Clerk, id: SuggestionId, fields: Fields) -> Result<Response> {
    let area_code = suggestions::queries::open(app, &clerk.actor, id).await?.summary.area_code;
    let input = RaiseMatter {
        area_code,
        title: fields.text("title").to_owned(),
        summary: fields.text("summary").to_owned(),
        suggestion_ids: vec![id],
        template: path_of(&fields)?,
        charter_id: None,
        reserved_item: item_of(&fields)?,
    };
    let raise = app.once(clerk.actor.clone(), fields.key(), "raise_matter", input, |tx, actor, input| {
        Box::pin(matters::commands::raise(tx, actor, input))
    });
    match raise.await {
        Ok(matter) => Ok(see(&format!("/desk/matters/{}", matter.head.id))),
        Err(error) => shown(app, clerk, id, (Vec::new(), Draft::refused("raise", fields, error)?)).await,
    }
}

async fn say(app: &App, clerk: &Clerk, id: SuggestionId, fields: &Fields) -> Result<()> {
    let stream = suggestions::queries::open(app, &clerk.actor, id).await?.stream_id.ok_or(Code::NotFound)?;
    thread::send(app, clerk.actor.clone(), stream, (fields, Vec::new())).await
}
