//! Live: sockets that speak the Centrifuge JSON protocol v2 and carry stream entries as they are committed.
//!
//! Always true: a frame is only ever a copy of a committed entry (or says that somebody writes just now, and is stored
//! nowhere); a connection gets each stream's entries in order of `seq` without a gap, or is closed with a code that makes it
//! come back and recover; a slow reader costs a bounded queue, never memory, and is told in one frame where everything
//! stands; a recovery is bounded in entries and bytes; an rpc is answered by the routes of the API and holds up no frame; long
//! answers that nobody takes have one room together; a lost doorbell costs a second, because heads are compared; whoever lost
//! a seat or the log-in is noticed within seconds, bell or not, and a look that fails is repeated; no read is waited for
//! without end; a socket counts among the connections of its network as long as it lives; a handshake that is answered
//! without the HTTP server has passed the same checks.
//! Tables owned: none. Events recorded: none.
mod batch;
mod calls;
mod carry;
mod connection;
mod description;
mod doorstep;
mod ending;
mod events;
pub mod frames;
mod hub;
mod outbox;
mod pace;
mod patience;
mod protocol;
mod recent;
mod rights;
mod room;
mod session;
mod socket;
mod typing;
mod wheel;
mod wire;

pub use self::{
    calls::{Calls, Operations},
    carry::listen,
    description::{as_yaml, describe},
    doorstep::{Doorstep, Opening},
    hub::Hub,
    socket::routes,
    wheel::turn,
    wire::{Line, accept},
};
