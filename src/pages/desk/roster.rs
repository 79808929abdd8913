//! The roster on the desk: bringing in a new one, with every wrong line named, and the list of people, masked.
use askama::Template;
use axum::{
    extract::{Multipart, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use serde::Deserialize;

use super::frame::{Clerk, Desk, places};
use crate::{
    app::{App, Query},
    areas::AreaName,
    bodies::{self, Right},
    error::{Checks, Code, Error, FieldError, Result},
    page,
    pages::{
        fields::{Form, Wrong},
        layout::{Page, encode, render_as},
        words::Words,
    },
    people::{self, PeopleQuery, RosterFile, RosterImported, RosterPerson},
    table::{Format, whole, xlsx::Cell},
    text,
};

/// Rows of one page of the list.
const ROWS: u64 = 100;

/// Whose roster, and where to go on.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Filter {
    area: Option<String>,
    name: Option<String>,
    cursor: Option<String>,
}

#[derive(Template)]
#[template(path = "desk/roster.html")]
struct RosterPage {
    page: Page,
    desk: Desk,
    areas: Vec<AreaName>,
    area: String,
    name: String,
    outcome: Outcome,
    people: Vec<RosterPerson>,
    more: String,
    next_cursor: Option<String>,
}

/// What came of a file.
#[derive(Default)]
struct Outcome {
    done: Option<RosterImported>,
    sentence: String,
    faults: Vec<Fault>,
    /// People who would leave with it, to be confirmed.
    leaving: Option<u64>,
}

/// One thing wrong in the file.
struct Fault {
    line: String,
    column: String,
    message: String,
}

impl Fault {
    /// From `line 7, column phone`; what is not about a line has neither.
    fn of(error: &FieldError) -> Self {
        let place = error.field.strip_prefix("line ").map(|rest| rest.split_once(", column ").unwrap_or((rest, "")));
        let (line, column) = place.unwrap_or_default();
        let key = format!("desk-column-{}", column.replace('_', "-"));
        let column = if text::knows(&key) { format!("{} {column}", text::say(&key)) } else { column.to_owned() };
        Self { line: line.to_owned(), column, message: error.message.clone() }
    }
}

/// The page.
pub(super) async fn show(State(app): State<App>, clerk: Clerk, Query(filter): Query<Filter>) -> Result<Response> {
    shown(&app, &clerk, (filter, Outcome::default())).await
}

async fn shown(app: &App, clerk: &Clerk, (filter, outcome): (Filter, Outcome)) -> Result<Response> {
    let area = clerk.place_with(Right::ImportRoster, filter.area)?;
    let name = filter.name.unwrap_or_default();
    let wanted = PeopleQuery {
        name: Some(name.clone()).filter(|name| !name.trim().is_empty()),
        cursor: filter.cursor,
        limit: Some(ROWS),
    };
    let page::Page { items, next_cursor } = people::roster_page(app.store.read(), &app.keys, (&area, wanted)).await?;
    let status = if outcome.sentence.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let shown = RosterPage {
        page: clerk.page(text::say("desk-roster")).at("/desk/roster"),
        desk: clerk.desk(),
        areas: places(app.store.read(), clerk, &area).await?,
        outcome,
        people: items,
        more: format!("?area={}&name={}&", encode(&area), encode(&name)),
        next_cursor,
        area,
        name,
    };
    Ok(render_as(status, &shown))
}

/// A file with the names of the columns alone, to be filled in.
pub(super) async fn blank(clerk: Clerk) -> Result<Response> {
    if bodies::areas_with(&clerk.actor, Right::ImportRoster).is_empty() {
        return Err(Code::NotAllowed.into());
    }
    let heads = people::roster::headings().map(|head| Cell::Text(head.to_owned())).collect();
    Ok((Format::Csv.headers(), whole(Format::Csv, heads, [])?).into_response())
}

/// A file with a roster was sent. What came of it is shown at once: it is nothing that could be read again.
pub(super) async fn import(State(app): State<App>, clerk: Clerk, form: Form) -> Result<Response> {
    let upload = upload(form.map_err(|_| Code::UnsupportedType)?).await?;
    let filter = Filter { area: Some(upload.area.clone()), ..Filter::default() };
    let outcome = match bring_in(&app, &clerk, upload).await {
        Ok(done) => Outcome { done: Some(done), ..Outcome::default() },
        Err(error) => refused(error)?,
    };
    shown(&app, &clerk, (filter, outcome)).await
}

/// What the form holds.
#[derive(Default)]
struct Upload {
    area: String,
    confirm_left: Option<usize>,
    bytes: Bytes,
}

async fn upload(mut form: Multipart) -> Result<Upload> {
    let mut upload = Upload::default();
    while let Some(field) = form.next_field().await.map_err(|_| Code::InvalidRequest)? {
        let name = field.name().unwrap_or_default().to_owned();
        let bytes = field.bytes().await.map_err(|_| Code::TooLarge)?;
        match name.as_str() {
            "file" => upload.bytes = bytes,
            "area" => upload.area = String::from_utf8_lossy(&bytes).into_owned(),
            "confirm_left" => upload.confirm_left = String::from_utf8_lossy(&bytes).parse().ok(),
            _ => {}
        }
    }
    Ok(upload)
}

async fn bring_in(app: &App, clerk: &Clerk, upload: Upload) -> Result<RosterImported> {
    bodies::require(&clerk.actor, Right::ImportRoster, &upload.area)?;
    let mut checks = Checks::default();
    checks.require(!upload.bytes.is_empty(), "file", "required");
    checks.done()?;
    let file = RosterFile {
        bytes: upload.bytes.to_vec(),
        area: Some(upload.area),
        imported_by: Some(clerk.actor.person),
        confirm_left: upload.confirm_left,
    };
    people::import_roster(app, file).await
}

fn refused(error: Error) -> Result<Outcome> {
    let (mut faults, mut leaving) = (Vec::new(), None);
    if let Error::Refused(refusal) = &error {
        faults = refusal.fields.iter().map(Fault::of).collect();
        leaving = refusal.more.as_ref().and_then(|more| more["left"].as_u64());
    }
    Ok(Outcome { sentence: Wrong::from(error)?.sentence, faults, leaving, done: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_names_line_and_column() {
        let fault = |field: &str| {
            let fault = Fault::of(&FieldError { field: field.into(), code: String::new(), message: "m".into() });
            (fault.line, fault.column)
        };
        assert_eq!(fault("line 7, column x"), ("7".into(), "x".into()));
        assert_eq!(fault("line 7"), ("7".into(), String::new()));
        assert_eq!(fault("file"), (String::new(), String::new()));
    }
}
