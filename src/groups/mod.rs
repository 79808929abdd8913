//! 群: people whom a body has brought together to talk; and the forum (论坛) of every council, federation and joint meeting.
//!
//! Always true: who opens a group holds a seat whose body covers everybody in it, so residents have no private chats; at
//! most 500 belong to it; everybody sees who came, left or was made its leader; a group always has a leader; a forum needs
//! no list of members: whoever has the seat is in it, and nobody else.
//! Tables owned: none (what it writes is the streams'). Events recorded: none (who came and left is an entry).
pub mod commands;
mod http;
mod reactions;
mod rules;

pub use self::{
    commands::{AddMembers, OpenGroup, Opened},
    http::routes,
    reactions::REACTIONS,
};
