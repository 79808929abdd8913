//! The command line: serve, demo, migrate, import, verify, redrive, backup, restore, doctor, openapi.
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Parser, Subcommand};
use liusheng::{
    areas,
    backup::{self, Stop, Wanted},
    clock::Clock,
    config::{Config, LogFormat, SmsProvider},
    delivery, demo, doctor,
    error::{Error, Result},
    events, inbox, media,
    people::{self, RosterFile},
    server::{self, Role},
    store, text,
    votes::verify,
};
use tracing_subscriber::EnvFilter;

#[cfg(target_arch = "x86_64")]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Residents' participation for a county: voices, matters in six stages, notices, votes.
#[derive(Parser)]
#[command(name = "liusheng", version, about)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    /// Which part of the work this process does.
    #[arg(long, value_enum, default_value = "all", global = true)]
    role: Role,
}

#[derive(Subcommand)]
enum Command {
    /// Serve (the default).
    Serve,
    /// Serve with the invented demo village; starting it again changes nothing.
    Demo,
    /// Bring the database to the newest schema and stop.
    Migrate {
        /// Take the key file in the data directory for good, though rows were made with another that is lost.
        #[arg(long)]
        new_keys: bool,
    },
    /// Read areas or a village's roster from a CSV file.
    Import {
        #[command(subcommand)]
        what: Import,
    },
    /// Check a vote's published archive, offline; or, with --log, the event log and its signed checkpoints.
    Verify {
        /// Check the log; names the first bad entry.
        #[arg(long)]
        log: bool,
        /// The archive of a vote, as it was published.
        #[arg(required_unless_present = "log", conflicts_with = "log")]
        file: Option<PathBuf>,
        /// The digits that were published on paper or in the village's channel: the archive must have them.
        #[arg(long, requires = "file")]
        fingerprint: Option<String>,
        /// The digest on the receipt of a ballot: the archive must have it, and it is said whether it counts.
        #[arg(long, requires = "file", value_name = "DIGEST")]
        ballot: Option<String>,
        /// A file with private keys of two trustees, each in a line: opens the sealed ballots once more, on this machine alone.
        #[arg(long, requires = "file", value_name = "FILE")]
        keys: Option<PathBuf>,
    },
    /// Try dead letters once more.
    Redrive,
    /// Copy all rows and files of a working server into a new folder.
    Backup {
        /// The folder; must not exist or be empty.
        folder: PathBuf,
        /// Copy the key file too: whoever has both can read phone numbers.
        #[arg(long)]
        with_keys: bool,
    },
    /// Load a backup into an empty database, and say what is newer elsewhere.
    Restore {
        /// The folder of the backup.
        folder: PathBuf,
        /// Replace the database that is there, which has this many events.
        #[arg(long, value_name = "EVENTS")]
        replace: Option<u64>,
        /// A signed head that was published (what /v1/log/head gave): says how many events are missing.
        #[arg(long, value_name = "FILE|URL")]
        newer_than: Option<String>,
    },
    /// Look at every outside part and name each fault; changes nothing.
    Doctor {
        /// For machines.
        #[arg(long)]
        json: bool,
    },
    /// Print the description of the API.
    Openapi {
        /// That of the socket and of the server-sent events instead, as AsyncAPI.
        #[arg(long = "async")]
        is_async: bool,
    },
}

#[derive(Subcommand)]
enum Import {
    /// Areas: code,town_code,town,village,kind.
    Areas {
        /// The CSV file.
        file: PathBuf,
    },
    /// A village's roster. All or nothing; the same file again changes nothing.
    Roster {
        /// The CSV file.
        file: PathBuf,
        /// Go on although this many who were on the roster are not in the file.
        #[arg(long, value_name = "PEOPLE")]
        confirm_left: Option<usize>,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let asked = !error.use_stderr();
            error.print().ok();
            return if asked { ExitCode::SUCCESS } else { ExitCode::from(2) };
        }
    };
    let config = match Config::load() {
        Ok(config) => config,
        Err(line) => {
            eprintln!("{line}");
            return ExitCode::from(2);
        }
    };
    // nothing that we make is for others on this machine
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    log(&config);
    match run(cli, config).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("{}", plain(&error));
            ExitCode::from(1)
        }
    }
}

