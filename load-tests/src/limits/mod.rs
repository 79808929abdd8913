//! The limits of this machine for what the product does, measured by programs that do nothing else, in the same run.
pub(crate) mod ballots;
pub(crate) mod handshakes;
pub(crate) mod sends;
pub(crate) mod sockets;
pub(crate) mod writer;
