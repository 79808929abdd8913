//! The one schema of Liusheng, for every database; each step runs in a transaction.
//!
//! Habits: ids are UUIDs made by the client of the database; open enums are text without a CHECK list, because SQLite
//! cannot change one in place; times are UTC to the millisecond; a step, once released, is never edited.
#![expect(clippy::too_many_lines, reason = "a step reads as one list of tables")]

mod m0001_ground;
mod m0002_log;
mod m0003_streams;
mod m0004_voices;
mod m0005_deliberation;
mod m0006_matters;
mod m0007_votes;
mod m0008_identity;
mod m0009_desk_login;
mod m0010_guests;
mod m0011_suspensions;
mod m0012_log_in;
mod m0013_reading_reasons;
mod m0014_key_prints;
mod m0015_messages;
mod m0016_chains;
mod m0017_grams;
mod m0018_reports;
mod m0019_sync;
mod m0020_must_read;
mod m0021_held;
mod m0022_board;
mod m0023_wechat;
mod m0024_delivery;
mod m0025_escalation;
mod m0026_telling;
mod m0027_agents;
mod m0028_cosigns;
mod m0031_roll;
mod m0032_paper;
mod m0033_after;
mod m0034_charters;
mod m0035_aloud;
mod m0036_meetings;
mod m0037_paths;
mod m0038_sheets;
mod m0040_clips;
mod m0041_uploads;
mod m0042_wechat_ledger;
mod m0043_referrals;
mod m0044_members;
mod m0048_works;
mod m0051_objections;
mod m0052_villages_asked;
mod m0054_lists;
mod m0056_voices;
mod m0058_village_groups;
mod m0059_registers;
mod m0060_off_roster;
mod m0061_voices;
mod m0062_claims_again;
mod m0063_particulars;
mod m0064_rooms;
mod m0065_recalls;
mod m0066_mobile_boxes;
mod m0067_legal_officers;
mod m0068_contract_reviews;
mod m0069_mediations;
mod m0070_reached;
mod m0072_numbers;
mod m0073_circles;
mod m0077_cosign_sheets;
mod m0078_merged_matters;
mod m0079_late_contracts;
mod m0083_mandate_ends;
mod m0084_candidates;
mod m0089_forgotten;
mod m0090_skills;
mod m0091_elections;
mod m0092_joint_meetings;
mod m0096_times;
mod m0097_standing;
mod m0098_due_in_order;
mod m0099_kept_from;
mod m0100_apart;
mod m0101_ends;
mod m0104_electors;
mod m0105_seat_reasons;
mod m0106_body_forms;
mod m0107_service_groups;
mod m0114_room;
mod m0116_chosen_by_all;
mod m0117_election_versions;
mod m0120_from_now_on;
mod m0130_hot_rows;
mod m0131_invitations;
mod m0132_hot_words;
mod m0133_withdrawals;
mod m0134_pressing;
mod m0135_rated_answers;
mod m0136_guests_of_today;
mod m0137_service_records;
mod m0138_councils;
mod m0139_no_times;
mod m0140_hot_marks;
mod m0141_listed_phones;
mod m0144_bound_phones;
mod m0145_let_go;
mod m0146_restored;
mod schema;

use sea_orm_migration::{prelude::*, sea_orm::DatabaseTransaction};

