//! 听一听: a clip that says a notice, a vote, a matter or the questions of a form aloud, for people who cannot read it.
//!
//! Always true: a clip says one version of one thing, and no newer one: it is not played from the moment its notice is
//! changed, and destroyed by what follows; who may publish the notice, open the vote or the form, or raise the matter there
//! lets it be heard, replaces it or takes it away; whoever may read the thing may hear it, which is everybody, and of a form
//! whoever lives or serves where it asks; a sheet of visits has none; it stays when who spoke it closes the account. Without a
//! clip nothing is shown, and nothing waits for one.
//! A speech command of the operator's makes one for what hangs or is open and has none: outside of any unit of work, one at a
//! time, within limits of time and length, three times at most; what it gives is inspected like what anybody sends.
//! Tables owned: `aloud_clips`. Events recorded: `clip.recorded`, `clip.removed`.
//!
//! # Why
//! WeChat on Android has no voice of its own in its pages, so that it must be a recording. A row is there from the
//! publication on, without a clip: it says what the command still has to do, and is read by nobody else. The answer to a
//! private voice is no such thing: its clip is attached to the answer (see `suggestions::answers`) and as private as that.
//! What a command made belongs to who published or opened, as every file belongs to somebody; that nobody spoke it is kept.
pub mod commands;
mod http;
pub mod queries;
mod reactions;
mod rows;
mod rules;
mod speech;

pub use self::{
    commands::RecordClip,
    http::routes,
    queries::ClipView,
    reactions::REACTIONS,
    rules::About,
    speech::{check_command, run_due},
};
