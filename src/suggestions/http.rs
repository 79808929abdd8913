//! Routes of voices, and of the photos and clips that are attached to anything: who may see those is decided here.
use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use utoipa_axum::router::OpenApiRouter;

use super::{
    answers,
    commands::{self, AnswerSuggestion, AssignSuggestion, RateSuggestion, SUBJECT_KIND, SpeakAnswer, SubmitSuggestion},
    cosigns::{self, Cosign},
    inspections,
    queries::{self, SuggestionSummary, SuggestionView, SuggestionsQuery},
    readings::{self, Opening},
    referrals::{self, ReferSuggestion, ReferralOffer, RefuseReferral},
    rules,
    similar::{self, AboutToSay, SimilarVoice},
    support::{self, SupportView},
};
use crate::{
    actor::Actor,
    app::{App, Created, IdempotencyKey, Input, Path, Query, routes},
    error::{Code, Error, Problem, Result},
    ids::{MediaId, ReferralId, SuggestionId},
    media::{self, Keeping, Media, SizeQuery},
    moderation,
    page::Page,
    reports, streams,
};

mod assists;
mod by_body;
mod cosign_sheets;
mod downgrades;
mod extensions;
mod hidings;
mod media_review;
mod register;
mod routing;
mod withdrawals;

/// Media of these things are shown to whoever sees what is public in the area.
const PUBLIC_KINDS: [&str; 4] = ["task", "notice", "meeting", "matter"];

/// Routes of this subject.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(submit_suggestion, list_suggestions))
        .routes(routes!(read_suggestion))
        .routes(routes!(accept_suggestion))
        .routes(routes!(assign_suggestion))
        .routes(routes!(answer_suggestion))
        .routes(routes!(speak_answer))
        .routes(routes!(rate_suggestion))
        .routes(routes!(call_back))
        .routes(routes!(cosign_suggestion))
        .routes(routes!(read_support))
        .routes(routes!(refer_suggestion))
        .routes(routes!(keep_suggestion))
        .routes(routes!(list_referrals))
        .routes(routes!(accept_referral))
        .routes(routes!(refuse_referral))
        .merge(assists::routes())
        .merge(by_body::routes())
        .merge(cosign_sheets::routes())
        .merge(downgrades::routes())
        .merge(extensions::routes())
        .merge(hidings::routes())
        .merge(routing::routes())
        .merge(media_review::routes())
        .merge(register::routes())
        .merge(withdrawals::routes())
        .routes(routes!(similar_suggestions))
        .routes(routes!(read_media))
}

/// Leave a voice.
#[utoipa::path(post, path = "/v1/suggestions", tag = "suggestions", operation_id = "submit_suggestion",
    request_body = SubmitSuggestion,
    responses((status = 201, body = SuggestionView, description = "Left, with its number and deadlines"), Problem))]
async fn submit_suggestion(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Input(input): Input<SubmitSuggestion>,
) -> Result<Created<SuggestionView>> {
    let input = input.against(&app.words);
    let left = app
        .once(actor.clone(), key, "submit_suggestion", input, |tx, actor, input| {
            Box::pin(commands::submit(tx, actor, input))
        })
        .await?;
    queries::own(&app, &actor, left.id).await.map(Created)
}

/// Voices, newest first; of those that are not public, others than the author see no words here.
#[utoipa::path(get, path = "/v1/suggestions", tag = "suggestions", operation_id = "list_suggestions",
    params(SuggestionsQuery),
    responses((status = 200, body = Page<SuggestionSummary>, description = "A page of voices"), Problem))]
async fn list_suggestions(
    State(app): State<App>,
    actor: Actor,
    Query(query): Query<SuggestionsQuery>,
) -> Result<Json<Page<SuggestionSummary>>> {
    queries::list(app.store.read(), &app.keys, &actor, query).await.map(Json)
}

/// Open one voice. A handler's opening of one that is not public is written down, and the author sees it.
#[utoipa::path(get, path = "/v1/suggestions/{id}", tag = "suggestions", operation_id = "read_suggestion",
    params(("id" = String, Path, description = "The voice")),
    responses((status = 200, body = SuggestionView, description = "The voice"), Problem))]
async fn read_suggestion(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<SuggestionId>,
) -> Result<Json<SuggestionView>> {
    queries::open(&app, &actor, id).await.map(Json)
}

