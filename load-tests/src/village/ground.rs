//! The ground of a run: the demo village in a fresh data directory, with a log-in for everybody who takes part.
use std::{collections::HashSet, path::Path};

use liusheng::{
    clock::Clock,
    config::{Config, SmsProvider},
    demo,
    ids::{PersonId, StreamId, VoteId},
    people::{self, Carrier, NewSession},
    server,
};
use sqlx::{
    ConnectOptions, Connection, Row, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteRow},
};
use uuid::Uuid;

use crate::Outcome;

/// The chair of the village committee, by number on the demo's roster.
const CHAIR: &str = "00358";
/// Log-ins opened in one unit of work.
const TOGETHER: usize = 200;

/// Somebody with an access token.
#[derive(Clone)]
pub(crate) struct Person {
    pub(crate) id: Uuid,
    pub(crate) token: String,
}

/// What a run stands on.
pub(crate) struct Ground {
    pub(crate) people: Vec<Person>,
    pub(crate) chair: Person,
    pub(crate) channel: StreamId,
    pub(crate) vote: VoteId,
    /// Those of the people who are on the roll and have not cast.
    pub(crate) electors: Vec<Person>,
}

/// Plays the demo and logs everybody in, or so many.
pub(crate) async fn prepare(data: &Path, most: Option<usize>) -> Outcome<Ground> {
    let mut config = Config::defaults()?;
    config.data_dir = data.to_owned();
    config.sms_provider = SmsProvider::File;
    demo::prepare(config.clone()).await.map_err(|error| format!("the demo: {error:?}"))?;
    let mut database = open(data).await?;
    let adults = adults(&mut database).await?;
    let chair = adults.iter().find(|(_, number)| number == CHAIR).ok_or("the demo has no chair")?.0;
    let taken = adults.into_iter().map(|(id, _)| id).take(most.unwrap_or(usize::MAX));
    let mut ids: Vec<PersonId> = taken.collect();
    if !ids.contains(&chair) {
        ids.push(chair);
    }
    let mut people = log_in(config, ids).await?;
    let chair = people.iter().find(|one| one.id == chair.0).cloned().ok_or("the chair has no log-in")?;
    people.truncate(most.unwrap_or(usize::MAX));
    let channel =
        id(&mut database, "SELECT id FROM streams WHERE kind = 'channel' AND subject_id = ?", demo::VILLAGE).await?;
    let vote = id(&mut database, "SELECT id FROM votes WHERE state = ?", "open").await?;
    let waiting =
        column(&mut database, "SELECT person_id FROM roll_entries WHERE channel = 'none' AND vote_id = ?", vote)
            .await?;
    database.close().await?;
    let electors = people.iter().filter(|one| waiting.contains(&one.id)).cloned().collect();
    Ok(Ground { people, chair, channel: StreamId(channel), vote: VoteId(vote), electors })
}

/// The same with so many log-ins: everybody has several phones, if there are not enough people.
pub(crate) async fn prepare_sessions(data: &Path, count: usize) -> Outcome<Ground> {
    let mut ground = prepare(data, None).await?;
    let mut config = Config::defaults()?;
    config.data_dir = data.to_owned();
    let ids: Vec<PersonId> = ground.people.iter().map(|person| PersonId(person.id)).collect();
    let more = count.saturating_sub(ids.len());
    let again = log_in(config, ids.into_iter().cycle().take(more).collect()).await?;
    ground.people.extend(again);
    ground.people.truncate(count);
    Ok(ground)
}

/// The database, to look at only.
pub(crate) async fn open(data: &Path) -> Outcome<SqliteConnection> {
    Ok(SqliteConnectOptions::new().filename(data.join("liusheng.db")).read_only(true).connect().await?)
}

/// The ids in one column that belong to a subject.
pub(crate) async fn column(database: &mut SqliteConnection, sql: &'static str, of: Uuid) -> Outcome<HashSet<Uuid>> {
    let rows = sqlx::query(sql).bind(of.as_bytes().as_slice()).fetch_all(database).await?;
    rows.iter().map(first_id).collect()
}

async fn id(database: &mut SqliteConnection, sql: &'static str, of: &str) -> Outcome<Uuid> {
    first_id(&sqlx::query(sql).bind(of).fetch_one(database).await?)
}

fn first_id(row: &SqliteRow) -> Outcome<Uuid> {
    Ok(Uuid::from_slice(&row.try_get::<Vec<u8>, _>(0)?)?)
}

/// Everybody of age with a phone, and the number on the roster.
async fn adults(database: &mut SqliteConnection) -> Outcome<Vec<(PersonId, String)>> {
    let sql = "SELECT id, roster_number FROM people WHERE area_code = ? AND left_on IS NULL AND phone_hmac IS NOT NULL \
        AND birth_date <= date('now', '-18 years') ORDER BY roster_number";
    let rows = sqlx::query(sql).bind(demo::VILLAGE).fetch_all(database).await?;
    rows.iter().map(|row| Ok((PersonId(first_id(row)?), row.try_get(1)?))).collect()
}

async fn log_in(config: Config, people: Vec<PersonId>) -> Outcome<Vec<Person>> {
    let (app, _rung) = server::open(config, Clock::system(), false).await?;
    let mut all = Vec::with_capacity(people.len());
    for some in people.chunks(TOGETHER) {
        let some = some.to_vec();
        let opened = app.store.write(move |tx| {
            Box::pin(async move {
                let mut opened = Vec::with_capacity(some.len());
                for person in some {
                    let new = NewSession { person, carrier: Carrier::Tokens, device: "load".to_owned(), days: 1 };
                    opened.push(people::open_session(tx, new).await?);
                }
                Ok(opened)
            })
        });
        for one in opened.await? {
            let token = people::mint(&app.keys, &app.clock, one.person, one.session)?;
            all.push(Person { id: one.person.0, token });
        }
    }
    Ok(all)
}
