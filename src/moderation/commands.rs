//! Sending where something may be held; deciding about what is; objecting to a refusal.
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, ExprTrait, PaginatorTrait, QueryFilter, Set,
    sea_query::{Expr, OnConflict},
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::{
    queries::{self, HeldView, place},
    rows::{held, reviewed},
    rules,
};
use crate::{
    actor::Actor,
    app::App,
    bodies::{self, Right},
    error::{Checks, Code, Error, Result},
    events::{self, Happening, Kind},
    ids::{HeldId, PersonId, SessionId, StreamId},
    media, people, seals,
    store::Tx,
    streams::{
        self,
        commands::{SendMessage, Sent},
    },
    wordlist::WordList,
};

/// What photos and clips of held messages are attached to.
pub const MEDIA_KIND: &str = "held";

/// Whether messages are looked at first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetReview {
    /// Every message, but of who leads the conversation?
    pub is_on: bool,
}

/// What becomes of a held message.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DecideHeld {
    /// Show it? It is refused otherwise.
    pub approve: bool,
    /// Read by its author; 2 to 200 characters, needed for a refusal.
    #[serde(default)]
    #[schema(max_length = 200)]
    pub reason: String,
}

/// Why its author holds a refusal for wrong.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AppealHeld {
    /// 2 to 200 characters.
    #[schema(min_length = 2, max_length = 200)]
    pub text: String,
}

/// What became of a message that somebody sent.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// It stands in the conversation.
    Sent(Sent),
    /// It waits.
    Held(Box<HeldView>),
}

/// Messages in this conversation are looked at first, or no longer. Records `review.changed`.
///
/// # Errors
/// `not_found` for what the actor cannot read; `not_allowed` for who does not lead it, and where nothing is held.
pub async fn set_review(tx: &Tx, actor: &Actor, (id, input): (StreamId, SetReview)) -> Result<SetReview> {
    let leads = streams::queries::leads(tx, actor, id).await?;
    let (stream, _) = streams::queries::readable(tx, actor, id).await?;
    if !leads || !rules::may_be_held(&stream.kind) {
        return Err(Code::NotAllowed.into());
    }
    if queries::is_reviewed(tx, id).await? == input.is_on {
        return Ok(input);
    }
    if input.is_on {
        let row = reviewed::ActiveModel { stream_id: Set(id), set_by: Set(actor.person), since: Set(tx.now()) };
        let again = OnConflict::column(reviewed::Column::StreamId).update_column(reviewed::Column::SetBy).to_owned();
        reviewed::Entity::insert(row).on_conflict(again).exec_without_returning(tx).await?;
    } else {
        reviewed::Entity::delete_by_id(id).exec(tx).await?;
    }
    let mut happening = Happening::new(Kind::ReviewChanged, id).by(actor.person).with(json!({ "on": input.is_on }));
    happening.area = stream.area_code;
    events::record(tx, happening).await?;
    Ok(input)
}

/// Sends a message, together with what others say at the moment, or holds it. What is sent while the review is switched on
/// counts as sent before.
///
/// # Errors
/// As [`send`].
pub async fn speak(app: &App, actor: Actor, (id, message): (StreamId, SendMessage)) -> Result<Outcome> {
    let together = async || {
        app.store.read_together(queries::Spoken(id), |db, spoken| Box::pin(queries::are_reviewed(db, spoken))).await
    };
    if app.words.find(&message.text).is_none() && !together().await? {
        return streams::commands::speak(app, actor, (id, message)).await.map(Outcome::Sent);
    }
    let words = app.words.clone();
    app.store.write(move |tx| Box::pin(async move { send(tx, &words, &actor, (id, message)).await })).await
}

