//! What always holds between phones and server, by the number under which the design names it.
mod doorbell;
mod every_operation;
mod order;
mod phone;
mod recalled;
mod shown;
mod unkind_net;
mod unread;
