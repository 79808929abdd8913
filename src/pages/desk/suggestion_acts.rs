//! What the body responsible asks of others about a voice: to take it, to do a part, to give more days; and who sees it.
use axum::{extract::State, response::Response};

use super::{
    frame::{Clerk, Draft},
    suggestions::shown,
};
use crate::{
    app::{App, Path},
    error::Result,
    ids::SuggestionId,
    pages::{
        fields::{Fields, Form, Sent, with_files},
        layout::see,
    },
    suggestions::{
        self, AssignSuggestion, RateSuggestion, WriteDownCosigns,
        assists::{self, AskAssist},
        commands,
        downgrades::{self, MakeOrdinary},
        extensions::{self, AskExtension},
        hidings::{self, HideSuggestion},
        referrals::{self, ReferSuggestion},
    },
};

pub(super) async fn accept(app: &App, clerk: &Clerk, id: SuggestionId, fields: &Fields) -> Result<()> {
    let accept = app.once(clerk.actor.clone(), fields.key(), "accept_suggestion", id, |tx, actor, id| {
        Box::pin(commands::accept(tx, actor, id))
    });
    accept.await.map(drop)
}

pub(super) async fn assign(app: &App, clerk: &Clerk, id: SuggestionId, fields: &Fields) -> Result<()> {
    let input = (id, AssignSuggestion { person_id: fields.required("person_id")? });
    let assign = app.once(clerk.actor.clone(), fields.key(), "assign_suggestion", input, |tx, actor, input| {
        Box::pin(commands::assign(tx, actor, input))
    });
    assign.await.map(drop)
}

pub(super) async fn refer(app: &App, clerk: &Clerk, id: SuggestionId, fields: &Fields) -> Result<()> {
    let body_id = fields.required("body_id")?;
    let input = (id, ReferSuggestion { body_id, reason: fields.text("reason").to_owned() });
    let refer = app.once(clerk.actor.clone(), fields.key(), "refer_suggestion", input, |tx, actor, input| {
        Box::pin(referrals::refer(tx, actor, input))
    });
    refer.await.map(drop)
}

pub(super) async fn involve(app: &App, clerk: &Clerk, id: SuggestionId, fields: &Fields) -> Result<()> {
    let body_id = fields.required("body_id")?;
    let input = (id, AskAssist { body_id, task: fields.text("task").to_owned() });
    let ask = app.once(clerk.actor.clone(), fields.key(), "ask_assist", input, |tx, actor, input| {
        Box::pin(assists::ask(tx, actor, input))
    });
    ask.await.map(drop)
}

pub(super) async fn keep(app: &App, clerk: &Clerk, id: SuggestionId, fields: &Fields) -> Result<()> {
    let keep = app.once(clerk.actor.clone(), fields.key(), "keep_suggestion", id, |tx, actor, id| {
        Box::pin(referrals::keep(tx, actor, id))
    });
    keep.await.map(drop)
}

/// What somebody says of the answer who was called back.
pub(super) async fn call_back(app: &App, clerk: &Clerk, id: SuggestionId, fields: &Fields) -> Result<()> {
    let (rating, answer_id) = (fields.required("rating")?, fields.optional("answer_id")?);
    let input = (id, RateSuggestion { rating, text: fields.text("text").to_owned(), answer_id });
    let call = app.once(clerk.actor.clone(), fields.key(), "call_back", input, |tx, actor, input| {
        Box::pin(commands::call_back(tx, actor, input))
    });
    call.await.map(drop)
}

pub(super) async fn extend(app: &App, clerk: &Clerk, id: SuggestionId, fields: &Fields) -> Result<()> {
    let input = (id, AskExtension { reason: fields.text("reason").to_owned() });
    let ask = app.once(clerk.actor.clone(), fields.key(), "ask_extension", input, |tx, actor, input| {
        Box::pin(extensions::ask(tx, actor, input))
    });
    ask.await.map(drop)
}

/// What was called urgent is dealt with as everything else.
pub(super) async fn make_ordinary(app: &App, clerk: &Clerk, id: SuggestionId, fields: &Fields) -> Result<()> {
    let input = (id, MakeOrdinary { reason: fields.text("reason").to_owned() });
    let make = app.once(clerk.actor.clone(), fields.key(), "make_ordinary", input, |tx, actor, input| {
        Box::pin(downgrades::make_ordinary(tx, actor, input))
    });
    make.await.map(drop)
}

/// Hidden from everybody but its author and those who handle it, or shown again.
pub(super) async fn hide(app: &App, clerk: &Clerk, (id, is_on): (SuggestionId, bool), fields: &Fields) -> Result<()> {
    let is_media_only = fields.has("is_media_only", "1");
    let input = (id, HideSuggestion { is_on, is_media_only, reason: fields.text("reason").to_owned() });
    let hide = app.once(clerk.actor.clone(), fields.key(), "hide_suggestion", input, |tx, actor, input| {
        Box::pin(hidings::hide(tx, actor, input))
    });
    hide.await.map(drop)
}

/// Who signed on paper that it is theirs, too: a number a line, and photos of the sheet.
pub(super) async fn write_down(
    State(app): State<App>,
    clerk: Clerk,
    Path(id): Path<SuggestionId>,
    form: Form,
) -> Result<Response> {
    let mut sent = with_files(&app, &clerk.actor, form).await?;
    match sheet(&app, &clerk, id, &mut sent).await {
        Ok(()) => Ok(see(&format!("/desk/suggestions/{id}"))),
        Err(error) => shown(&app, &clerk, id, (Vec::new(), Draft::refused("cosigns", sent.fields, error)?)).await,
    }
}

async fn sheet(app: &App, clerk: &Clerk, id: SuggestionId, sent: &mut Sent) -> Result<()> {
    sent.whole()?;
    let fields = &sent.fields;
    let numbers = fields.text("roster_numbers").lines().map(str::trim).filter(|number| !number.is_empty());
    let input = WriteDownCosigns {
        roster_numbers: numbers.map(str::to_owned).collect(),
        source: fields.text("source").to_owned(),
        photos: sent.media(),
    };
    let write = app.once(clerk.actor.clone(), fields.key(), "write_down_cosigns", (id, input), |tx, actor, input| {
        Box::pin(suggestions::write_down(tx, actor, input))
    });
    write.await.map(drop)
}
