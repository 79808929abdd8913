//! The frame of the desk: who sits at it, what stands at its side, what was typed into a form that was refused.
use std::borrow::Borrow;

use askama::Template;
use axum::{
    extract::FromRequestParts,
    http::{StatusCode, request::Parts},
    response::Response,
};
use chrono::{DateTime, FixedOffset, NaiveDateTime, TimeDelta, Utc};
use sea_orm::ConnectionTrait;

use crate::{
    actor::Actor,
    app::App,
    areas::{self, AreaName, VILLAGE_CODE},
    bodies::{self, Right},
    clock,
    error::{Code, Error, FieldError, Result},
    ids::MediaId,
    pages::{
        fields::{Fields, Sent, Wrong},
        layout::{Live, Page, Resident, render_as},
        words::Words,
    },
    streams, text,
};

/// What stands at the side: path, key of its name, the right without which it is not shown.
const DOORS: [(&str, &str, Option<Right>); 21] = [
    ("/desk", "desk-todo", None),
    ("/desk/suggestions", "desk-suggestions", None),
    ("/desk/referrals", "desk-referrals", None),
    ("/desk/letters", "desk-letters", Some(Right::HandleSuggestions)),
    ("/desk/matters", "desk-matters", None),
    ("/desk/notices", "desk-notices", None),
    ("/desk/meetings", "desk-meetings", None),
    ("/desk/roster", "desk-roster", Some(Right::ImportRoster)),
    ("/desk/households", "desk-households", Some(Right::OpenVote)),
    ("/desk/requests", "desk-requests", Some(Right::ImportRoster)),
    ("/desk/guest", "desk-guest", Some(Right::HandleSuggestions)),
    ("/desk/bodies", "desk-bodies", None),
    ("/desk/legal", "desk-legal", None),
    ("/desk/skills", "desk-skills", Some(Right::FindSkills)),
    ("/desk/services", "desk-services", Some(Right::KeepCouncil)),
    ("/desk/suspensions", "desk-suspensions", Some(Right::SuspendSpeaking)),
    ("/desk/wechat", "desk-wechat", Some(Right::ImportRoster)),
    ("/desk/webhooks", "desk-webhooks", Some(Right::ManageWebhooks)),
    ("/desk/held", "desk-held", Some(Right::Moderate)),
    ("/desk/reports", "desk-reports", Some(Right::Moderate)),
    ("/desk/county", "county-title", Some(Right::OperateCounty)),
];

/// Somebody signed in who holds a seat; others are told that this is not for them.
pub(super) struct Clerk {
    /// Who.
    pub(super) actor: Actor,
    page: Page,
}

#[derive(Template)]
#[template(path = "desk/no_seat.html")]
struct NoSeatPage {
    page: Page,
}

impl FromRequestParts<App> for Clerk {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> std::result::Result<Self, Response> {
        let resident = Resident::from_request_parts(parts, app).await?;
        let page = resident.page("desk-title");
        // who only evaluates from outside reads the records, and has no work here
        if resident.actor.seats.iter().all(|seat| seat.areas.iter().all(|area| !seat.serves(area))) {
            return Err(render_as(StatusCode::FORBIDDEN, &NoSeatPage { page }));
        }
        Ok(Self { actor: resident.actor, page })
    }
}

/// What stands at the side of every page of the desk; every template of the desk has it as the field `desk`.
pub(super) struct Desk {
    /// The bodies for which the clerk sits here.
    pub(super) bodies: String,
    /// The clerk's own name.
    pub(super) name: String,
    /// The ways to the other pages.
    pub(super) doors: Vec<Door>,
}

impl Desk {
    /// Does the clerk run the county, and so see all that is late?
    pub(super) fn operates(&self) -> bool {
        self.doors.iter().any(|door| door.path == "/desk/county")
    }
}

/// A way to another page.
pub(super) struct Door {
    /// Where it leads.
    pub(super) path: &'static str,
    /// Its name.
    pub(super) name: String,
    /// Is it the present page, or above it?
    pub(super) is_here: bool,
}

impl Clerk {
    /// A page with this title.
    pub(super) fn page(&self, title: impl Into<String>) -> Page {
        self.page.clone().titled(title)
    }

