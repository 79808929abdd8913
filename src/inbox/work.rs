//! What follows from a message: a voice, an entry in its thread, or an answer that says how to begin.
use futures_util::future::join_all;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use super::{commands, rows::letter, rules};
use crate::{
    actor::Actor,
    app::App,
    error::{Code, Result},
    gateways::{
        Letter,
        wechat::{Failure, WechatApp, account::GONE, inbound::Said},
    },
    ids::{MediaId, SessionId, StreamId, SuggestionId},
    media, people,
    store::Tx,
    streams::commands::{SendMessage, send},
    suggestions::{self, Category, ReplyWish, SubmitSuggestion, SuggestionKind, Urgency, Visibility},
    text,
    wechat::{self, Account},
};

/// Worked on in one round of the sweep.
const ROUND: u64 = 20;
/// What is said to who begins, and to who sent a film; and why nothing becomes of the message.
const HELLO: (&str, &str) = ("wechat-hello", "hello");
const NO_FILM: (&str, &str) = ("wechat-no-film", "film");

/// Works on what is due: after a restart, and what could not be done before.
///
/// # Errors
/// When the database cannot be read.
pub async fn run_due(app: &App) -> Result<()> {
    let due = letter::Entity::find()
        .filter(letter::Column::State.eq(rules::WAITING))
        .filter(letter::Column::DueAt.lte(app.now()))
        .order_by_asc(letter::Column::CreatedAt)
        .limit(ROUND)
        .all(app.store.read())
        .await?;
    join_all(due.into_iter().map(|row| try_once(app, row.id))).await;
    Ok(())
}

/// Works on one message. What fails is put back, and given up in the end.
pub(super) async fn try_once(app: &App, id: Uuid) {
    let tried = async {
        let Some(row) = app.store.write(move |tx| Box::pin(commands::claim(tx, id))).await? else { return Ok(()) };
        let kept = row.clone();
        match follow(app, &row).await {
            Ok(()) => Ok(()),
            Err(Stop::Later(why)) => {
                app.store.write(move |tx| Box::pin(async move { commands::put_back(tx, &kept, why).await })).await
            }
            Err(Stop::Refused(code)) => {
                // another has it by now, and may fare better
                if !commands::is_held(app.store.read(), &kept).await? {
                    return Ok(());
                }
                tell(app, &kept, "wechat-refused").await?;
                app.store
                    .write(move |tx| Box::pin(async move { commands::ended(tx, &kept, code.as_str()).await }))
                    .await
            }
            Err(Stop::Broken(error)) => {
                app.store
                    .write(move |tx| Box::pin(async move { commands::put_back(tx, &kept, "broken").await }))
                    .await?;
                Err(error)
            }
        }
    };
    if let Err(error) = tried.await {
        tracing::error!(%error, letter = %id, "a message from WeChat");
    }
}

