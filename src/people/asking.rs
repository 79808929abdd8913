//! Who asks: from a bearer token or the pages' cookie to an actor with today's seats.
//!
//! # Why
//! Every request needs this, so actors are kept for three seconds by session; ending a log-in drops it at once in this
//! process and by bell in the others, also one that is being read just then. A token in a URL is never looked at: URLs are
//! logged and passed on.
use std::collections::HashMap;

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, HeaderName, Method, Uri, header, request::Parts},
};
use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, EntityTrait, FromQueryResult, JoinType, QueryFilter, QuerySelect};

use super::{
    rows::{person, session},
    sessions, tokens,
};
use crate::{
    actor::{Actor, HeldSeat},
    app::{App, SeatsOf, cookie},
    broker::Bell,
    error::{Code, Error, Result},
    ids::{PersonId, SessionId},
    store::{InTime, padded},
};

/// Name of the pages' cookie.
const COOKIE: &str = "ls_session";
/// By it `web/assets/keep.js` knows, without a network, whose log-in this is; a page sets it, nothing here reads it.
const WRITER: &str = "ls_writer";
/// Browsers keep a cookie no longer; the session's own end is the server's.
const COOKIE_DAYS: i64 = 400;

/// Somebody who may be signed in.
#[derive(Clone, Debug)]
pub struct Visitor(pub Option<Actor>);

/// Drops what a bell says is out of date; the server calls it for every bell.
pub fn heard(app: &App, bell: &Bell) {
    match *bell {
        Bell::SessionEnded { session } => app.actors.invalidate(session),
        Bell::RightsChanged { person } => app.actors.invalidate_person(person),
        _ => {}
    }
}

/// The actor that an access token names.
///
/// # Errors
/// `not_signed_in` for a token that does not hold, `session_ended` when its log-in has ended.
async fn actor_of_token(app: &App, token: &str) -> Result<Actor> {
    let (person, session, _) = named_by(app, token)?;
    actor_of_session(app, person, session).await
}

/// The actor of a log-in that was shown before, as it stands now: also for connections that outlive their first request.
///
/// # Errors
/// `session_ended` when it is another's or has ended.
pub async fn actor_of_session(app: &App, person: PersonId, session: SessionId) -> Result<Actor> {
    if let Some(actor) = app.actors.get(session).filter(|actor| actor.person == person) {
        return Ok(actor);
    }
    let changes = app.actors.changes();
    let asked = Asked { session, now: app.now(), seats_of: app.seats_of };
    let found = app.store.read_together(asked, |db, all| Box::pin(find_all(db, all))).await?;
    let (known, seats) = found.filter(|(known, _)| known.person_id == person).ok_or(Code::SessionEnded)?;
    sessions::note_use(&app.store, (session, known.seen_at), app.now(), app.config.session_days);
    let Known { name, area_code: area, phone_listed_at, .. } = known;
    let actor = Actor { person, session, name, area, seats, phone_listed_at };
    app.actors.keep(actor.clone(), changes);
    Ok(actor)
}

/// Whose log-in is it, and which seats does that person hold?
#[derive(Clone, Copy)]
struct Asked {
    session: SessionId,
    now: DateTime<Utc>,
    seats_of: SeatsOf,
}

/// What of a log-in and of whose it is says who asks: read at each connect, and neither row is short.
#[derive(Clone, FromQueryResult)]
struct Known {
    id: SessionId,
    person_id: PersonId,
    seen_at: DateTime<Utc>,
    name: String,
    area_code: String,
    phone_listed_at: Option<DateTime<Utc>>,
}

