//! 附件: photos (照片) and voice clips (录音), kept as files named after their row.
//!
//! Always true: what a file is follows from its bytes, never from what the sender says; a photo is written anew without
//! its metadata, a clip is kept as recorded, and of what most phones do not
//! play a copy beside it that they do; both are sealed in pieces by a key of their own before they are written under their
//! name, and given piece by piece (see `reading`); the file is on the disk, synced, before its row is; a row is attached to one
//! thing at most, once, by its owner; only the owner sees what is not attached. Who may see what is attached is for the subject it is attached to (see
//! `suggestions::http`, where `GET /v1/media/{id}` lives): this module only sends, and what not everybody may have it lets nobody
//! show again without being asked.
//! Tables owned: `media`, and `uploads` (see [`uploads`]). Events recorded: none (what attaches it records).
//!
//! # Why
//! A file is named after its row, not after its content: two people may send the same picture, and taking away one must
//! not take away the other. A crash between file and row leaves a file without a name in the database: see [`strays`]. What a
//! program still has to do to a clip stands in its row: see [`conversion`].
pub mod commands;
pub mod conversion;
pub mod files;
mod http;
pub mod incoming;
mod photo;
pub mod queries;
mod reading;
pub mod removal;
mod rows;
mod rules;
pub mod strays;
mod uploads;
mod voice;

pub use self::{
    commands::{Subject, attach, attach_photos, erase_clips_of, erase_of, release},
    http::{Keeping, Size, SizeQuery, routes, serve, take_bytes, take_in},
    queries::MediaView,
    rows::media::Model as Media,
    rules::{check_clip, check_said},
};

/// The kind of a photo, in rows and over the wire.
pub const PHOTO: &str = "photo";
/// The kind of a voice clip, in rows and over the wire.
pub const VOICE: &str = "voice";
/// What a clip is attached to that says a notice, a vote, a matter or a form aloud.
pub const ALOUD: &str = "aloud";
/// What the clip of an office's answer is attached to.
pub const ANSWER: &str = "answer";
/// What photos of a sheet of signatures are attached to: they are for the body that answers the voice.
pub const COSIGN_SHEET: &str = "cosign_sheet";
/// What photos of a contract are attached to: they are for who reads it, by an address of its own.
pub const CONTRACT: &str = "contract";
/// What photos of the agreement of a mediation are attached to: they are for its parties and its officer, by an address of its own.
pub const MEDIATION: &str = "mediation";