/// Take care of a voice.
#[utoipa::path(post, path = "/v1/suggestions/{id}/accept", tag = "suggestions", operation_id = "accept_suggestion",
    params(("id" = String, Path, description = "The voice")),
    responses((status = 200, body = SuggestionSummary, description = "Accepted"), Problem))]
async fn accept_suggestion(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(id): Path<SuggestionId>,
) -> Result<Json<SuggestionSummary>> {
    app.once(actor, key, "accept_suggestion", id, |tx, actor, id| Box::pin(commands::accept(tx, actor, id)))
        .await
        .map(Json)
}

/// Give a voice to somebody of the body responsible.
#[utoipa::path(post, path = "/v1/suggestions/{id}/assign", tag = "suggestions", operation_id = "assign_suggestion",
    params(("id" = String, Path, description = "The voice")), request_body = AssignSuggestion,
    responses((status = 200, body = SuggestionSummary, description = "Assigned"), Problem))]
async fn assign_suggestion(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(id): Path<SuggestionId>,
    Input(input): Input<AssignSuggestion>,
) -> Result<Json<SuggestionSummary>> {
    app.once(actor, key, "assign_suggestion", (id, input), |tx, actor, input| {
        Box::pin(commands::assign(tx, actor, input))
    })
    .await
    .map(Json)
}

/// Answer a voice.
#[utoipa::path(post, path = "/v1/suggestions/{id}/answers", tag = "suggestions", operation_id = "answer_suggestion",
    params(("id" = String, Path, description = "The voice")), request_body = AnswerSuggestion,
    responses((status = 201, body = SuggestionSummary, description = "Answered"), Problem))]
async fn answer_suggestion(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(id): Path<SuggestionId>,
    Input(input): Input<AnswerSuggestion>,
) -> Result<Created<SuggestionSummary>> {
    app.once(actor, key, "answer_suggestion", (id, input), |tx, actor, input| {
        Box::pin(commands::answer(tx, actor, input))
    })
    .await
    .map(Created)
}

/// Let a clip say the newest answer to a voice, in place of the one before.
#[utoipa::path(put, path = "/v1/suggestions/{id}/answer-clip", tag = "suggestions", operation_id = "speak_answer",
    params(("id" = String, Path, description = "The voice")), request_body = SpeakAnswer,
    responses((status = 200, body = SuggestionSummary, description = "Heard by whoever may read the answer"),
        (status = "default", body = Problem, description = "Refused; `wrong_state` when there is no answer",
            content_type = "application/problem+json")))]
async fn speak_answer(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(id): Path<SuggestionId>,
    Input(input): Input<SpeakAnswer>,
) -> Result<Json<SuggestionSummary>> {
    app.once(actor, key, "speak_answer", (id, input), |tx, actor, input| {
        Box::pin(commands::speak_answer(tx, actor, input))
    })
    .await
    .map(Json)
}

/// Rate the answer to one's own voice; 1 and 2 open it again, also what was rated as solved within 30 days.
#[utoipa::path(post, path = "/v1/suggestions/{id}/rating", tag = "suggestions", operation_id = "rate_suggestion",
    params(("id" = String, Path, description = "The voice")), request_body = RateSuggestion,
    responses((status = 201, body = SuggestionView, description = "Rated, or opened again"), Problem))]
async fn rate_suggestion(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(id): Path<SuggestionId>,
    Input(input): Input<RateSuggestion>,
) -> Result<Created<SuggestionView>> {
    app.once(actor, key, "rate_suggestion", (id, input), |tx, actor, input| Box::pin(commands::rate(tx, actor, input)))
        .await
        .map(Created)
}

/// Write down what somebody for whom a voice was taken down says of the answer when called back.
#[utoipa::path(post, path = "/v1/suggestions/{id}/call-back", tag = "suggestions", operation_id = "call_back",
    params(("id" = String, Path, description = "The voice")), request_body = RateSuggestion,
    responses((status = 201, body = SuggestionSummary, description = "Rated, or opened again"), Problem))]
async fn call_back(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(id): Path<SuggestionId>,
    Input(input): Input<RateSuggestion>,
) -> Result<Created<SuggestionSummary>> {
    app.once(actor, key, "call_back", (id, input), |tx, actor, input| Box::pin(commands::call_back(tx, actor, input)))
        .await
        .map(Created)
}

