//! Deliveries found by which they are and by whose they are, whatever state most of them are in.
//!
//! # Why
//! While a county is told nearly every row waits, and afterwards nearly every one is sent. A database without figures of a
//! table (SQLite keeps none, PostgreSQL has none of one that has just grown) takes those in one state for a few, and would
//! go through all of them for each handful of people. So what is found by something else asks for state and channel in
//! words that no index answers.
use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, ExprTrait, JoinType, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select,
    UpdateMany,
    sea_query::{Expr, Func},
};

use super::{
    queries::{QUEUED, SENDING, SENT},
    rows::{
        announcement,
        delivery::{Column as C, Entity, Model},
    },
    rules::ladder::Channel,
};
use crate::ids::DeliveryId;

/// The word in this column, for which no index is searched.
pub(super) fn word(column: C) -> Expr {
    Func::lower(Expr::col((Entity, column))).into()
}

/// It was a message of its own, or would be.
fn is_own() -> Expr {
    let carrier = Func::coalesce([Expr::col((Entity, C::CarriedBy)), Expr::col((Entity, C::Id))]);
    carrier.eq(Expr::col((Entity, C::Id)))
}

fn of_these(rows: &[Model]) -> Condition {
    Condition::all().add(C::TargetId.is_in(rows.iter().map(|row| row.target_id.as_str())))
}

/// The first of what is due through a channel, behind this place: when, and which. The only one that goes by state.
pub(super) fn due(
    channel: Channel,
    (now, after): (DateTime<Utc>, Option<(DateTime<Utc>, DeliveryId)>),
    count: u64,
) -> Select<Entity> {
    let rows = Entity::find()
        .select_only()
        .columns([C::DueAt, C::Id])
        .filter(C::Channel.eq(channel.as_str()))
        .filter(C::State.eq(QUEUED))
        .filter(C::DueAt.lte(now))
        .order_by_asc(C::DueAt)
        .order_by_asc(C::Id)
        .limit(count);
    let Some((due_at, id)) = after else { return rows };
    rows.filter(C::DueAt.gte(due_at)).filter(C::DueAt.gt(due_at).or(C::Id.gt(id)))
}

/// Which of these are to be sent now, with whose they are.
pub(super) fn ready(ids: Vec<DeliveryId>, now: DateTime<Utc>) -> Select<Entity> {
    Entity::find()
        .select_only()
        .column(C::TargetId)
        .column(C::Id)
        .filter(C::Id.is_in(ids))
        .filter(word(C::State).eq(QUEUED))
        .filter(C::DueAt.lte(now))
        .order_by_asc(C::DueAt)
        .order_by_asc(C::Id)
}

/// Those of these that are to be sent now and to nobody who is being written to, to be taken.
pub(super) fn free(channel: Channel, ids: Vec<DeliveryId>, now: DateTime<Utc>) -> UpdateMany<Entity> {
    let targets =
        Entity::find().select_only().column(C::TargetId).filter(C::Id.is_in(ids.iter().copied())).into_query();
    // few are under way
    let under_way = Entity::find()
        .select_only()
        .column(C::TargetId)
        .filter(C::TargetId.in_subquery(targets))
        .filter(C::State.eq(SENDING))
        .filter(C::Channel.eq(channel.as_str()))
        .into_query();
    queued(ids).filter(C::DueAt.lte(now)).filter(C::TargetId.not_in_subquery(under_way))
}

/// Those of these that wait, to be changed.
pub(super) fn queued(ids: impl IntoIterator<Item = DeliveryId>) -> UpdateMany<Entity> {
    Entity::update_many().filter(C::Id.is_in(ids)).filter(word(C::State).eq(QUEUED))
}

/// Those of these of which the claim with this token is not settled, to be settled.
pub(super) fn claimed(ids: Vec<DeliveryId>, tries: i32) -> UpdateMany<Entity> {
    let is_open = word(C::State).is_in([SENDING, QUEUED]);
    Entity::update_many().filter(C::Id.is_in(ids)).filter(is_open).filter(C::Tries.eq(tries))
}

/// What waits behind these, to be changed.
pub(super) fn behind(carriers: Vec<DeliveryId>) -> UpdateMany<Entity> {
    Entity::update_many().filter(C::CarriedBy.is_in(carriers)).filter(word(C::State).eq(QUEUED))
}

/// What waits of these people's evening beside these rows.
pub(super) fn of_the_evening(channel: Channel, rows: &[Model]) -> Select<Entity> {
    let people = rows.iter().filter(|row| row.is_digest).map(|row| row.target_id.as_str());
    Entity::find()
        .filter(C::TargetId.is_in(people))
        .filter(word(C::Channel).eq(channel.as_str()))
        .filter(word(C::State).is_in([QUEUED, SENDING]))
        .filter(C::IsDigest.eq(true))
        .filter(C::Id.is_not_in(rows.iter().map(|row| row.id)))
}