    /// The side of the page.
    pub(super) fn desk(&self) -> Desk {
        let here = self.page.path.as_str();
        let shown =
            |right: &Option<Right>| right.is_none_or(|right| !bodies::areas_with(&self.actor, right).is_empty());
        let doors = DOORS.iter().filter(|(_, _, right)| shown(right)).map(|(path, key, _)| Door {
            path,
            name: text::say(key),
            is_here: here == *path || (*path != "/desk" && here.starts_with(path)) || belongs(here, path),
        });
        let mut names: Vec<&str> = self.actor.seats.iter().map(|seat| seat.body_name.as_str()).collect();
        names.dedup();
        Desk { bodies: names.join(" · "), name: self.actor.name.clone(), doors: doors.collect() }
    }

    /// Has the clerk this right in the area?
    pub(super) fn may(&self, right: Right, area: &str) -> bool {
        bodies::may(&self.actor, right, area)
    }

    /// The desk shows what lies where the clerk sits; of the rest it knows nothing.
    ///
    /// # Errors
    /// `not_found` for an area that no body of the clerk covers.
    pub(super) fn sits_over(&self, area: &str) -> Result<()> {
        if self.actor.seats.iter().any(|seat| seat.serves(area)) { Ok(()) } else { Err(Code::NotFound.into()) }
    }

    /// Codes of the areas that the clerk's bodies cover.
    pub(super) fn areas(&self) -> Vec<String> {
        let mut areas: Vec<String> = self.actor.seats.iter().flat_map(|seat| seat.areas.iter().cloned()).collect();
        areas.retain(|area| self.sits_over(area).is_ok());
        areas.sort();
        areas.dedup();
        areas
    }

    /// The area asked for, if the clerk's bodies cover it; else the first that they cover.
    pub(super) fn place(&self, asked: Option<&str>) -> String {
        let covered = |area: &&str| self.sits_over(area).is_ok();
        let first = || self.areas().into_iter().next().unwrap_or_default();
        asked.filter(covered).map_or_else(first, str::to_owned)
    }

    /// The area asked for, if the clerk has this right there; else the first where it is so.
    ///
    /// # Errors
    /// `not_allowed` where it is so nowhere.
    pub(super) fn place_with(&self, right: Right, asked: Option<String>) -> Result<String> {
        let first = || bodies::areas_with(&self.actor, right).into_iter().next();
        asked.filter(|area| self.may(right, area)).or_else(first).ok_or_else(|| Code::NotAllowed.into())
    }
}

/// Pages that no door leads to belong to one nevertheless.
fn belongs(here: &str, door: &str) -> bool {
    let under = |paths: &[&str]| paths.iter().any(|path| here.starts_with(path));
    match door {
        "/desk" => under(&["/desk/tasks/"]),
        "/desk/bodies" => under(&["/desk/members", "/desk/joint/", "/desk/recommendations"]),
        "/desk/matters" => under(&["/desk/forms/", "/desk/votes/", "/desk/aloud/vote/", "/desk/aloud/matter/"]),
        "/desk/notices" => under(&["/desk/aloud/notice/"]),
        _ => false,
    }
}

/// Where a clerk goes to and fro: what the own bodies cover, the way down to the present area, what lies below it.
pub(super) async fn places(db: &impl ConnectionTrait, clerk: &Clerk, here: &str) -> Result<Vec<AreaName>> {
    let covered = |area: &String| clerk.sits_over(area).is_ok();
    let mut codes = clerk.areas();
    codes.extend(areas::ancestors(here).into_iter().filter(covered));
    let below = areas::queries::children(db, Some(here)).await?;
    codes.extend(below.into_iter().map(|area| area.code).filter(|code| code.len() <= VILLAGE_CODE));
    codes.sort_by_key(|code| (code.len(), code.clone()));
    codes.dedup();
    named(db, codes).await
}

/// The villages among these areas and below them.
pub(super) async fn villages(db: &impl ConnectionTrait, mut areas: Vec<String>) -> Result<Vec<String>> {
    let mut villages = Vec::new();
    while let Some(area) = areas.pop() {
        if area.len() >= VILLAGE_CODE {
            villages.push(area);
        } else {
            let below = areas::queries::children(db, Some(&area)).await?;
            areas.extend(below.into_iter().map(|area| area.code));
        }
    }
    Ok(villages)
}