/// Why a message is not done.
enum Stop {
    Later(&'static str),
    Refused(Code),
    Broken(crate::error::Error),
}

impl From<crate::error::Error> for Stop {
    fn from(error: crate::error::Error) -> Self {
        match error.code() {
            Code::Busy | Code::StorageFull | Code::ShuttingDown | Code::TooManyRequests => Self::Later("busy"),
            // WeChat has the file for three days, the bucket will be back before
            Code::MediaUnavailable => Self::Later("media"),
            // done by another: what is put back is only what still waits
            Code::Changed => Self::Later("done"),
            Code::Internal => Self::Broken(error),
            code => Self::Refused(code),
        }
    }
}

async fn follow(app: &App, row: &letter::Model) -> std::result::Result<(), Stop> {
    let account = wechat::queries::row(app.store.read(), row.account_id).await?;
    let Some(account) = account else { return Err(Stop::Refused(Code::NotFound)) };
    let said = commands::said(app, row)?;
    match said {
        Said::Subscribe { .. } | Said::Click { .. } => return answer(app, row, HELLO).await,
        Said::Film => return answer(app, row, NO_FILM).await,
        _ => {}
    }
    let Some(actor) = speaker(app, row).await? else { return answer(app, row, HELLO).await };
    let (words, place, media) = match said {
        Said::Text { text } => (text, String::new(), None),
        Said::Place { label, at } => {
            (text::say_with("wechat-place", &[("label", label.clone().into()), ("at", at.into())]), label, None)
        }
        Said::Photo { media_id } => {
            (text::say("wechat-photo"), String::new(), Some(fetched(app, &account, &actor, &media_id).await?))
        }
        // what WeChat heard is a help for the reader, not what was said
        Said::Voice { media_id, .. } => {
            (String::new(), String::new(), Some(fetched(app, &account, &actor, &media_id).await?))
        }
        Said::Subscribe { .. } | Said::Click { .. } | Said::Film => return Ok(()),
        Said::Scan { .. } | Said::Unsubscribe => return Ok(()),
        Said::Consent { .. } | Said::Result { .. } | Said::Other { .. } => return Ok(()),
    };
    let (id, is_photo) = (row.id, media.is_some() && !words.is_empty());
    let account_id = account.id;
    let said = Spoken { words, place: place.chars().take(100).collect(), media, is_photo };
    let fresh =
        app.store.write(move |tx| Box::pin(async move { become_voice(tx, &actor, (id, account_id), said).await }));
    if fresh.await? {
        tell(app, row, "wechat-received").await?;
    }
    Ok(())
}

/// Ready to be a voice or an entry.
struct Spoken {
    words: String,
    place: String,
    media: Option<MediaId>,
    /// The words stand for the photo, where a voice needs some.
    is_photo: bool,
}

/// One unit: what it becomes, and that it is done. Says whether a new voice began.
async fn become_voice(
    tx: &Tx,
    actor: &Actor,
    (id, account): (Uuid, crate::ids::WechatAccountId),
    said: Spoken,
) -> Result<bool> {
    let word = text::say("wechat-new");
    let anew = rules::begins_anew(&said.words, &word).map(str::to_owned);
    let open = if anew.is_some() { None } else { open_thread(tx, actor, account).await? };
    let words = anew.unwrap_or(said.words);
    let media: Vec<MediaId> = said.media.into_iter().collect();
    if let Some((voice, stream)) = open {
        let text = if said.is_photo { String::new() } else { words };
        let message = SendMessage { text, media, ..SendMessage::words(id, String::new()) };
        send(tx, actor, (stream, message)).await?;
        once(commands::done(tx, id, voice).await?)?;
        return Ok(false);
    }
    let input = SubmitSuggestion {
        kind: SuggestionKind::Suggestion,
        visibility: Visibility::Handlers,
        text: words,
        place: said.place,
        media,
        about_person_id: None,
        category: Category::Other,
        urgency: Urgency::Ordinary,
        reply_wish: ReplyWish::Here,
        is_flagged: false,
    };
    let voice = suggestions::commands::submit(tx, actor, input).await?;
    once(commands::done(tx, id, voice.id).await?)?;
    Ok(true)
}

/// A worker whose lease ran out, and whose message another has done meanwhile, undoes the whole unit.
fn once(is_first: bool) -> Result<()> {
    if is_first { Ok(()) } else { Err(Code::Changed.into()) }
}

/// The newest voice that came from this account and still takes words, with its thread.
async fn open_thread(
    tx: &Tx,
    actor: &Actor,
    account: crate::ids::WechatAccountId,
) -> Result<Option<(SuggestionId, StreamId)>> {
    let newest = letter::Entity::find()
        .filter(letter::Column::AccountId.eq(account))
        .filter(letter::Column::SuggestionId.is_not_null())
        .filter(letter::Column::CreatedAt.gt(tx.now() - rules::SAME_THREAD))
        .order_by_desc(letter::Column::CreatedAt)
        .order_by_desc(letter::Column::Id)
        .one(tx)
        .await?;
    let Some(id) = newest.and_then(|row| row.suggestion_id) else { return Ok(None) };
    let voice = suggestions::queries::row(tx, id).await?.filter(|row| row.author_id == actor.person);
    Ok(voice.filter(|row| rules::is_open(row.state)).map(|row| (row.id, row.stream_id)))
}

/// Whom the account belonged to when the message came, without any seat: by the account one speaks as a resident.
async fn speaker(app: &App, row: &letter::Model) -> Result<Option<Actor>> {
    let Some(id) = row.person_id else { return Ok(None) };
    let person = people::person(app.store.read(), id).await?.filter(|person| person.left_on.is_none());
    let session = SessionId(Uuid::nil());
    Ok(person.map(|one| Actor {
        person: one.id,
        session,
        name: one.name,
        area: one.area,
        seats: Vec::new(),
        phone_listed_at: None,
    }))
}

/// Fetches a file and keeps it as the person's; what it is follows from its bytes.
async fn fetched(app: &App, account: &Account, actor: &Actor, media_id: &str) -> std::result::Result<MediaId, Stop> {
    let of = WechatApp::parse(&account.app).and_then(|of| app.gateways.wechat.account(of));
    let Some(of) = of else { return Err(Stop::Later("not_set_up")) };
    match of.media(media_id).await {
        Ok(file) => Ok(media::take_bytes(app, actor.clone(), &file.bytes).await?.id),
        Err(Failure::Said { code: GONE, .. }) => Err(Stop::Refused(Code::MediaNotUsable)),
        Err(failure) => {
            tracing::warn!(%failure, "a file from WeChat");
            Err(Stop::Later("media"))
        }
    }
}

/// Says how to begin, or that this cannot be kept; where the account may speak.
async fn answer(app: &App, row: &letter::Model, (key, why): (&str, &'static str)) -> std::result::Result<(), Stop> {
    // another has it by now, and says it
    if !commands::is_held(app.store.read(), row).await? {
        return Ok(());
    }
    tell(app, row, key).await?;
    let kept = row.clone();
    app.store.write(move |tx| Box::pin(async move { commands::ended(tx, &kept, why).await })).await?;
    Ok(())
}

/// Says one of our sentences in the conversation, with the way in for who is not bound; nothing when the account has
/// another owner by now.
async fn tell(app: &App, row: &letter::Model, key: &str) -> Result<()> {
    let Some(account) = wechat::queries::row(app.store.read(), row.account_id).await? else { return Ok(()) };
    let is_bound = account.person_id.is_some();
    if row.person_id.is_some() && row.person_id != account.person_id {
        return Ok(());
    }
    let base = app.config.public_url.trim_end_matches('/');
    let (key, path) = if is_bound { (key, "/suggestions") } else { ("wechat-bind-first", "/wechat") };
    let answer =
        Letter { id: row.id.to_string(), text: text::say(key), link: format!("{base}{path}"), ..Letter::default() };
    let end = wechat::send::reply(app, &account, &answer).await?;
    tracing::debug!(outcome = end.word(), "answered in the conversation");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_that_is_away_loses_no_message() {
        for code in [Code::MediaUnavailable, Code::Busy, Code::StorageFull] {
            assert!(matches!(Stop::from(code.after_secs(10)), Stop::Later(_)), "{code:?}");
        }
        assert!(matches!(
            Stop::from(crate::error::Error::from(Code::MediaUnsupported)),
            Stop::Refused(Code::MediaUnsupported)
        ));
    }
}