async fn run(cli: Cli, mut config: Config) -> Result<ExitCode> {
    match cli.command.unwrap_or(Command::Serve) {
        Command::Serve => serve(config, cli.role, false).await,
        Command::Demo => {
            config.sms_provider = SmsProvider::File;
            serve(config, cli.role, true).await
        }
        Command::Migrate { new_keys } => {
            if new_keys {
                server::take_new_keys(&config, Clock::system()).await?;
            }
            server::open(config, Clock::system(), false).await.map(|_| ExitCode::SUCCESS)
        }
        Command::Import { what } => import(config, what).await,
        Command::Verify { file: Some(file), fingerprint, ballot, keys, .. } => {
            Ok(verify_vote(&file, fingerprint.as_deref(), (ballot.as_deref(), keys.as_deref())))
        }
        Command::Verify { .. } => verify(config).await,
        Command::Redrive => {
            let (app, _rung) = server::open(there(config)?, Clock::system(), false).await?;
            let (through, left) = events::redrive(&app.store, &server::reactions()).await?;
            let sends = delivery::commands::redrive(&app.store).await?;
            let messages = inbox::commands::redrive(&app, None).await?;
            let clips = media::commands::redrive(&app.store).await?;
            println!(
                "reactions: {through} went through, {left} left; deliveries queued again: {sends}; messages: {messages}; clips: {clips}"
            );
            Ok(if left == 0 { ExitCode::SUCCESS } else { ExitCode::from(1) })
        }
        Command::Backup { folder, with_keys } => {
            let made = backup::make(&config, &folder, with_keys, &Clock::system()).await;
            told(made.map(|made| (made.lines, made.is_whole)))
        }
        Command::Restore { folder, replace, newer_than } => {
            let wanted = Wanted { folder, replace, newer_than };
            let restored = backup::restore(&config, wanted, &Clock::system()).await;
            told(restored.map(|restored| (restored.lines, restored.is_whole)))
        }
        Command::Doctor { json } => examined(&config, json).await,
        Command::Openapi { is_async } => {
            print!("{}", if is_async { server::asyncapi_text() } else { server::openapi().map_err(Error::broken)? });
            Ok(ExitCode::SUCCESS)
        }
    }
}

async fn serve(config: Config, role: Role, is_demo: bool) -> Result<ExitCode> {
    if is_demo {
        demo::prepare(config.clone()).await?;
    }
    let (app, rung) = server::open(config, Clock::system(), is_demo).await?;
    let server = server::start(app, rung, role).await?;
    // relay and worker answer nobody
    let address = role.does(Role::Api).then(|| server.address.to_string());
    tracing::info!(address, broker = server.app.broker.name(), "serving");
    if is_demo {
        print!("{}", demo::greeting(&server.app, server.address)?);
    }
    stopped().await?;
    tracing::info!("stopping");
    server.stop().await;
    Ok(ExitCode::SUCCESS)
}

