//! Work that was set aside, done once more when an operator asks for it.
use sea_orm::{ColumnTrait, Condition, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};

use super::{
    relay::Reaction,
    rows::{dead_letter, event},
    unknown::open,
};
use crate::{
    error::{Code, Result},
    store::{Store, Tx},
};

/// Letters read at once.
const AT_ONCE: u64 = 100;

/// Runs the dead letters of these reactions once more; says how many went through and how many are left.
///
/// # Errors
/// When the database fails.
pub async fn redrive(store: &Store, reactions: &[Reaction]) -> Result<(usize, u64)> {
    let (mut through, mut last) = (0, (i64::MIN, String::new()));
    loop {
        let letters = letters_after(store, &last).await?;
        let Some(end) = letters.last() else { break };
        last = (end.number, end.reaction.clone());
        for letter in letters {
            let Some(reaction) = reactions.iter().copied().find(|known| known.name == letter.reaction) else {
                continue;
            };
            let number = letter.number;
            match store.write(move |tx| Box::pin(again(tx, reaction, letter))).await {
                Ok(()) => through += 1,
                // whoever asked for it is to know why it stays
                Err(error) => tracing::warn!(%error, reaction = reaction.name, number, "failed again"),
            }
        }
    }
    Ok((through, dead_letter::Entity::find().count(store.read()).await?))
}

/// Some of the letters behind this one: those that fail again stay.
async fn letters_after(store: &Store, (number, reaction): &(i64, String)) -> Result<Vec<dead_letter::Model>> {
    let same_event = Condition::all()
        .add(dead_letter::Column::Number.eq(*number))
        .add(dead_letter::Column::Reaction.gt(reaction.as_str()));
    let letters = dead_letter::Entity::find()
        .filter(Condition::any().add(dead_letter::Column::Number.gt(*number)).add(same_event))
        .order_by_asc(dead_letter::Column::Number)
        .order_by_asc(dead_letter::Column::Reaction)
        .limit(AT_ONCE);
    Ok(letters.all(store.read()).await?)
}

/// Runs one dead letter once more. Nothing to do when somebody else has done it meanwhile.
///
/// # Errors
/// `not_found` for a reaction that this build does not know, `wrong_state` for such an event; what the reaction failed with.
pub async fn redrive_letter(store: &Store, reactions: &[Reaction], (name, number): (&str, i64)) -> Result<()> {
    let reaction = reactions.iter().copied().find(|known| known.name == name).ok_or(Code::NotFound)?;
    let letter = dead_letter::Entity::find_by_id((name.to_owned(), number)).one(store.read()).await?;
    let Some(letter) = letter else { return Ok(()) };
    store.write(move |tx| Box::pin(again(tx, reaction, letter))).await
}

/// Takes the letter away first: of two who run it at once, one does.
///
/// # Errors
/// `wrong_state` for an event of a kind that only a newer build knows; what the reaction failed with.
async fn again(tx: &Tx, reaction: Reaction, letter: dead_letter::Model) -> Result<()> {
    let taken = dead_letter::Entity::delete_many()
        .filter(dead_letter::Column::Reaction.eq(&letter.reaction))
        .filter(dead_letter::Column::Number.eq(letter.number))
        .exec(tx)
        .await?;
    if taken.rows_affected != 1 {
        return Ok(());
    }
    let row = event::Entity::find().filter(event::Column::Number.eq(letter.number)).one(tx).await?;
    // the letter stays for the newer build, which knows what follows
    let event = row.and_then(open).ok_or(Code::WrongState)?;
    (reaction.run)(tx, &event).await
}
