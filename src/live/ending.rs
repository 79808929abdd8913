//! How a socket ends: it is said why, our side is closed, and the other side is read to its end, so that the close is clean.
use std::{
    net::{Shutdown, TcpStream as Blocking},
    os::fd::AsFd,
    sync::Arc,
    time::Duration,
};

use bytes::{Buf, Bytes};
use tokio::{net::TcpStream, time::timeout};

use super::{
    connection::{Connection, Flushed, Way},
    frames::{self, Broken},
    protocol::Close,
    socket::WRITE_WITHIN,
};

/// A peer that never closes is left after this time.
const READ_OUT: Duration = Duration::from_secs(3);
/// After ten seconds in which nothing was taken.
const LAST_CHANCE: Duration = Duration::from_secs(5);

/// Why a connection ends.
pub(super) enum End {
    Ours(Close),
    Theirs(Option<u16>),
    Broken(Broken),
    Gone,
}

impl From<Close> for End {
    fn from(close: Close) -> Self {
        Self::Ours(close)
    }
}

impl From<Broken> for End {
    fn from(broken: Broken) -> Self {
        Self::Broken(broken)
    }
}

impl End {
    /// The last frame; `None` when nobody is there to hear it.
    fn frame(&self) -> Option<Bytes> {
        match self {
            Self::Ours(close) => Some(frames::close(Some(close.code()), close.reason())),
            Self::Theirs(code) => Some(frames::close(*code, "")),
            Self::Broken(broken) => Some(frames::close(Some(broken.code()), "")),
            Self::Gone => None,
        }
    }

    fn count(&self) {
        let reason = match self {
            Self::Ours(close) => close.reason(),
            Self::Broken(_) => "protocol",
            Self::Theirs(_) | Self::Gone => return,
        };
        metrics::counter!("sockets_closed_total", "reason" => reason).increment(1);
    }
}

/// Ends a connection that is in no list any more.
pub(super) async fn end(connection: &Arc<Connection>, end: End) {
    let Way::Socket { stream, .. } = &connection.way else { return };
    end.count();
    let why = match end {
        End::Ours(close) => close,
        _ => Close::Shutdown,
    };
    let Some(last) = end.frame() else { return connection.end(why) };
    connection.say_last(last, why);
    let writing = async {
        loop {
            match connection.flush() {
                Flushed::All => return true,
                Flushed::Blocked(_) if stream.writable().await.is_ok() => {}
                _ => return false,
            }
        }
    };
    let within = if why == Close::Slow { LAST_CHANCE } else { WRITE_WITHIN };
    if timeout(within, writing).await == Ok(true) {
        read_out(stream).await;
    }
}

/// The same for one that never said who it is; always `None`.
pub(super) async fn refuse<T>(stream: &TcpStream, words: &[String], end: End) -> Option<T> {
    end.count();
    let frames = words.iter().map(|word| frames::text(word)).chain([end.frame()?]);
    let writing = async {
        for mut frame in frames {
            while frame.has_remaining() {
                stream.writable().await?;
                match stream.try_write(&frame) {
                    Ok(count) => frame.advance(count),
                    Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    };
    if let Ok(Ok(())) = timeout(WRITE_WITHIN, writing).await {
        read_out(stream).await;
    }
    None
}

async fn read_out(stream: &TcpStream) {
    // by another handle on the same socket: this one is shared
    if let Ok(handle) = stream.as_fd().try_clone_to_owned() {
        Blocking::from(handle).shutdown(Shutdown::Write).ok();
    }
    let reading = async {
        let mut rubbish = [0; 1024];
        while stream.readable().await.is_ok() {
            match stream.try_read(&mut rubbish) {
                Ok(1..) => {}
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                _ => return,
            }
        }
    };
    timeout(READ_OUT, reading).await.ok();
}
