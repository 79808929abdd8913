//! 居民、户: who lives and is registered where, and how they sign in.
//!
//! Always true: a person comes from a village's roster, or the register of its collective, and is never deleted, only marked as left; identity numbers are
//! kept as keyed digests and their last four characters sealed, phones sealed; a phone that was proven and approved is not
//! changed by a roster; a closed account has no phone and no name but on the rolls; a known and an unknown phone number get the same
//! answers; an identity number means somebody elsewhere in the county only together with the name; a log-in ends once and takes its tokens, cookie and sockets with it; nobody who left can sign in.
//! Tables owned: `households`, `people`, `roster_imports`, `login_codes`, `sessions`, `spent_tickets`, `desk_credentials`,
//! `recovery_codes`, `desk_tries`, `guest_phones`, `replaced_phones`.
//! Events recorded: `roster.imported`, `number.disputed`, `session.started`, `session.ended`, `desk_password.set`.
mod accounts;
mod asking;
pub mod audience;
pub mod claims;
mod codes;
pub mod commands;
mod desk_http;
pub mod desk_login;
mod guest;
mod http;
mod login_http;
mod matching;
pub mod numbers;
mod off_roster;
mod passwords;
pub mod proof;
pub mod queries;
mod replaced;
pub mod roster;
mod rows;
pub mod rules;
mod sessions;
mod sign_in;
mod sign_out;
mod strangers;
mod tickets;
mod tokens;
mod totp;
pub mod village_groups;
mod wechat;
pub mod women;

use utoipa_axum::router::OpenApiRouter;

pub use self::{
    accounts::{close_account, phone_of, phones_of},
    asking::{
        Visitor, actor_of_cookie, actor_of_session, cookies, heard, named_by, no_log_in, no_writer, require_own_page,
        session_cookie,
    },
    commands::{RosterFile, RosterImported, import_roster},
    guest::{callers, forget_phones_of_guests, guest_of, guests_by, make_guest, with_guest_phones},
    login_http::{Tokens, tokens as hand_out},
    off_roster::{ByNumber, by_id_number, id_digest, make_off_roster},
    queries::{PeopleQuery, Resident, RosterPerson, household_numbers, name, names, person, residents, roster_page},
    replaced::tell_replaced,
    rules::mask_name,
    sessions::{Carrier, NewSession, OpenSession, open_session},
    sign_in::{AskCode, SignIn, ask_code, due, sign_in},
    sign_out::{end_every_session, sign_out, sign_out_everywhere},
    tickets::{is_used_up, spend_ticket},
    tokens::mint,
    wechat::{open_wechat_session, require_fresh_code, sharing_phone},
};
use crate::app::App;

/// Routes of this subject.
pub fn routes() -> OpenApiRouter<App> {
    http::routes().merge(login_http::routes()).merge(desk_http::routes())
}
