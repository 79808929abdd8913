//! 念给大家听: the text, and a recorder under it; on the desk's pages of notices, votes, matters and forms a card that leads there.
use askama::Template;
use axum::{extract::State, response::Response};
use uuid::Uuid;

use super::{
    frame::{Clerk, Desk, Draft},
    notices::may_publish,
};
use crate::{
    aloud::{self, About, ClipView, RecordClip},
    app::{App, Path},
    bodies::Right,
    error::{Code, Error, Result},
    ids::{MediaId, VoteId},
    pages::{
        fields::{Form, Sent, with_files},
        layout::{Page, render_as, see},
        words::Words,
    },
    text, votes,
};

/// The card on the page of the thing itself.
#[derive(Template)]
#[template(path = "desk/aloud_card.html")]
pub(super) struct Aloud {
    path: String,
    clip: Option<ClipView>,
    may_record: bool,
}

impl Aloud {
    /// Of this thing, in this area.
    pub(super) async fn of(app: &App, clerk: &Clerk, (about, id): (About, Uuid), area: &str) -> Result<Self> {
        let clip = clip(app, (about, id)).await?;
        Ok(Self { path: path(about, id), clip, may_record: may_record(app, clerk, (about, id), area).await? })
    }
}

fn path(about: About, id: Uuid) -> String {
    format!("/desk/aloud/{}/{id}", about.as_str())
}

async fn clip(app: &App, which: (About, Uuid)) -> Result<Option<ClipView>> {
    match aloud::queries::clip(app.store.read(), which).await {
        Ok(clip) => Ok(Some(clip)),
        Err(error) if error.code() == Code::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

async fn may_record(app: &App, clerk: &Clerk, (about, id): (About, Uuid), area: &str) -> Result<bool> {
    Ok(match about {
        About::Notice => may_publish(clerk, area),
        About::Vote => {
            let vote = votes::queries::vote(app.store.read(), VoteId(id)).await?;
            votes::office::may_run(&clerk.actor, &vote)
        }
        About::Matter => clerk.may(Right::RaiseMatter, area),
        About::Form => clerk.may(Right::OpenForm, area),
    })
}

#[derive(Template)]
#[template(path = "desk/aloud.html")]
struct AloudPage {
    page: Page,
    desk: Desk,
    draft: Draft,
    path: String,
    /// The page of the thing itself.
    back: String,
    words: String,
    /// Of what is to be read out.
    version: i32,
    clip: Option<ClipView>,
    may_record: bool,
    /// Is it for those alone who are asked?
    is_form: bool,
    /// A recording that was sent along with a form that was refused.
    kept: Vec<MediaId>,
}

/// The page.
pub(super) async fn show(State(app): State<App>, clerk: Clerk, Path(which): Path<(About, Uuid)>) -> Result<Response> {
    shown(&app, &clerk, which, (Vec::new(), Draft::default())).await
}

async fn shown(
    app: &App,
    clerk: &Clerk,
    (about, id): (About, Uuid),
    (kept, draft): (Vec<MediaId>, Draft),
) -> Result<Response> {
    let said = aloud::queries::to_say(app.store.read(), (about, id)).await?;
    clerk.sits_over(&said.area_code)?;
    let path = path(about, id);
    let shown = AloudPage {
        page: clerk.page(text::say("aloud-page")).at(path.clone()),
        desk: clerk.desk(),
        back: back(about, id),
        clip: clip(app, (about, id)).await?,
        may_record: may_record(app, clerk, (about, id), &said.area_code).await?,
        is_form: about == About::Form,
        words: said.words,
        version: said.version,
        path,
        draft,
        kept,
    };
    Ok(render_as(shown.draft.status(), &shown))
}

fn back(about: About, id: Uuid) -> String {
    let folder = match about {
        About::Notice => "notices",
        About::Vote => "votes",
        About::Matter => "matters",
        About::Form => "forms",
    };
    format!("/desk/{folder}/{id}")
}

/// A recording was sent.
pub(super) async fn record(
    State(app): State<App>,
    clerk: Clerk,
    Path(which): Path<(About, Uuid)>,
    form: Form,
) -> Result<Response> {
    let said = aloud::queries::to_say(app.store.read(), which).await?;
    clerk.sits_over(&said.area_code)?;
    let mut sent = with_files(&app, &clerk.actor, form).await?;
    match put(&app, &clerk, which, &mut sent).await {
        Ok(()) => Ok(see(&back(which.0, which.1))),
        Err(error) => shown(&app, &clerk, which, Draft::refused_with("record", sent, error)?).await,
    }
}

async fn put(app: &App, clerk: &Clerk, (about, id): (About, Uuid), sent: &mut Sent) -> Result<()> {
    sent.whole()?;
    // the newest: a form that was refused brings the one before along
    let media_id = *sent.media().last().ok_or_else(missing)?;
    let version = sent.fields.optional("version")?;
    let input = (about, id, RecordClip { media_id, version });
    let put = app.once(clerk.actor.clone(), sent.fields.key(), "record_clip", input, |tx, actor, input| {
        Box::pin(aloud::commands::record_clip(tx, actor, input))
    });
    put.await.map(drop)
}

/// Nothing was recorded.
pub(super) fn missing() -> Error {
    Error::field("media_id", "no_clip")
}

/// Nobody is to hear it any more.
pub(super) async fn remove(State(app): State<App>, clerk: Clerk, Path(which): Path<(About, Uuid)>) -> Result<Response> {
    let said = aloud::queries::to_say(app.store.read(), which).await?;
    clerk.sits_over(&said.area_code)?;
    let actor = clerk.actor.clone();
    app.store.write(move |tx| Box::pin(async move { aloud::commands::remove_clip(tx, &actor, which).await })).await?;
    Ok(see(&back(which.0, which.1)))
}