/// Of each of these log-ins that lasts, by as few statements as of one.
async fn find_all(db: &InTime, asked: &[Asked]) -> Result<Vec<Option<(Known, Vec<HeldSeat>)>>> {
    let Some(&Asked { now, seats_of, .. }) = asked.first() else { return Ok(Vec::new()) };
    let whose = session::Entity::belongs_to(person::Entity).from(session::Column::PersonId).to(person::Column::Id);
    let rows = session::Entity::find()
        .join(JoinType::InnerJoin, whose.into())
        .select_only()
        .columns([session::Column::Id, session::Column::PersonId, session::Column::SeenAt])
        .columns([person::Column::Name, person::Column::AreaCode, person::Column::PhoneListedAt])
        .filter(session::Column::Id.is_in(padded(asked.iter().map(|one| one.session).collect())))
        .filter(sessions::lasting(now))
        .filter(person::Column::LeftOn.is_null())
        .into_model::<Known>()
        .all(db)
        .await?;
    let people: Vec<_> = rows.iter().map(|row| (row.person_id, now)).collect();
    let held = seats_of(db, &people).await?;
    let found: HashMap<SessionId, _> = rows.into_iter().zip(held).map(|(row, seats)| (row.id, (row, seats))).collect();
    Ok(asked.iter().map(|one| found.get(&one.session).cloned()).collect())
}

/// Whom an access token names, in which log-in, and when it stops to hold. Whether the log-in holds is not looked up.
///
/// # Errors
/// `not_signed_in` for one that is not ours or does not hold now.
pub fn named_by(app: &App, token: &str) -> Result<(PersonId, SessionId, DateTime<Utc>)> {
    let bearer = tokens::check(&app.keys, app.now(), token)?;
    let until = DateTime::from_timestamp(bearer.expires_at, 0).ok_or(Code::NotSignedIn)?;
    Ok((bearer.person, bearer.session, until))
}

/// The actor whose cookie this is.
///
/// # Errors
/// `session_ended` when there is no such log-in or it has ended.
pub async fn actor_of_cookie(app: &App, value: &str) -> Result<Actor> {
    let asked = (sessions::cookie_hmac(&app.keys, value), app.now());
    let found = app.store.read_together(asked, |db, all| Box::pin(by_cookies(db, all))).await?;
    let (person, session) = found.ok_or(Code::SessionEnded)?;
    actor_of_session(app, person, session).await
}

/// The log-ins that have these cookies and last.
async fn by_cookies(db: &InTime, asked: &[(String, DateTime<Utc>)]) -> Result<Vec<Option<(PersonId, SessionId)>>> {
    let Some((_, now)) = asked.first() else { return Ok(Vec::new()) };
    let rows: Vec<(Option<String>, PersonId, SessionId)> = session::Entity::find()
        .select_only()
        .columns([session::Column::CookieHmac, session::Column::PersonId, session::Column::Id])
        .filter(session::Column::CookieHmac.is_in(padded(asked.iter().map(|(kept, _)| kept.clone()).collect())))
        .filter(sessions::lasting(*now))
        .into_tuple()
        .all(db)
        .await?;
    let found = |kept: &String| rows.iter().find(|(own, ..)| own.as_ref() == Some(kept));
    Ok(asked.iter().map(|(kept, _)| found(kept).map(|(_, person, session)| (*person, *session))).collect())
}

/// The value of the pages' cookie, if the request brings one.
#[must_use]
pub fn session_cookie(headers: &HeaderMap) -> Option<String> {
    cookie(headers, COOKIE).map(str::to_owned)
}

/// The `Set-Cookie` values that hand a log-in to a browser.
#[must_use]
pub fn cookies(app: &App, secret: &str) -> [String; 2] {
    set_cookies(app, secret, COOKIE_DAYS * 86_400)
}

/// The headers that take it away, with what the browser was sent for whoever it was: a phone may be a family's. What its
/// worker keeps is nobody's, and stays.
#[must_use]
pub fn no_log_in(app: &App) -> [(HeaderName, String); 3] {
    let [session, writer] = set_cookies(app, "", 0);
    let cache = (HeaderName::from_static("clear-site-data"), "\"cache\"".to_owned());
    [(header::SET_COOKIE, session), (header::SET_COOKIE, writer), cache]
}

/// The `Set-Cookie` value after which the phone no longer knows whose words it takes where there is no network: for whoever is
/// shown what is for nobody, because the log-in ended elsewhere, by its date or with the account.
#[must_use]
pub fn no_writer(app: &App) -> String {
    format!("{WRITER}=; SameSite=Lax; Path=/; Max-Age=0{}", app.secure())
}

/// Another log-in is another writer.
fn set_cookies(app: &App, value: &str, secs: i64) -> [String; 2] {
    let line = format!("{COOKIE}={value}; HttpOnly; SameSite=Lax; Path=/; Max-Age={secs}{}", app.secure());
    [line, no_writer(app)]
}

