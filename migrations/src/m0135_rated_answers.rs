//! A rating stands with the answer that it is about; until now one rating of a voice, the last, stood with the voice.
use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// The newest answer of those that were there when it was rated.
const MOVED: &str = "UPDATE suggestion_answers SET rating = s.rating, rating_text = s.rating_text, rated_at = s.rated_at \
    FROM suggestions AS s WHERE s.id = suggestion_answers.suggestion_id AND s.rating IS NOT NULL \
    AND suggestion_answers.id = (SELECT a.id FROM suggestion_answers AS a \
        WHERE a.suggestion_id = s.id AND a.created_at <= s.rated_at ORDER BY a.created_at DESC, a.id DESC LIMIT 1)";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns = [integer_null("rating"), text_null("rating_text"), timestamp_with_time_zone_null("rated_at")];
        for column in columns {
            manager.alter_table(Table::alter().table("suggestion_answers").add_column(column).to_owned()).await?;
        }
        manager.get_connection().execute_unprepared(MOVED).await?;
        manager.alter_table(Table::alter().table("suggestions").drop_column("rating_text").to_owned()).await
    }
}