/// All steps, in order.
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_ground::Migration),
            Box::new(m0002_log::Migration),
            Box::new(m0003_streams::Migration),
            Box::new(m0004_voices::Migration),
            Box::new(m0005_deliberation::Migration),
            Box::new(m0006_matters::Migration),
            Box::new(m0007_votes::Migration),
            Box::new(m0008_identity::Migration),
            Box::new(m0009_desk_login::Migration),
            Box::new(m0010_guests::Migration),
            Box::new(m0011_suspensions::Migration),
            Box::new(m0012_log_in::Migration),
            Box::new(m0013_reading_reasons::Migration),
            Box::new(m0014_key_prints::Migration),
            Box::new(m0015_messages::Migration),
            Box::new(m0016_chains::Migration),
            Box::new(m0017_grams::Migration),
            Box::new(m0018_reports::Migration),
            Box::new(m0019_sync::Migration),
            Box::new(m0020_must_read::Migration),
            Box::new(m0021_held::Migration),
            Box::new(m0022_board::Migration),
            Box::new(m0023_wechat::Migration),
            Box::new(m0024_delivery::Migration),
            Box::new(m0025_escalation::Migration),
            Box::new(m0026_telling::Migration),
            Box::new(m0027_agents::Migration),
            Box::new(m0028_cosigns::Migration),
            Box::new(m0031_roll::Migration),
            Box::new(m0032_paper::Migration),
            Box::new(m0033_after::Migration),
            Box::new(m0034_charters::Migration),
            Box::new(m0035_aloud::Migration),
            Box::new(m0036_meetings::Migration),
            Box::new(m0037_paths::Migration),
            Box::new(m0038_sheets::Migration),
            Box::new(m0040_clips::Migration),
            Box::new(m0041_uploads::Migration),
            Box::new(m0042_wechat_ledger::Migration),
            Box::new(m0043_referrals::Migration),
            Box::new(m0044_members::Migration),
            Box::new(m0048_works::Migration),
            Box::new(m0051_objections::Migration),
            Box::new(m0052_villages_asked::Migration),
            Box::new(m0054_lists::Migration),
            Box::new(m0056_voices::Migration),
            Box::new(m0058_village_groups::Migration),
            Box::new(m0059_registers::Migration),
            Box::new(m0060_off_roster::Migration),
            Box::new(m0061_voices::Migration),
            Box::new(m0062_claims_again::Migration),
            Box::new(m0063_particulars::Migration),
            Box::new(m0064_rooms::Migration),
            Box::new(m0065_recalls::Migration),
            Box::new(m0066_mobile_boxes::Migration),
            Box::new(m0067_legal_officers::Migration),
            Box::new(m0068_contract_reviews::Migration),
            Box::new(m0069_mediations::Migration),
            Box::new(m0070_reached::Migration),
            Box::new(m0072_numbers::Migration),
            Box::new(m0073_circles::Migration),
            Box::new(m0077_cosign_sheets::Migration),
            Box::new(m0078_merged_matters::Migration),
            Box::new(m0079_late_contracts::Migration),
            Box::new(m0083_mandate_ends::Migration),
            Box::new(m0084_candidates::Migration),
            Box::new(m0089_forgotten::Migration),
            Box::new(m0090_skills::Migration),
            Box::new(m0091_elections::Migration),
            Box::new(m0092_joint_meetings::Migration),
            Box::new(m0096_times::Migration),
            Box::new(m0097_standing::Migration),
            Box::new(m0098_due_in_order::Migration),
            Box::new(m0099_kept_from::Migration),
            Box::new(m0100_apart::Migration),
            Box::new(m0101_ends::Migration),
            Box::new(m0104_electors::Migration),
            Box::new(m0105_seat_reasons::Migration),
            Box::new(m0106_body_forms::Migration),
            Box::new(m0107_service_groups::Migration),
            Box::new(m0114_room::Migration),
            Box::new(m0116_chosen_by_all::Migration),
            Box::new(m0117_election_versions::Migration),
            Box::new(m0120_from_now_on::Migration),
            Box::new(m0130_hot_rows::Migration),
            Box::new(m0131_invitations::Migration),
            Box::new(m0132_hot_words::Migration),
            Box::new(m0133_withdrawals::Migration),
            Box::new(m0134_pressing::Migration),
            Box::new(m0135_rated_answers::Migration),
            Box::new(m0136_guests_of_today::Migration),
            Box::new(m0137_service_records::Migration),
            Box::new(m0138_councils::Migration),
            Box::new(m0139_no_times::Migration),
            Box::new(m0140_hot_marks::Migration),
            Box::new(m0141_listed_phones::Migration),
            Box::new(m0144_bound_phones::Migration),
            Box::new(m0145_let_go::Migration),
            Box::new(m0146_restored::Migration),
        ]
    }
}

/// Applies the missing steps.
///
/// # Errors
/// When a step fails; it is then undone whole.
pub async fn up(database: &sea_orm_migration::sea_orm::DatabaseConnection) -> Result<(), DbErr> {
    Migrator::up(database, None).await
}

/// Names of all steps, in order.
#[must_use]
pub fn names() -> Vec<String> {
    Migrator::migrations().iter().map(|step| step.name().to_owned()).collect()
}

/// Applies the first `count` steps inside the caller's transaction, to a database that has none.
///
/// # Errors
/// When a step fails.
pub async fn up_to(transaction: &DatabaseTransaction, count: u32) -> Result<(), DbErr> {
    Migrator::up(transaction, Some(count)).await
}

/// Applies the missing steps inside the caller's transaction.
///
/// # Errors
/// When a step fails.
pub async fn up_within(transaction: &DatabaseTransaction) -> Result<(), DbErr> {
    Migrator::up(transaction, None).await
}
