//! What a run is made with: the server's binary, its database and broker, and the demo village with log-ins.
use std::path::PathBuf;

use liusheng::{
    clock::Clock,
    config::{Config, SmsProvider},
    demo,
    ids::PersonId,
    people::{self, Carrier, NewSession},
    server,
};
use sea_orm::{ConnectionTrait, DatabaseConnection, Statement, Value};
use tempfile::TempDir;
use uuid::Uuid;

use crate::{
    Outcome,
    line::Line,
    process::{self, Server},
};

/// The chair of the village committee, by number on the demo's roster.
const CHAIR: &str = "00358";
/// Log-ins opened in one unit of work.
const TOGETHER: usize = 200;

/// With what.
#[derive(clap::Args)]
pub(crate) struct Means {
    /// The server's binary; the one beside this program when left out.
    #[arg(long)]
    server: Option<PathBuf>,
    /// An empty database of PostgreSQL that may be filled; a fresh SQLite file when left out.
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// A Redis that nobody else uses; the broker inside the process when left out.
    #[arg(long, value_name = "URL")]
    redis: Option<String>,
    /// The size that shows only that everything still works.
    #[arg(long)]
    pub(crate) small: bool,
}

/// Somebody with an access token.
#[derive(Clone)]
pub(crate) struct Person {
    pub(crate) id: Uuid,
    pub(crate) token: String,
}

/// The demo village, ready to be served.
pub(crate) struct Ground {
    folder: TempDir,
    binary: PathBuf,
    settings: Vec<(&'static str, String)>,
    /// Looks at the database, and may fill it.
    pub(crate) database: DatabaseConnection,
    pub(crate) is_postgres: bool,
    pub(crate) url: String,
    pub(crate) redis: Option<String>,
    /// Of the village committee.
    pub(crate) committee: Uuid,
    pub(crate) chair: Person,
    /// Adults of the village with a phone.
    pub(crate) people: Vec<Person>,
}

impl Means {
    /// Plays the demo, and logs in the chair and so many other adults.
    pub(crate) async fn prepare(&self, people: usize) -> Outcome<Ground> {
        let binary = self.server.clone().map_or_else(process::beside, Ok)?;
        let folder = tempfile::tempdir()?;
        let url = match &self.database {
            Some(url) => url.clone(),
            None => format!("sqlite://{}", folder.path().join("liusheng.db").display()),
        };
        let mut config = Config::defaults()?;
        config.data_dir = folder.path().to_owned();
        config.database_url = url.clone();
        config.sms_provider = SmsProvider::File;
        demo::prepare(config.clone()).await.map_err(|error| format!("the demo: {error:?}"))?;
        let is_postgres = self.database.is_some();
        let database =
            sea_orm::Database::connect(if is_postgres { url.clone() } else { format!("{url}?mode=rw") }).await?;
        let adults = "SELECT id, roster_number FROM people WHERE area_code = $1 AND left_on IS NULL AND phone_hmac IS NOT NULL \
            AND birth_date <= '2008-01-01' ORDER BY roster_number";
        let (mut chair, mut chosen) = (None, Vec::new());
        for row in rows(&database, adults, [demo::VILLAGE.into()]).await? {
            let (id, number): (Uuid, String) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
            if number == CHAIR {
                chair = Some(id);
            } else if chosen.len() < people {
                chosen.push(id);
            }
        }
        let mut all = log_in(config, chair.into_iter().chain(chosen).collect()).await?;
        if chair.is_none() {
            return Err("the demo has no chair".into());
        }
        let chair = all.remove(0);
        let seat = "SELECT s.body_id FROM seats s JOIN bodies b ON b.id = s.body_id WHERE s.person_id = $1 AND b.kind = 'village_committee'";
        let found = rows(&database, seat, [chair.id.into()]).await?;
        let committee = found.first().ok_or("the chair has no seat")?.try_get_by_index(0)?;
        let mut settings = vec![("LIUSHENG_DATABASE_URL", url.clone())];
        settings.extend(self.redis.iter().map(|url| ("LIUSHENG_REDIS_URL", url.clone())));
        let redis = self.redis.clone();
        Ok(Ground { folder, binary, settings, database, is_postgres, url, redis, committee, chair, people: all })
    }
}

impl Ground {
    /// Starts the server over it.
    pub(crate) async fn serve(&self) -> Outcome<Server> {
        let server = Server::start_with(&self.binary, self.folder.path(), &self.settings).await?;
        server.until_quiet().await?;
        Ok(server)
    }

    pub(crate) fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// `SQLite, no Redis` and the like, for the head of a table.
    pub(crate) fn title(&self) -> String {
        let database = if self.is_postgres { "PostgreSQL" } else { "SQLite" };
        let broker = if self.redis.is_some() { "Redis" } else { "broker in the process" };
        let build = if cfg!(debug_assertions) { ", DEBUG BUILD: figures mean nothing" } else { "" };
        format!("{database}, {broker}{build}")
    }
}

/// Rows of a statement with `$1`, `$2`, which both databases understand.
pub(crate) async fn rows<const N: usize>(
    database: &DatabaseConnection,
    sql: &str,
    values: [Value; N],
) -> Outcome<Vec<sea_orm::QueryResult>> {
    let statement = Statement::from_sql_and_values(database.get_database_backend(), sql, values);
    Ok(database.query_all_raw(statement).await?)
}

/// Statements that the server has run so far.
pub(crate) async fn statements(server: &Server) -> Outcome<f64> {
    let text = Line::open(server.address).await?.get("/metrics").await?.text();
    let is_one = |line: &&str| line.starts_with("database_reads_total ") || line.starts_with("database_writes_total ");
    let counted = text.lines().filter(is_one);
    Ok(counted.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum())
}

async fn log_in(config: Config, people: Vec<Uuid>) -> Outcome<Vec<Person>> {
    let (app, _rung) = server::open(config, Clock::system(), false).await?;
    let mut all = Vec::with_capacity(people.len());
    for some in people.chunks(TOGETHER) {
        let some = some.to_vec();
        let opened = app.store.write(move |tx| {
            Box::pin(async move {
                let mut opened = Vec::with_capacity(some.len());
                for person in some {
                    let person = PersonId(person);
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
