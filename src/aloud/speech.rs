//! The speech command: a program of the operator's that gets words and writes a recording, within limits.
use std::time::Duration;

use uuid::Uuid;

use super::{
    commands,
    queries::{self, Subject},
    rows::clip,
    rules,
};
use crate::{
    actor::Actor,
    app::App,
    config::Config,
    error::{Code, Error, Result},
    ids::{MediaId, PersonId, SessionId},
    media, people,
    programs::{self, Limits},
    text,
};

/// Things said in one round; what waits longer waits for the next.
const AT_ONCE: usize = 20;
/// A program that takes longer is ended; it may write as much as everybody's clips, and must leave memory to us.
const LIMITS: Limits = Limits {
    longest: Duration::from_secs(60),
    output: 2 * 1024 * 1024,
    memory: 2 * 1024 * 1024 * 1024,
    reads_strangers: false,
};

/// One round: what hangs or is open and has no clip is said, one after the other. Says how many clips were made. Does
/// nothing without a command.
///
/// # Errors
/// When the database fails; a program that fails is only told of in the log.
pub async fn run_due(app: &App) -> Result<u64> {
    if app.config.speech_command.trim().is_empty() {
        return Ok(0);
    }
    let mut made = 0;
    for _ in 0..AT_ONCE {
        let Some(row) = app.store.write(|tx| Box::pin(commands::claim(tx))).await? else { break };
        let subject = queries::subject(app.store.read(), (row.about, row.subject_id)).await?;
        let outcome = say(app, &row, &subject).await;
        match outcome {
            Ok(is_made) => made += u64::from(is_made),
            // none of the command's: no try is used up, and the next clip would fare no better
            Err(error) if matches!(error.code(), Code::MediaUnavailable | Code::Busy | Code::StorageFull) => {
                tracing::warn!(%error, about = row.about.as_str(), "what is to be said aloud waits");
                app.store.write(move |tx| Box::pin(async move { commands::give_back(tx, &row).await })).await?;
                break;
            }
            Err(error) => tracing::warn!(%error, about = row.about.as_str(), tries = row.tries, "the speech command"),
        }
    }
    Ok(made)
}

/// Does the command of these settings say something that would be taken?
///
/// # Errors
/// Why not.
pub async fn check_command(config: &Config) -> Result<()> {
    let words = text::say("aloud-trial");
    let spoken = run(&config.speech_command, &words).await?;
    tokio::task::spawn_blocking(move || media::check_clip(&spoken)).await.map_err(Error::broken)?
}

async fn say(app: &App, row: &clip::Model, subject: &Subject) -> Result<bool> {
    let Some(owner) = subject.by.filter(|_| subject.is_current && subject.version == row.version) else {
        let which = (row.about, row.subject_id);
        app.store.write(move |tx| Box::pin(async move { commands::end_trying(tx, which).await })).await?;
        return Ok(false);
    };
    let spoken = run(&app.config.speech_command, &rules::cut(&subject.words)).await?;
    let id = keep(app, owner, &spoken).await?;
    let row = row.clone();
    app.store.write(move |tx| Box::pin(async move { commands::put_made(tx, (&row, owner), id).await })).await
}

/// Inspected and kept like what anybody sends, in the name of who published or opened.
async fn keep(app: &App, owner: PersonId, bytes: &[u8]) -> Result<MediaId> {
    let person = people::person(app.store.read(), owner).await?.ok_or_else(|| Error::broken("published by nobody"))?;
    let session = SessionId(Uuid::nil());
    let actor = Actor {
        person: owner,
        session,
        name: person.name,
        area: person.area,
        seats: Vec::new(),
        phone_listed_at: None,
    };
    Ok(media::take_bytes(app, actor, bytes).await?.id)
}

async fn run(command: &str, words: &str) -> Result<Vec<u8>> {
    programs::run(&command.split_whitespace().collect::<Vec<_>>(), words.as_bytes(), LIMITS).await
}
