//! Live: sockets that speak the Centrifuge JSON protocol v2 and carry stream entries as they are committed.
//!
//! Always true: a frame is only ever a copy of a committed entry; a connection gets each stream's entries in order of
//! `seq` without a gap, or is closed with a code that makes it come back and recover; a slow reader costs a bounded queue,
//! never memory, and is told in one frame where everything stands; an rpc is answered by the routes of the API; a lost doorbell costs two seconds, because heads are compared; whoever lost a
//! seat or the log-in is noticed within seconds, bell or not.
//! Tables owned: none. Events recorded: none.
mod calls;
mod events;
mod hub;
mod protocol;
mod rights;
mod session;
mod socket;

pub use self::{
    calls::Calls,
    hub::{Hub, heard, listen},
    socket::routes,
};
