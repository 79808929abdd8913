//! Load on the real binary, each figure beside the limit of this machine measured in the same run.
//!
//! `cargo run --release -p load-tests -- village [--people N] [--data DIR] [--server FILE]` plays the demo village into a
//! fresh data directory, starts `target/release/liusheng serve` over it, and lets every adult with a phone hold a socket,
//! hear a must-read notice, confirm it and vote. It ends with 1 when something that was acknowledged is not stored, or
//! something that was stored did not arrive. A small size for CI, with the debug build:
//! `cargo run -p load-tests -- village --people 200`.
//!
//! Sockets need file descriptors in both processes: `ulimit -n 20000` first.
mod figures;
mod limits;
mod line;
mod phones;
mod process;
mod village;

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};

/// What may go wrong while measuring: one line for who started it.
type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

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
    /// The other side of the fan-out's limit; started by `village`.
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

#[tokio::main]
async fn main() -> ExitCode {
    let done = match Cli::parse().load {
        Load::Village(village) => village::run(village).await,
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