async fn import(config: Config, what: Import) -> Result<ExitCode> {
    let (app, _rung) = server::open(config, Clock::system(), false).await?;
    match what {
        Import::Areas { file } => {
            let done = areas::commands::import_file(&app.store, &read(&file)?).await?;
            println!("{} added, {} changed", done.added, done.changed);
        }
        Import::Roster { file, confirm_left } => {
            let roster = RosterFile { bytes: read(&file)?, area: None, imported_by: None, confirm_left };
            let done = people::import_roster(&app, roster).await?;
            println!("{} rows: {} added, {} changed, {} left", done.rows, done.added, done.changed, done.left);
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn read(file: &Path) -> Result<Vec<u8>> {
    std::fs::read(file).map_err(|error| Error::broken(format!("{}: {error}", file.display())))
}

/// To look into a database must not make one.
fn there(config: Config) -> Result<Config> {
    if store::exists(&config.database()) {
        return Ok(config);
    }
    let folder = config.data_dir.display().to_string();
    Err(Error::broken(text::say_with("operator-no-database", &[("folder", folder.as_str().into())])))
}

/// Needs no database, no key, no network.
fn verify_vote(file: &Path, fingerprint: Option<&str>, (ballot, keys): (Option<&str>, Option<&Path>)) -> ExitCode {
    let archive = std::fs::read(file).ok().and_then(|bytes| verify::read(&bytes));
    let Some(archive) = archive else {
        eprintln!("{}: {}", file.display(), text::say("verify-unreadable"));
        return ExitCode::from(2);
    };
    let mut report = verify::verify(&archive, fingerprint);
    if let Some(hash) = ballot.filter(|_| report.fault.is_none()) {
        let found = verify::own(&archive, hash);
        let missing = || text::word("verify-bad", "ballot");
        report.lines.push(found.map_or_else(missing, |found| text::word("verify-own", found)));
        report.fault = found.is_none().then_some("ballot");
    }
    if let Some(keys) = keys.filter(|_| report.fault.is_none()) {
        let Ok(keys) = std::fs::read_to_string(keys) else {
            eprintln!("{}: {}", keys.display(), text::word("verify-bad", "keys"));
            return ExitCode::from(2);
        };
        let found = verify::reopen(&archive, &keys);
        report.lines.push(match found {
            Ok(verify::Reopened { opened: 0, .. }) => text::say("verify-reopened-none"),
            Ok(verify::Reopened { opened, closed, paper }) => {
                let numbers = [("opened", opened), ("closed", closed), ("paper", paper)];
                let blanks = numbers.map(|(name, number)| (name, number.to_string().into()));
                text::say_with("verify-reopened", &blanks)
            }
            Err(fault) => text::word("verify-bad", fault),
        });
        report.fault = found.err();
    }
    for line in &report.lines {
        // what an archive says moves no cursor and hides no line
        println!("{}", line.replace(char::is_control, " "));
    }
    println!("{}", text::say(if report.fault.is_none() { "verify-good" } else { "verify-bad" }));
    ExitCode::from(u8::from(report.fault.is_some()))
}

async fn verify(config: Config) -> Result<ExitCode> {
    let (app, _rung) = server::open(there(config)?, Clock::system(), false).await?;
    let report = events::verify(&app.store, &app.keys).await?;
    match report.first_bad {
        None => {
            println!("{} events and {} signed checkpoints verify", report.events, report.checkpoints);
            Ok(ExitCode::SUCCESS)
        }
        Some(bad) => {
            println!("{bad}; {} events before it verify", report.events);
            Ok(ExitCode::from(1))
        }
    }
}

async fn examined(config: &Config, json: bool) -> Result<ExitCode> {
    let found = doctor::examine(config, &Clock::system()).await;
    if json {
        println!("{}", serde_json::to_string_pretty(&found).map_err(Error::broken)?);
    } else {
        found.iter().for_each(|finding| println!("{}", finding.lines()));
    }
    let is_ill = found.iter().any(|finding| finding.state == doctor::State::Fault);
    Ok(ExitCode::from(u8::from(is_ill)))
}

/// Lines for the operator, and whether all is well.
fn told(outcome: std::result::Result<(Vec<String>, bool), Stop>) -> Result<ExitCode> {
    match outcome {
        Ok((lines, is_whole)) => {
            println!("{}", lines.join("\n"));
            Ok(ExitCode::from(u8::from(!is_whole)))
        }
        Err(Stop::Refused(sentence)) => {
            eprintln!("{sentence}");
            Ok(ExitCode::from(1))
        }
        Err(Stop::Broken(error)) => Err(error),
    }
}

async fn stopped() -> Result<()> {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        done = tokio::signal::ctrl_c() => done?,
        _ = terminate.recv() => {}
    }
    Ok(())
}

/// What an operator reads: the refusal's sentence and every wrong field, or what broke.
fn plain(error: &Error) -> String {
    let Error::Refused(refusal) = error else { return error.to_string() };
    let fields: String = refusal.fields.iter().map(|field| format!("\n  {}: {}", field.field, field.message)).collect();
    let left = refusal.more.as_ref().and_then(|more| more["left"].as_u64());
    let hint = left.map(|left| text::say_with("operator-confirm-left", &[("left", left.into())])).unwrap_or_default();
    format!("{} ({}){fields}{hint}", refusal.code.sentence(), refusal.code.as_str())
}

fn log(config: &Config) {
    let filter = EnvFilter::try_new(&config.log_level).unwrap_or_else(|_| EnvFilter::new("info"));
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match config.log_format {
        LogFormat::Text => lines.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr())).init(),
        LogFormat::Json => lines.json().init(),
    }
}