/// Sends a message, or holds it. The same `client_id` again gives the first answer. Records `message.held`.
///
/// # Errors
/// As [`streams::commands::send`]; `too_many_requests` for who has too much waiting.
pub async fn send(tx: &Tx, words: &WordList, actor: &Actor, (id, message): (StreamId, SendMessage)) -> Result<Outcome> {
    let flagged = words.find(&message.text);
    let is_reviewed = queries::is_reviewed(tx, id).await?;
    if flagged.is_none() && !is_reviewed {
        return streams::commands::send(tx, actor, (id, message)).await.map(Outcome::Sent);
    }
    let known = held::Entity::find()
        .filter(held::Column::AuthorId.eq(actor.person))
        .filter(held::Column::ClientId.eq(message.client_id));
    match known.one(tx).await? {
        Some(row) if row.stream_id != id => return Err(Code::IdempotencyMismatch.into()),
        Some(row) if row.state != rules::APPROVED => {
            return Ok(Outcome::Held(Box::new(queries::view(tx, row, actor).await?)));
        }
        _ => {}
    }
    // what was sent before is not held afterwards
    let is_new = streams::commands::check_send(tx, actor, (id, &message)).await?;
    let (stream, _) = streams::queries::readable(tx, actor, id).await?;
    let is_held = is_new && rules::may_be_held(&stream.kind) && !streams::queries::leads(tx, actor, id).await?;
    if !is_held {
        return streams::commands::send(tx, actor, (id, message)).await.map(Outcome::Sent);
    }
    let reason = if is_reviewed { rules::REVIEW } else { flagged.unwrap_or(rules::REVIEW) };
    hold(tx, actor, (id, message), reason.to_owned()).await
}

/// Refuses what would be shown at once where messages are looked at first, and cannot be held.
///
/// # Errors
/// `not_found` for what the actor cannot read; `not_allowed` for who does not lead a conversation that is reviewed.
pub async fn require_free(tx: &Tx, actor: &Actor, stream: StreamId) -> Result<()> {
    if !queries::is_reviewed(tx, stream).await? || streams::queries::leads(tx, actor, stream).await? {
        return Ok(());
    }
    Err(Code::NotAllowed.into())
}

/// Refuses words of the list in what cannot be held; not of who leads the conversation. `shown`: by field.
///
/// # Errors
/// `not_found` for what the actor cannot read; `invalid_fields`.
pub async fn require_fit(
    tx: &Tx,
    words: &WordList,
    actor: &Actor,
    (stream, shown): (StreamId, &[(&str, String)]),
) -> Result<()> {
    let mut checks = Checks::default();
    for (field, _) in shown.iter().filter(|(_, text)| words.find(text).is_some()) {
        checks.wrong(*field, "unfit_words");
    }
    match checks.done() {
        Err(refused) if !streams::queries::leads(tx, actor, stream).await? => Err(refused),
        _ => Ok(()),
    }
}

async fn hold(
    tx: &Tx,
    actor: &Actor,
    (stream_id, message): (StreamId, SendMessage),
    reason: String,
) -> Result<Outcome> {
    let waiting = held::Entity::find()
        .filter(held::Column::AuthorId.eq(actor.person))
        .filter(held::Column::State.eq(rules::WAITING))
        .count(tx)
        .await?;
    if waiting >= rules::MAX_WAITING {
        return Err(Code::TooManyRequests.into());
    }
    let (stream, _) = streams::queries::readable(tx, actor, stream_id).await?;
    let area = stream.area_code.unwrap_or_else(|| actor.area.clone());
    let id = HeldId::new();
    let to = media::Subject { kind: MEDIA_KIND, id: &id.to_string(), area: &area };
    let attached = media::attach(tx, actor.person, &message.media, to).await?;
    media::check_said(&attached)?;
    let (key, key_id) = seals::commands::make(tx, actor.person).await?;
    let body = serde_json::to_string(&message).map_err(Error::broken)?;
    let row = held::ActiveModel {
        id: Set(id),
        stream_id: Set(stream_id),
        author_id: Set(actor.person),
        client_id: Set(message.client_id),
        area_code: Set(area.clone()),
        reason: Set(reason.clone()),
        key_id: Set(key_id),
        body: Set(key.seal_text(&place(id), &body)?),
        state: Set(rules::WAITING.to_owned()),
        decided_by: Set(None),
        decision_reason: Set(None),
        decided_at: Set(None),
        appeal: Set(None),
        appealed_at: Set(None),
        appeal_decided_by: Set(None),
        appeal_reason: Set(None),
        appeal_decided_at: Set(None),
        sent_seq: Set(None),
        created_at: Set(tx.now()),
    };
    let row = row.insert(tx).await?;
    record(tx, Kind::MessageHeld, (&row, actor.person), json!({ "stream": stream_id, "reason": reason })).await?;
    Ok(Outcome::Held(Box::new(queries::view(tx, row, actor).await?)))
}