/// The newest that waits for each of these people in each of these threads: whose, thread, number.
pub(super) fn newest<'a>(
    channel: Channel,
    rows: &[Model],
    threads: impl IntoIterator<Item = &'a str>,
) -> Select<Entity> {
    let told = Entity::belongs_to(announcement::Entity).from(C::AnnouncementId).to(announcement::Column::Id).into();
    Entity::find()
        .select_only()
        .column(C::TargetId)
        .column(announcement::Column::Thread)
        .column_as(C::EventNumber.max(), "newest")
        .join(JoinType::InnerJoin, told)
        .filter(of_these(rows))
        .filter(word(C::Channel).eq(channel.as_str()))
        .filter(word(C::State).eq(QUEUED))
        .filter(announcement::Column::Thread.is_in(threads))
        .filter(announcement::Column::EndedAt.is_null())
        .group_by(C::TargetId)
        .group_by(announcement::Column::Thread)
}

/// How many messages went to each of these people through this channel since then.
pub(super) fn sent_since(channel: Channel, rows: &[Model], since: DateTime<Utc>) -> Select<Entity> {
    Entity::find()
        .select_only()
        .column(C::TargetId)
        .column_as(C::Id.count(), "count")
        .filter(of_these(rows))
        .filter(word(C::State).eq(SENT))
        .filter(word(C::Channel).eq(channel.as_str()))
        .filter(C::SentAt.gt(since))
        // what another message told of was no message
        .filter(is_own())
        .group_by(C::TargetId)
}

/// Who of these people was told of which of these events through another channel.
pub(super) fn sent_elsewhere(channel: Channel, rows: &[Model]) -> Select<Entity> {
    let number = Expr::col((Entity, C::EventNumber)).add(0);
    Entity::find()
        .select_only()
        .columns([C::EventNumber, C::TargetId])
        .filter(number.is_in(rows.iter().map(|row| row.event_number)))
        .filter(of_these(rows))
        .filter(word(C::State).eq(SENT))
        .filter(C::Channel.ne(channel.as_str()))
}

#[cfg(test)]
mod tests {
    use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend, Statement};

    use super::*;
    use crate::clock::Clock;

    async fn plan(database: &DatabaseConnection, asked: Statement) -> Vec<String> {
        let explained = Statement { sql: format!("EXPLAIN QUERY PLAN {}", asked.sql), ..asked };
        let lines = database.query_all_raw(explained).await.unwrap();
        lines.iter().map(|line| line.try_get("", "detail").unwrap()).collect()
    }

    fn row() -> Model {
        Model {
            id: DeliveryId::new(),
            kind: String::new(),
            channel: "sms".to_owned(),
            event_number: 1,
            target_id: DeliveryId::new().to_string(),
            subject_id: String::new(),
            state: QUEUED.to_owned(),
            tries: 0,
            tries_before: 0,
            due_at: DateTime::UNIX_EPOCH,
            sent_at: None,
            created_at: DateTime::UNIX_EPOCH,
            announcement_id: None,
            reason: None,
            is_digest: true,
            carried_by: None,
            person_id: None,
        }
    }

    /// Without figures SQLite takes a state for ten rows and the people of a claim for six hundred.
    #[tokio::test]
    async fn a_claim_reads_the_rows_of_its_people_and_no_others() {
        let mut options = ConnectOptions::new("sqlite::memory:");
        options.max_connections(1).sqlx_logging(false);
        let database = Database::connect(options).await.unwrap();
        migrations::up(&database).await.unwrap();
        let (rows, now, sms) = (vec![row(); 64], Clock::system().now(), Channel::Sms);
        let ids = || rows.iter().map(|row| row.id).collect::<Vec<DeliveryId>>();
        let put_off = |change: UpdateMany<Entity>| change.col_expr(C::DueAt, Expr::value(now)).build(DbBackend::Sqlite);
        let asked = [
            (ready(ids(), now).build(DbBackend::Sqlite), "(id=?)"),
            (put_off(queued(ids())), "(id=?)"),
            (put_off(claimed(ids(), 1)), "(id=?)"),
            (put_off(behind(ids())), "(carried_by=?)"),
            (of_the_evening(sms, &rows).build(DbBackend::Sqlite), "(target_id=?)"),
            (newest(sms, &rows, ["flood"]).build(DbBackend::Sqlite), "(target_id=?)"),
            (sent_since(sms, &rows, now).build(DbBackend::Sqlite), "(target_id=?)"),
            (sent_elsewhere(sms, &rows).build(DbBackend::Sqlite), "(target_id=?)"),
        ];
        for (statement, by) in asked {
            let sql = statement.sql.clone();
            let mut lines = plan(&database, statement).await;
            lines.retain(|line| line.contains(" deliveries "));
            let is_found = |line: &String| line.starts_with("SEARCH deliveries") && line.ends_with(by);
            assert!(lines.len() == 1 && lines.iter().all(is_found), "{sql}\n{lines:#?}");
        }
        let lines = plan(&database, put_off(free(sms, ids(), now))).await;
        assert!(lines[0].ends_with("(id=?)"), "{lines:#?}");
        // a county may be due at the same minute
        let behind_many = due(sms, (now, Some((now, rows[0].id))), 512).build(DbBackend::Sqlite);
        let lines = plan(&database, behind_many).await;
        assert!(lines.len() == 1 && lines[0].contains("ix_deliveries_channel_state_due_at_id"), "{lines:#?}");
    }
}