/// Ask another body to take a voice; the own stays responsible until it does.
#[utoipa::path(post, path = "/v1/suggestions/{id}/referrals", tag = "suggestions", operation_id = "refer_suggestion",
    params(("id" = String, Path, description = "The voice")), request_body = ReferSuggestion,
    responses((status = 200, body = SuggestionSummary, description = "Asked"), Problem))]
async fn refer_suggestion(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(id): Path<SuggestionId>,
    Input(input): Input<ReferSuggestion>,
) -> Result<Json<SuggestionSummary>> {
    app.once(actor, key, "refer_suggestion", (id, input), |tx, actor, input| {
        Box::pin(referrals::refer(tx, actor, input))
    })
    .await
    .map(Json)
}

/// Keep a voice although another body was asked to take it.
#[utoipa::path(post, path = "/v1/suggestions/{id}/keep", tag = "suggestions", operation_id = "keep_suggestion",
    params(("id" = String, Path, description = "The voice")),
    responses((status = 200, body = SuggestionSummary, description = "Kept"), Problem))]
async fn keep_suggestion(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(id): Path<SuggestionId>,
) -> Result<Json<SuggestionSummary>> {
    app.once(actor, key, "keep_suggestion", id, |tx, actor, id| Box::pin(referrals::keep(tx, actor, id)))
        .await
        .map(Json)
}

/// Voices that others want to pass on to a body for which one speaks: without their words.
#[utoipa::path(get, path = "/v1/referrals", tag = "suggestions", operation_id = "list_referrals",
    responses((status = 200, body = Vec<ReferralOffer>, description = "The most urgent first, 100 at most"), Problem))]
async fn list_referrals(State(app): State<App>, actor: Actor) -> Result<Json<Vec<ReferralOffer>>> {
    referrals::offers(app.store.read(), &app.keys, &actor).await.map(Json)
}

/// Take a voice that another body passes on.
#[utoipa::path(post, path = "/v1/referrals/{id}/accept", tag = "suggestions", operation_id = "accept_referral",
    params(("id" = String, Path, description = "The offer")),
    responses((status = 200, body = SuggestionSummary, description = "Taken: the own body is responsible"), Problem))]
async fn accept_referral(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(id): Path<ReferralId>,
) -> Result<Json<SuggestionSummary>> {
    app.once(actor, key, "accept_referral", id, |tx, actor, id| Box::pin(referrals::accept(tx, actor, id)))
        .await
        .map(Json)
}

/// Do not take it, and say who should.
#[utoipa::path(post, path = "/v1/referrals/{id}/refuse", tag = "suggestions", operation_id = "refuse_referral",
    params(("id" = String, Path, description = "The offer")), request_body = RefuseReferral,
    responses((status = 204, description = "Not taken"), Problem))]
async fn refuse_referral(
    State(app): State<App>,
    actor: Actor,
    key: IdempotencyKey,
    Path(id): Path<ReferralId>,
    Input(input): Input<RefuseReferral>,
) -> Result<StatusCode> {
    app.once(actor, key, "refuse_referral", (id, input), |tx, actor, input| {
        Box::pin(referrals::refuse(tx, actor, input))
    })
    .await
    .map(|()| StatusCode::NO_CONTENT)
}

/// Say of a public voice that it is one's own, too, or no longer.
#[utoipa::path(put, path = "/v1/suggestions/{id}/cosign", tag = "suggestions", operation_id = "cosign_suggestion",
    params(("id" = String, Path, description = "The voice")), request_body = Cosign,
    responses((status = 200, body = SuggestionSummary, description = "Counted once, or no longer"), Problem))]
async fn cosign_suggestion(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<SuggestionId>,
    Input(input): Input<Cosign>,
) -> Result<Json<SuggestionSummary>> {
    app.store.write(move |tx| Box::pin(async move { cosigns::cosign(tx, &actor, (id, input)).await })).await.map(Json)
}

/// How many stand behind a public voice, beside how many the law asks for before a meeting must be called.
#[utoipa::path(get, path = "/v1/suggestions/{id}/support", tag = "suggestions", operation_id = "read_support",
    params(("id" = String, Path, description = "The voice")),
    responses((status = 200, body = SupportView, description = "Counted now"), Problem))]
