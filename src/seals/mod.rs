//! 封存: data keys, by which private words, clips and photos are sealed where they lie.
//!
//! Always true: a data key is in the database only wrapped by the key file's sealing key; each private voice has one and
//! each photo or clip has one; a key is destroyed once and never comes back, and its row stays to say so. What it sealed
//! is then unreadable wherever a copy lies, while ids, counts, digests and the log stay as they were.
//! The database knows which key file it belongs to, and is served with no other.
//! Tables owned: `data_keys`, `key_prints`. Events recorded: none (who has keys destroyed records why).
//!
//! # Why
//! A key for each thing, not for each person: a photo that proves a public task must outlive the account of the clerk who
//! took it, a private voice must not outlive its author's. A backup made before holds the wrapped key, so backups have an
//! end (see the table of personal fields).
pub mod commands;
pub mod prints;
pub mod queries;
mod rows;
