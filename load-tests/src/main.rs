//! Load on the real binary, each figure beside the limit of this machine measured in the same run.
//!
//! `cargo run --release -p load-tests -- village [--people N] [--data DIR] [--server FILE]` plays the demo village into a
//! fresh data directory, starts `target/release/liusheng serve` over it, and lets every adult with a phone hold a socket,
//! hear a must-read notice, confirm it and vote. It ends with 1 when something that was acknowledged is not stored, or
//! something that was stored did not arrive. A small size for CI, with the debug build:
//! `cargo run -p load-tests -- village --people 200`.
//!
//! `cargo run --release -p load-tests -- sockets` holds ten thousand sockets: memory of each, a message to all, bursts.
//!
//! Sockets need file descriptors in both processes: `ulimit -n 20000` first.
mod ballots;
mod catch_up;
mod echo;
mod fanout;
mod figures;
mod herd;
mod hot_stream;
mod intake;
mod limits;
mod line;
mod means;
mod phones;
mod process;
mod readers;
mod sockets;
mod village;
mod wire;

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};

use self::means::Means;

/// What may go wrong while measuring: one line for who started it.
type Outcome<T> = Result<T, Failure>;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Load on the real binary, beside the limits of this machine. Needs `ulimit -n 20000` for thousands of sockets.
#[derive(Parser)]
#[command(name = "load-tests")]
struct Cli {
    #[command(subcommand)]
    load: Load,
}

#[derive(Subcommand)]
enum Load {
    /// Everybody in the demo village listens, confirms a must-read notice, and votes.
    Village(Village),
    /// Ten thousand sockets on one server, idle, paced and in bursts.
    Sockets(Sockets),
    /// One thing told to a county: planning, publishing meanwhile, memory, the queue.
    Fanout(fanout::Fanout),
    /// Everybody writes into one conversation: durable sends per second.
    HotStream(Means),
    /// Everybody votes at once: durable casts per second on one vote, and how long its end takes.
    Ballots(Means),
    /// A phone that was away for a week: requests and statements until it knows everything.
    CatchUp(Means),
    /// The same notice in a village of 3,000 and of 440,000: rows, log, Redis.
    Notice(Means),
    /// Everybody comes back at once after a restart.
    Herd {
        #[command(flatten)]
        means: Means,
        /// Phones; 10,000 when left out.
        #[arg(long)]
        sockets: Option<usize>,
    },
    /// A village speaks, at the peak of a real deliberation and at fifty times it; its lists at 3,000 and 300,000 voices.
    Intake(Means),
    /// Catch-up, herd, hot stream, notice and intake, one after another over one village; with `--small` only to see that they
    /// still work.
    Every(Means),
    /// Says back what it is told, by the product's own frame code; for suites that test sockets.
    #[command(hide = true)]
    Echo {
        /// Where.
        #[arg(long, default_value = "127.0.0.1:0")]
        listen: std::net::SocketAddr,
    },
    /// The other side of the fan-out's limit; started by the others.
    #[command(hide = true)]
    LimitSockets {
        /// Bytes in a frame.
        #[arg(long)]
        payload: usize,
    },
}

#[derive(clap::Args)]
struct Village {
    /// People with a phone in the hand; all adults who have one when left out.
    #[arg(long)]
    people: Option<usize>,
    /// An empty folder for the data; a temporary one when left out.
    #[arg(long)]
    data: Option<PathBuf>,
    /// The server's binary; the one beside this program when left out.
    #[arg(long)]
    server: Option<PathBuf>,
}

#[derive(clap::Args)]
struct Sockets {
    /// How many.
    #[arg(long, default_value_t = 10_000)]
    sockets: usize,
    /// The server's binary; the one beside this program when left out.
    #[arg(long)]
    server: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let done = match Cli::parse().load {
        Load::Village(village) => village::run(village).await,
        Load::HotStream(means) => hot_stream(&means).await,
        Load::Ballots(means) => ballots(&means).await,
        Load::CatchUp(means) => catch_up(&means).await,
        Load::Notice(means) => notice(&means).await,
        Load::Intake(means) => intake(&means).await,
        Load::Herd { means, sockets } => herd(&means, sockets).await,
        Load::Every(means) => every(&means).await,
        Load::Echo { listen } => echo::serve(listen).await.map(|()| true).map_err(Into::into),
        Load::Sockets(sockets) => sockets::run(sockets).await,
        Load::Fanout(wanted) => fanout::run(wanted).await,
        Load::LimitSockets { payload } => limits::sockets::serve(payload).await.map(|()| true).map_err(Into::into),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn hot_stream(means: &Means) -> Outcome<bool> {
    hot_stream::run(&means.prepare(hot_stream::WRITERS).await?, means.small).await
}

async fn ballots(means: &Means) -> Outcome<bool> {
    ballots::run(&means.prepare(if means.small { 200 } else { usize::MAX }).await?, means.small).await
}

async fn catch_up(means: &Means) -> Outcome<bool> {
    catch_up::run(&means.prepare(1).await?, means.small).await
}

async fn notice(means: &Means) -> Outcome<bool> {
    readers::run(&means.prepare(1).await?, means.small).await
}

async fn intake(means: &Means) -> Outcome<bool> {
    intake::run(&means.prepare(intake::SPEAKERS).await?, means.small).await
}

fn phones(means: &Means, sockets: Option<usize>) -> usize {
    sockets.unwrap_or(if means.small { 100 } else { 10_000 })
}

async fn herd(means: &Means, sockets: Option<usize>) -> Outcome<bool> {
    let phones = phones(means, sockets);
    herd::run(&means.prepare(phones.min(herd::LOG_INS)).await?, phones).await
}

async fn every(means: &Means) -> Outcome<bool> {
    let phones = phones(means, None);
    let ground = means.prepare(phones.min(herd::LOG_INS)).await?;
    // each is run, whatever came of those before
    let all = [
        catch_up::run(&ground, means.small).await?,
        herd::run(&ground, phones).await?,
        hot_stream::run(&ground, means.small).await?,
        readers::run(&ground, means.small).await?,
        intake::run(&ground, means.small).await?,
    ];
    Ok(all.into_iter().all(|is_well| is_well))
}
