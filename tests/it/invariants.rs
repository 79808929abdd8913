//! What always holds between phones and server, by the number under which the design names it.
mod doorbell;
mod every_operation;
mod heartbeat;
mod memory;
mod order;
mod phone;
mod recalled;
mod restored;
mod shown;
mod two_nodes;
mod unkind_net;
mod unread;
