//! Joint meetings of secretaries: whose turn it is to lead them, what comes onto their agenda, and tasks in each village.
use sea_orm_migration::{prelude::*, schema::*};

use crate::schema::{create, index};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create(manager, "joint_rotations", |table| {
            table
                .col(uuid("body_id").primary_key())
                .col(string("rotation"))
                .col(uuid("changed_by"))
                .col(timestamp_with_time_zone("changed_at"))
                .foreign_key(ForeignKey::create().from("joint_rotations", "body_id").to("bodies", "id"));
        })
        .await?;
        create(manager, "joint_turns", |table| {
            table
                .col(uuid("body_id"))
                .col(integer("number"))
                .col(uuid("person_id"))
                .col(timestamp_with_time_zone("began_at"))
                .col(text_null("reason"))
                .col(uuid_null("passed_by"))
                .primary_key(Index::create().col("body_id").col("number"))
                .foreign_key(ForeignKey::create().from("joint_turns", "body_id").to("bodies", "id"))
                .foreign_key(ForeignKey::create().from("joint_turns", "person_id").to("people", "id"));
        })
        .await?;
        create(manager, "joint_items", |table| {
            table
                .col(uuid("id").primary_key())
                .col(uuid("body_id"))
                .col(uuid("matter_id"))
                .col(text("villages"))
                .col(text("note"))
                .col(uuid("proposed_by"))
                .col(timestamp_with_time_zone("proposed_at"))
                .col(uuid_null("meeting_id"))
                .foreign_key(ForeignKey::create().from("joint_items", "body_id").to("bodies", "id"))
                .foreign_key(ForeignKey::create().from("joint_items", "matter_id").to("matters", "id"))
                .foreign_key(ForeignKey::create().from("joint_items", "meeting_id").to("meetings", "id"));
        })
        .await?;
        index(manager, "joint_items", &["body_id", "proposed_at"]).await?;
        create(manager, "joint_tasks", |table| {
            table
                .col(uuid("meeting_id"))
                .col(integer("number"))
                .col(string("area_code"))
                .col(uuid("task_id"))
                .primary_key(Index::create().col("meeting_id").col("number").col("area_code"))
                .foreign_key(ForeignKey::create().from("joint_tasks", "meeting_id").to("meetings", "id"))
                .foreign_key(ForeignKey::create().from("joint_tasks", "area_code").to("areas", "code"))
                .foreign_key(ForeignKey::create().from("joint_tasks", "task_id").to("tasks", "id"));
        })
        .await
    }
}