/// A request that changes something and is carried by a cookie must come from our own pages.
///
/// # Errors
/// `csrf_failed` when the browser says otherwise, or says nothing.
pub fn require_own_page(app: &App, headers: &HeaderMap) -> Result<()> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let own = match (text("sec-fetch-site"), text("origin")) {
        (Some(site), _) => matches!(site, "same-origin" | "none"),
        (None, Some(origin)) => is_own_origin(origin, text("host"), &app.config.public_url),
        (None, None) => false,
    };
    if own { Ok(()) } else { Err(Code::CsrfFailed.into()) }
}

fn is_own_origin(origin: &str, host: Option<&str>, public_url: &str) -> bool {
    let authority = |url: &str| Some(url.parse::<Uri>().ok()?.authority()?.as_str().to_ascii_lowercase());
    let Some(from) = authority(origin).filter(|_| origin.contains("://")) else { return false };
    let of_request = host.map(str::to_ascii_lowercase);
    of_request.as_ref() == Some(&from) || authority(public_url) == Some(from)
}

fn bearer_token(headers: &HeaderMap) -> Option<Result<&str>> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().map_err(|_| Code::NotSignedIn.into());
    let token = value.and_then(|text| match text.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(token.trim()),
        _ => Err(Code::NotSignedIn.into()),
    });
    Some(token)
}

/// Who asks, if anybody says so.
async fn visitor(app: &App, parts: &Parts) -> Result<Option<Actor>> {
    let changes = !matches!(parts.method, Method::GET | Method::HEAD | Method::OPTIONS);
    // a call over a socket, made inside this process by a connection that knows who it is
    let actor = if let Some(actor) = parts.extensions.get::<Actor>() {
        actor.clone()
    } else if let Some(token) = bearer_token(&parts.headers) {
        actor_of_token(app, token?).await?
    } else if let Some(value) = session_cookie(&parts.headers) {
        if changes {
            require_own_page(app, &parts.headers)?;
        }
        actor_of_cookie(app, &value).await?
    } else {
        return Ok(None);
    };
    if changes {
        app.rates.write(actor.person)?;
    }
    Ok(Some(actor))
}

impl FromRequestParts<App> for Actor {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        visitor(app, parts).await?.ok_or_else(|| Code::NotSignedIn.into())
    }
}

impl FromRequestParts<App> for Visitor {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        match visitor(app, parts).await {
            Ok(actor) => Ok(Self(actor)),
            // an old cookie must not shut somebody out of what everybody may see
            Err(error) if error.code() == Code::SessionEnded && bearer_token(&parts.headers).is_none() => {
                Ok(Self(None))
            }
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_origin_is_ours() {
        let own = |origin, public| is_own_origin(origin, Some("liusheng.example:8080"), public);
        assert!(own("https://liusheng.example:8080", ""));
        assert!(own("http://LIUSHENG.example:8080", ""));
        assert!(own("https://cun.example", "https://cun.example"));
        for foreign in [
            "null",
            "",
            "https://liusheng.example",
            "https://liusheng.example:8080.evil",
            "https://liusheng.example.evil:8080",
            "https://evil/liusheng.example:8080",
            "https://user@evil",
            "liusheng.example:8080",
        ] {
            assert!(!own(foreign, "https://cun.example"), "{foreign}");
            assert!(!is_own_origin(foreign, None, ""), "{foreign}");
        }
    }

    #[test]
    fn the_cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, "a=b; xls_session=no; ls_session=yes".parse().unwrap());
        assert_eq!(session_cookie(&headers).as_deref(), Some("yes"));
        assert_eq!(session_cookie(&HeaderMap::new()), None);
        assert!(bearer_token(&headers).is_none());
        headers.insert(header::AUTHORIZATION, "Bearer x.y.z".parse().unwrap());
        assert_eq!(bearer_token(&headers).unwrap().unwrap(), "x.y.z");
        headers.insert(header::AUTHORIZATION, "Basic eA==".parse().unwrap());
        assert!(bearer_token(&headers).unwrap().is_err());
    }
}