/// These areas with their names.
pub(super) async fn named(db: &impl ConnectionTrait, codes: Vec<String>) -> Result<Vec<AreaName>> {
    let names = areas::names(db, codes.clone()).await?;
    let named = |code: String| AreaName { name: names.get(&code).cloned().unwrap_or_default(), code };
    Ok(codes.into_iter().map(named).collect())
}

/// The page, fresh after anything that the clerk is told; one with a refused form stays as it is, its address being none
/// that can be read again.
pub(super) async fn live(app: &App, clerk: &Clerk, (page, draft): (Page, &Draft)) -> Result<Page> {
    if !draft.is_blank() {
        return Ok(page);
    }
    let mine = streams::queries::list(app, &clerk.actor).await?;
    let heads: Vec<(String, i64)> = mine.iter().map(|stream| (stream.id.to_string(), stream.last_seq)).collect();
    Ok(page.live(Live::any(heads.iter().map(|(id, seq)| (id.as_str(), *seq)))))
}

/// Day and time as a browser's picker writes them, in the county's time.
///
/// # Errors
/// `invalid_fields`, naming the field.
pub(super) fn moment_of(fields: &Fields, name: &str) -> Result<DateTime<Utc>> {
    let typed = fields.given(name).ok_or_else(|| Error::field(name, "required"))?;
    let naive = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"]
        .iter()
        .find_map(|form| NaiveDateTime::parse_from_str(typed, form).ok());
    let at = naive.and_then(|naive| naive.and_local_timezone(clock::shanghai()).single());
    at.map(|at| at.with_timezone(&Utc)).ok_or_else(|| Error::field(name, "not_a_date"))
}

/// Day and time as a browser's picker takes them.
pub(super) fn picked(at: DateTime<Utc>) -> String {
    clock::local(at).format("%Y-%m-%dT%H:%M").to_string()
}

/// A form that was refused: what was typed into it and what was wrong. The other forms of the page are as new.
#[derive(Clone, Debug, Default)]
pub(super) struct Draft {
    form: String,
    typed: Fields,
    sentence: String,
    errors: Vec<FieldError>,
}

impl Draft {
    /// The form of this name, refused.
    ///
    /// # Errors
    /// The error itself, when typing something else would not help.
    pub(super) fn refused(form: &str, typed: Fields, error: Error) -> Result<Self> {
        let errors = match &error {
            Error::Refused(refusal) => refusal.fields.clone(),
            _ => Vec::new(),
        };
        let sentence = Wrong::from(error)?.sentence;
        Ok(Self { form: form.to_owned(), typed, sentence, errors })
    }

    /// The same of a form with files, and those that it brings along: none where its photos are what was wrong, or it would be
    /// refused for them whatever is chosen in their place.
    ///
    /// # Errors
    /// As [`Self::refused`].
    pub(super) fn refused_with(form: &str, sent: Sent, error: Error) -> Result<(Vec<MediaId>, Self)> {
        let files = sent.media();
        let draft = Self::refused(form, sent.fields, error)?;
        let are_wrong = draft.mistake(form, "photos").is_some();
        Ok((if are_wrong { Vec::new() } else { files }, draft))
    }

    /// Was nothing refused?
    pub(super) fn is_blank(&self) -> bool {
        self.form.is_empty()
    }

    /// The status of the page that shows it.
    pub(super) fn status(&self) -> StatusCode {
        if self.is_blank() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY }
    }

    /// Was this form refused?
    pub(super) fn is_of(&self, form: &str) -> bool {
        !self.is_blank() && self.form == form
    }

    /// What stands in a field: what was typed, or what a new form has there.
    pub(super) fn text<'a>(&'a self, form: &str, name: &str, preset: &'a str) -> &'a str {
        if self.is_of(form) { self.typed.text(name) } else { preset }
    }

    /// Is this value chosen?
    pub(super) fn has(&self, form: &str, name: &str, value: &str, is_preset: impl Borrow<bool>) -> bool {
        if self.is_of(form) { self.typed.has(name, value) } else { *is_preset.borrow() }
    }

    /// Why it was refused.
    pub(super) fn sentence(&self, form: &str) -> Option<&str> {
        self.is_of(form).then_some(self.sentence.as_str())
    }

    /// What was wrong with this field.
    pub(super) fn mistake(&self, form: &str, name: &str) -> Option<&str> {
        let of_field = |error: &&FieldError| self.is_of(form) && error.field == name;
        self.errors.iter().find(of_field).map(|error| error.message.as_str())
    }

    /// What was wrong with fields that the form did not send.
    pub(super) fn beside(&self) -> Vec<&str> {
        let sent = |error: &&FieldError| self.typed.all(&error.field).next().is_some();
        self.errors.iter().filter(|error| !sent(error)).map(|error| error.message.as_str()).collect()
    }
}

