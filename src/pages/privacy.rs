//! `/privacy`: what is kept and why; `/privacy/mine`: what each may do about it.
use askama::Template;
use axum::{
    Router,
    extract::{Path, State},
    response::Response,
};
use serde_json::Value;

use super::{
    fields::{Fields, Wrong},
    layout::{Page, Resident, Viewer, render, render_as, see, up},
    login::signed_out,
    speak::draft_of,
    words::Words,
};
use crate::{
    actor::Actor,
    app::{
        App, IdempotencyKey,
        routing::{get, post},
    },
    error::{Code, Error, Result},
    people::{self, queries::SessionView},
    privacy::{
        self, AskCorrection, ClosingView, ConsentView, CorrectionView,
        commands::{self, AskClosing, ChangeConsent},
    },
};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/privacy", get(notice))
        .route("/privacy/mine", get(mine))
        .route("/privacy/mine/{form}", post(act).merge(get(up)))
        .route("/privacy/export", get(export))
}

#[derive(Template)]
#[template(path = "privacy.html")]
struct NoticePage {
    page: Page,
    fields: Vec<privacy::ShownField>,
}

#[derive(Template)]
#[template(path = "privacy_mine.html")]
struct MinePage {
    page: Page,
    log_ins: Vec<SessionView>,
    consents: Vec<ConsentView>,
    closing: Option<ClosingView>,
    corrections: Vec<CorrectionView>,
    /// Whose draft the phone keeps.
    draft: String,
    typed: Fields,
    wrong: Wrong,
}

#[derive(Template)]
#[template(path = "privacy_export.html")]
struct ExportPage {
    page: Page,
    made_at: String,
    parts: Vec<Part>,
}

/// A part of what is taken along, as lines.
struct Part {
    title: String,
    lines: Vec<(String, String)>,
}

async fn notice(viewer: Viewer) -> Result<Response> {
    let fields = privacy::shown_fields().map_err(Error::broken)?;
    Ok(render(&NoticePage { page: viewer.page("page-privacy"), fields }))
}

async fn mine(State(app): State<App>, who: Resident) -> Result<Response> {
    shown(&app, who, Fields::default(), Wrong::default()).await
}

async fn shown(app: &App, who: Resident, typed: Fields, wrong: Wrong) -> Result<Response> {
    let db = app.store.read();
    let page = crate::page::PageQuery { cursor: None, limit: Some(50) };
    let shown = MinePage {
        page: who.page("page-privacy-mine").at("/privacy/mine").back("/privacy"),
        log_ins: people::queries::sessions_of(app, &who.actor, &page).await?.items,
        consents: privacy::queries::consents(db, who.actor.person).await?,
        closing: privacy::queries::closing(db, who.actor.person).await?,
        corrections: privacy::corrections_of(app, &who.actor).await?,
        draft: draft_of(app, &who.actor),
        typed,
        wrong,
    };
    Ok(render_as(shown.wrong.status(), &shown))
}

async fn act(State(app): State<App>, who: Resident, Path(form): Path<String>, typed: Fields) -> Result<Response> {
    match run(&app, who.actor.clone(), &form, &typed).await {
        Ok(()) if form == "everywhere" => signed_out(&app, see("/privacy/mine")),
        Ok(()) => Ok(see("/privacy/mine")),
        Err(error) => {
            let wrong = Wrong::from(error)?;
            shown(&app, who, typed, wrong).await
        }
    }
}

async fn run(app: &App, actor: Actor, form: &str, typed: &Fields) -> Result<()> {
    let key: IdempotencyKey = typed.key();
    match form {
        "consent" => {
            let input = ChangeConsent { purpose: typed.choice("purpose")?, is_given: typed.has("is_given", "1") };
            app.once(actor, key, "change_consent", input, |tx, actor, input| {
                Box::pin(commands::change_consent(tx, actor, input))
            })
            .await?;
        }
        "correction" => {
            let input = AskCorrection { field: typed.choice("field")?, wanted: typed.text("wanted").to_owned() };
            app.once(actor, key, "ask_correction", input, |tx, actor, input| {
                Box::pin(privacy::ask_correction(tx, actor, input))
            })
            .await?;
        }
        "closing" => {
            let input = AskClosing { understood: typed.has("understood", "1") };
            app.once(actor, key, "ask_closing", input, |tx, actor, input| {
                Box::pin(commands::ask_closing(tx, actor, input))
            })
            .await?;
        }
        "cancel" => {
            app.once(actor, key, "cancel_closing", (), |tx, actor, input| {
                Box::pin(commands::cancel_closing(tx, actor, input))
            })
            .await?;
        }
        "everywhere" => people::sign_out_everywhere(app, &actor).await?,
        _ => return Err(Code::NotFound.into()),
    }
    Ok(())
}

/// To be printed or kept; the same as JSON is `/v1/me/export`.
async fn export(State(app): State<App>, who: Resident) -> Result<Response> {
    let all = privacy::export(&app, &who.actor).await?;
    let made_at = all["made_at"].as_str().unwrap_or_default().to_owned();
    let mut parts = Vec::new();
    for (name, value) in all.as_object().into_iter().flatten() {
        if matches!(name.as_str(), "made_at" | "version") {
            continue;
        }
        let mut lines = Vec::new();
        flatten(String::new(), value, &mut lines);
        let title = crate::text::word("page-export", name);
        parts.push(Part { title, lines });
    }
    Ok(render(&ExportPage { page: who.page("page-export").back("/privacy/mine"), made_at, parts }))
}

fn flatten(path: String, value: &Value, lines: &mut Vec<(String, String)>) {
    let below = |name: String| if path.is_empty() { name } else { format!("{path} · {name}") };
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| flatten(below(name.clone()), value, lines)),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(at, item)| flatten(below((at + 1).to_string()), item, lines));
        }
        Value::Null => {}
        Value::String(text) => lines.push((path, text.clone())),
        other => lines.push((path, other.to_string())),
    }
}