/// Shows a held message, or refuses it with a reason. Records `message.approved` or `message.refused`.
///
/// # Errors
/// `not_found` for who does not decide there; `not_allowed` about the own message; `wrong_state` when it is decided, or
/// its author could not send it any more; `invalid_fields`.
pub async fn decide(tx: &Tx, actor: &Actor, (id, input): (HeldId, DecideHeld)) -> Result<HeldView> {
    let row = held::Entity::find_by_id(id).one(tx).await?.ok_or(Code::NotFound)?;
    if !queries::decides(tx, actor, &row).await? {
        return Err(Code::NotFound.into());
    }
    require_other(actor, &row, &[])?;
    let reason = checked(&input)?;
    let state = if input.approve { rules::APPROVED } else { rules::REFUSED };
    let row = moved(tx, (id, rules::WAITING, state), |update| {
        update
            .col_expr(held::Column::DecidedBy, Expr::value(actor.person))
            .col_expr(held::Column::DecisionReason, Expr::value(reason.clone()))
            .col_expr(held::Column::DecidedAt, Expr::value(tx.now()))
    })
    .await?;
    let kind = if input.approve { Kind::MessageApproved } else { Kind::MessageRefused };
    let seq = if input.approve { Some(deliver(tx, &row).await?) } else { None };
    record(tx, kind, (&row, actor.person), json!({ "stream": row.stream_id, "seq": seq })).await?;
    queries::view(tx, found(tx, id).await?, actor).await
}

/// Its author holds the refusal for wrong, once. Records `message.appealed`.
///
/// # Errors
/// `not_found` for anybody else; `wrong_state` when it was not refused, or objected to before; `invalid_fields`.
pub async fn appeal(tx: &Tx, actor: &Actor, (id, input): (HeldId, AppealHeld)) -> Result<HeldView> {
    let row = held::Entity::find_by_id(id).one(tx).await?.filter(|row| row.author_id == actor.person);
    let row = row.ok_or(Code::NotFound)?;
    let mut checks = Checks::default();
    checks.text("text", &input.text, rules::REASON);
    checks.done()?;
    let key = seals::queries::open(tx, tx.keys(), row.key_id).await?.ok_or(Code::WrongState)?;
    let sealed = key.seal_text(&place(id), input.text.trim())?;
    let row = moved(tx, (id, rules::REFUSED, rules::APPEALED), |update| {
        update
            .col_expr(held::Column::Appeal, Expr::value(sealed.clone()))
            .col_expr(held::Column::AppealedAt, Expr::value(tx.now()))
    })
    .await?;
    record(tx, Kind::MessageAppealed, (&row, actor.person), json!({ "stream": row.stream_id })).await?;
    queries::view(tx, row, actor).await
}

/// Decides about an appeal: another person than who refused. Records `message.appeal_decided`.
///
/// # Errors
/// As [`decide`]; `second_person_needed` for who refused.
pub async fn decide_appeal(tx: &Tx, actor: &Actor, (id, input): (HeldId, DecideHeld)) -> Result<HeldView> {
    let row = held::Entity::find_by_id(id).one(tx).await?.ok_or(Code::NotFound)?;
    if !bodies::may(actor, Right::Moderate, &row.area_code) {
        return Err(Code::NotFound.into());
    }
    require_other(actor, &row, &[row.decided_by])?;
    let reason = checked(&input)?;
    let state = if input.approve { rules::APPROVED } else { rules::UPHELD };
    let row = moved(tx, (id, rules::APPEALED, state), |update| {
        update
            .col_expr(held::Column::AppealDecidedBy, Expr::value(actor.person))
            .col_expr(held::Column::AppealReason, Expr::value(reason.clone()))
            .col_expr(held::Column::AppealDecidedAt, Expr::value(tx.now()))
    })
    .await?;
    let seq = if input.approve { Some(deliver(tx, &row).await?) } else { None };
    let data = json!({ "stream": row.stream_id, "seq": seq, "outcome": state });
    record(tx, Kind::MessageAppealDecided, (&row, actor.person), data).await?;
    queries::view(tx, found(tx, id).await?, actor).await
}

/// Nobody decides about the own message, nor twice about the same.
fn require_other(actor: &Actor, row: &held::Model, before: &[Option<PersonId>]) -> Result<()> {
    if row.author_id == actor.person {
        return Err(Code::NotAllowed.into());
    }
    if before.contains(&Some(actor.person)) { Err(Code::SecondPersonNeeded.into()) } else { Ok(()) }
}

