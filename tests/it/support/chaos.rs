//! A net that is unkind to real sockets: a TCP proxy that cuts, resets, half-closes, delays, falls silent or forgets.
use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    task::JoinHandle,
};

/// What happens to every connection, until it is something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Harm {
    None,
    /// Both sides are told that the other is gone.
    Cut,
    /// The same without a goodbye.
    Reset,
    /// The phone is told that nothing more comes; what it says still goes on.
    HalfClose,
    /// Every piece comes later.
    Delay,
    /// Nothing goes on, and nobody is told.
    Silence,
    /// The same for good: what is connected now never hears anything again, what connects afterwards is well.
    Forget,
}

const LATER: Duration = Duration::from_millis(120);

/// The proxy; ends with this value.
pub(crate) struct Chaos {
    pub(crate) address: SocketAddr,
    harm: watch::Sender<Harm>,
    accepting: JoinHandle<()>,
}

impl Chaos {
    /// Before this server.
    pub(crate) async fn before(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (harm, seen) = watch::channel(Harm::None);
        let accepting = tokio::spawn(async move {
            while let Ok((phone, _)) = listener.accept().await {
                tokio::spawn(forward(phone, server, seen.clone()));
            }
        });
        Self { address, harm, accepting }
    }

    /// From now on.
    pub(crate) fn set(&self, harm: Harm) {
        self.harm.send_replace(harm);
    }
}

impl Drop for Chaos {
    fn drop(&mut self) {
        self.harm.send_replace(Harm::Cut);
        self.accepting.abort();
    }
}

async fn forward(phone: TcpStream, server: SocketAddr, harm: watch::Receiver<Harm>) {
    let Ok(server) = TcpStream::connect(server).await else { return };
    let ((from_phone, to_phone), (from_server, to_server)) = (phone.into_split(), server.into_split());
    tokio::join!(pump(from_phone, to_server, harm.clone(), false), pump(from_server, to_phone, harm, true));
}

/// One direction. Both ends of a connection are closed when both directions have ended.
async fn pump(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut harm: watch::Receiver<Harm>, is_to_phone: bool) {
    let mut piece = vec![0; 16 * 1024];
    loop {
        let now = *harm.borrow_and_update();
        match now {
            Harm::Cut => return,
            Harm::Reset => return reset(from.as_ref()),
            Harm::HalfClose if is_to_phone => return,
            Harm::Forget => {
                harm.wait_for(|now| *now == Harm::Cut).await.ok();
                return;
            }
            Harm::Silence => {
                if harm.changed().await.is_err() {
                    return;
                }
                continue;
            }
            _ => {}
        }
        let read = tokio::select! {
            read = from.read(&mut piece) => read,
            changed = harm.changed() => match changed {
                Ok(()) => continue,
                Err(_) => return,
            },
        };
        let Ok(length @ 1..) = read else { return };
        if now == Harm::Delay {
            tokio::time::sleep(LATER).await;
        }
        if to.write_all(&piece[..length]).await.is_err() {
            return;
        }
    }
}

fn reset(stream: &TcpStream) {
    stream.set_zero_linger().ok();
}
