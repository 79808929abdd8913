//! What always holds between phones and server, by the number under which the design names it.
mod every_operation;
mod phone;
mod shown;
mod unkind_net;