async fn read_support(State(app): State<App>, actor: Actor, Path(id): Path<SuggestionId>) -> Result<Json<SupportView>> {
    support::support(&app, &actor, id).await.map(Json)
}

/// Own voices, and public ones of the village, that say much the same as what one is about to say. The words are not kept.
#[utoipa::path(post, path = "/v1/suggestions/similar", tag = "suggestions", operation_id = "similar_suggestions",
    request_body = AboutToSay,
    responses((status = 200, body = Vec<SimilarVoice>, description = "One's own first, the most alike first; 3 at most"), Problem))]
async fn similar_suggestions(
    State(app): State<App>,
    actor: Actor,
    Input(about): Input<AboutToSay>,
) -> Result<Json<Vec<SimilarVoice>>> {
    similar::similar(&app, &actor, &about).await.map(Json)
}

/// A photo or clip, for whoever may see what it is attached to.
#[utoipa::path(get, path = "/v1/media/{id}", tag = "media", operation_id = "read_media",
    params(("id" = String, Path, description = "The photo or clip"), SizeQuery),
    responses((status = 200, description = "The file", content((String = "image/jpeg"), (String = "audio/*"))),
        (status = 206, description = "The range asked for", content((String = "image/jpeg"), (String = "audio/*"))),
        (status = 304, description = "The client has it"), Problem))]
async fn read_media(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<MediaId>,
    Query(query): Query<SizeQuery>,
    headers: HeaderMap,
) -> Result<Response> {
    let row = media::queries::row(app.store.read(), id).await?.ok_or(Code::NotFound)?;
    allow(&app, &actor, &row).await?;
    media::serve(&app, &row, (query.size, Keeping::AskAgain), &headers).await
}

/// The owner always; of a voice and its answers, whoever may see the voice (and a handler leaves a trace), and of a hidden one
/// whoever decides whether it stays so; of what is public, whoever sees what is public there; nobody else, whatever it may be
/// attached to one day.
async fn allow(app: &App, actor: &Actor, row: &Media) -> Result<()> {
    if row.subject_kind.as_deref() == Some(reports::commands::MEDIA_KIND) {
        return reports::queries::let_see(app.store.read(), actor, row).await;
    }
    // an answer belongs to the voice, not to who spoke it: a clerk who left hears it no more; and so it is with what others
    // signed, with what is shown to a legal officer, and with a mediation
    let given_away = [media::ANSWER, media::COSIGN_SHEET, media::CONTRACT, media::MEDIATION];
    let is_given_away = row.subject_kind.as_deref().is_some_and(|kind| given_away.contains(&kind));
    if row.owner_id == actor.person && !is_given_away {
        return Ok(());
    }
    let (Some(kind), Some(subject)) = (row.subject_kind.as_deref(), row.subject_id.as_deref()) else {
        return Err(Code::NotFound.into());
    };
    if kind == SUBJECT_KIND {
        let voice = queries::of_media(app.store.read(), subject).await?.ok_or(Code::NotFound)?;
        if super::hidings::decides(actor, &voice) {
            return Ok(());
        }
        if !rules::sees_media(&voice, rules::standing(actor, &voice)) {
            return inspections::let_in(app, actor, &voice, Opening::Attachment).await;
        }
        return readings::let_in(app, actor, &voice, Opening::Attachment).await;
    }
    if kind == media::ANSWER {
        let voice = answers::of_clip(app.store.read(), subject).await?.ok_or(Code::NotFound)?;
        return readings::let_in(app, actor, &voice, Opening::Attachment).await;
    }
    if kind == media::COSIGN_SHEET {
        return super::cosign_sheets::let_in(app, actor, subject).await;
    }
    if kind == streams::commands::MEDIA_KIND {
        let stream = subject.parse().map_err(Error::broken)?;
        return streams::queries::readable(app.store.read(), actor, stream).await.map(|_| ());
    }
    if kind == moderation::commands::MEDIA_KIND {
        let sees = moderation::queries::sees_media(app.store.read(), actor, subject).await?;
        return if sees { Ok(()) } else { Err(Code::NotFound.into()) };
    }
    let sees = |area: &str| if kind == "task" { actor.reads_records(area) } else { actor.sees(area) };
    let is_public = PUBLIC_KINDS.contains(&kind) && row.area_code.as_deref().is_some_and(sees);
    if is_public { Ok(()) } else { Err(Code::NotFound.into()) }
}