fn checked(input: &DecideHeld) -> Result<Option<String>> {
    let mut checks = Checks::default();
    checks.text("reason", &input.reason, if input.approve { 0..=*rules::REASON.end() } else { rules::REASON });
    checks.done()?;
    Ok(Some(input.reason.trim().to_owned()).filter(|reason| !reason.is_empty()))
}

/// From one state to another, once.
async fn moved(
    tx: &Tx,
    (id, from, to): (HeldId, &str, &str),
    change: impl FnOnce(sea_orm::UpdateMany<held::Entity>) -> sea_orm::UpdateMany<held::Entity>,
) -> Result<held::Model> {
    let update = change(held::Entity::update_many())
        .col_expr(held::Column::State, Expr::value(to))
        .filter(held::Column::Id.eq(id))
        .filter(held::Column::State.eq(from));
    update.exec_with_returning(tx).await?.into_iter().next().ok_or_else(|| Code::WrongState.into())
}

/// Sends it in its author's name; what was kept of it goes.
async fn deliver(tx: &Tx, row: &held::Model) -> Result<i64> {
    let key = seals::queries::open(tx, tx.keys(), row.key_id).await?.ok_or(Code::WrongState)?;
    let body = key.open_text(&place(row.id), &row.body)?;
    let message: SendMessage = serde_json::from_str(&body).map_err(Error::broken)?;
    let author = people::person(tx, row.author_id).await?.filter(|one| one.left_on.is_none());
    let author = author.ok_or(Code::WrongState)?;
    let author = Actor {
        person: author.id,
        session: SessionId::new(),
        name: author.name,
        area: author.area,
        seats: bodies::seats_of(tx, row.author_id, tx.now()).await?,
        phone_listed_at: None,
    };
    media::release(tx, author.person, (MEDIA_KIND, &row.id.to_string())).await?;
    let sent = streams::commands::send(tx, &author, (row.stream_id, message)).await;
    let sent = sent.map_err(|error| match error {
        // who decides is told that it cannot be shown any more, not why the author may not speak
        Error::Refused(_) => Code::WrongState.into(),
        other => other,
    })?;
    held::Entity::update_many()
        .col_expr(held::Column::Body, Expr::value(""))
        .col_expr(held::Column::SentSeq, Expr::value(sent.seq))
        .filter(held::Column::Id.eq(row.id))
        .exec(tx)
        .await?;
    seals::commands::destroy(tx, &[row.key_id]).await?;
    Ok(sent.seq)
}

async fn found(tx: &Tx, id: HeldId) -> Result<held::Model> {
    held::Entity::find_by_id(id).one(tx).await?.ok_or_else(|| Code::NotFound.into())
}

/// Destroys everything of this person's that was held, when the account is closed; gives their ids.
///
/// # Errors
/// When the database refuses.
pub async fn erase_of(tx: &Tx, author: PersonId) -> Result<Vec<HeldId>> {
    let gone = held::Entity::update_many()
        .col_expr(held::Column::Body, Expr::value(""))
        .col_expr(held::Column::Appeal, Expr::value(None::<String>))
        .filter(held::Column::AuthorId.eq(author))
        .exec_with_returning(tx)
        .await?;
    seals::commands::destroy(tx, &gone.iter().map(|row| row.key_id).collect::<Vec<_>>()).await?;
    Ok(gone.into_iter().map(|row| row.id).collect())
}

/// Destroys the words of what was refused long ago.
///
/// # Errors
/// When the database refuses.
pub async fn due(tx: &Tx) -> Result<u64> {
    let before = tx.now() - rules::KEPT;
    let over = sea_orm::Condition::any()
        .add(held::Column::State.eq(rules::REFUSED).and(held::Column::DecidedAt.lt(before)))
        .add(held::Column::State.eq(rules::UPHELD).and(held::Column::AppealDecidedAt.lt(before)));
    let old = held::Entity::update_many()
        .col_expr(held::Column::Body, Expr::value(""))
        .filter(over)
        .filter(held::Column::Body.ne(""))
        .exec_with_returning(tx)
        .await?;
    let keys: Vec<_> = old.iter().map(|row| row.key_id).collect();
    seals::commands::destroy(tx, &keys).await
}

async fn record(tx: &Tx, kind: Kind, (row, by): (&held::Model, PersonId), data: serde_json::Value) -> Result<()> {
    events::record(tx, Happening::new(kind, row.id).at(&row.area_code).by(by).with(data)).await?;
    Ok(())
}