/// How a deadline stands now.
#[derive(Clone, Copy, Debug)]
pub(super) struct Due {
    /// The deadline.
    pub(super) at: DateTime<FixedOffset>,
    /// Days since, counted up; 0 when it lies ahead.
    pub(super) days_late: i64,
    /// Within two days.
    pub(super) is_soon: bool,
}

impl Due {
    /// Seen at this moment.
    pub(super) fn seen(at: DateTime<FixedOffset>, now: DateTime<Utc>) -> Self {
        let left = at.with_timezone(&Utc) - now;
        let is_late = left <= TimeDelta::zero();
        let days_late = if is_late { (-left).num_days() + 1 } else { 0 };
        Self { at, days_late, is_soon: !is_late && left <= TimeDelta::days(2) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Checks;

    fn at(text: &str) -> DateTime<FixedOffset> {
        DateTime::parse_from_rfc3339(text).unwrap()
    }

    #[test]
    fn a_deadline_is_late_from_its_own_moment_on() {
        let due = at("2026-11-28T00:00:00+08:00");
        let seen = |now: &str| Due::seen(due, at(now).to_utc());
        assert_eq!((seen("2026-11-27T23:59:59+08:00").days_late, seen("2026-11-27T23:59:59+08:00").is_soon), (0, true));
        assert_eq!(
            (seen("2026-11-28T00:00:00+08:00").days_late, seen("2026-11-28T00:00:00+08:00").is_soon),
            (1, false)
        );
        assert_eq!(seen("2026-11-29T12:00:00+08:00").days_late, 2);
        assert!(!seen("2026-11-20T00:00:00+08:00").is_soon);
    }

    #[test]
    fn a_picked_moment_is_read_in_the_county_s_time() {
        let mut fields = Fields::default();
        fields.preset("starts_at", "2026-11-28T19:30");
        let read = moment_of(&fields, "starts_at").unwrap();
        assert_eq!(read, at("2026-11-28T19:30:00+08:00").to_utc());
        assert_eq!(picked(read), "2026-11-28T19:30");
        for bad in ["", "tomorrow", "2026-13-01T00:00"] {
            let mut fields = Fields::default();
            fields.preset("starts_at", bad);
            assert!(moment_of(&fields, "starts_at").is_err(), "{bad}");
        }
    }

    #[test]
    fn only_the_refused_form_keeps_what_was_typed() {
        let mut typed = Fields::default();
        typed.preset("title", "x");
        let mut checks = Checks::default();
        checks.wrong("title", "too_short");
        checks.wrong("place", "required");
        let draft = Draft::refused("call", typed, checks.done().unwrap_err()).unwrap();
        assert_eq!((draft.text("call", "title", "new"), draft.text("task", "title", "new")), ("x", "new"));
        assert!(draft.mistake("call", "title").is_some() && draft.mistake("task", "title").is_none());
        assert_eq!(draft.beside().len(), 1, "the field that was not sent is named over the form");
        assert!(Draft::refused("call", Fields::default(), Code::NotFound.into()).is_err());
    }

    #[test]
    fn photos_that_were_refused_are_not_brought_along() {
        let brought = |wrong: &str| {
            let mut sent = Sent::default();
            sent.fields.preset("media", MediaId::new().to_string());
            Draft::refused_with("ask", sent, Error::field(wrong, "out_of_range")).unwrap().0.len()
        };
        assert_eq!((brought("title"), brought("photos")), (1, 0));
    }
}
