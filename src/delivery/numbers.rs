//! A number that cannot be the person's own is told nothing: what would go there goes to the door, and the office hears why.
use super::{
    claim::{Sight, Verdict},
    disturb::Sharing,
    rows::delivery,
};
use crate::{
    error::{Error, Result},
    ids::PersonId,
    people::{
        audience::{crowded, sharing},
        numbers::doubt,
    },
    store::Tx,
};

/// Ends what would be texted to a number that is nobody's own, unless this person has proven it. Says who has which number;
/// of one that is crowded who has proven it alone.
pub(super) async fn own_ones(
    tx: &Tx,
    (rows, sight): (&[delivery::Model], &Sight),
    verdicts: &mut [(usize, Verdict)],
) -> Result<Sharing> {
    let number_of = |(place, verdict): &(usize, Verdict)| {
        let person = rows[*place].target_id.parse::<PersonId>().ok()?;
        sight.numbers.get(&person).filter(|_| *verdict == Verdict::Send).cloned()
    };
    let numbers: Vec<String> = verdicts.iter().filter_map(number_of).collect();
    let crowded = crowded(tx, numbers.clone()).await?;
    let sharing = sharing(tx, numbers, &crowded).await?;
    for (place, verdict) in verdicts.iter_mut().filter(|(_, verdict)| *verdict == Verdict::Send) {
        let person: PersonId = rows[*place].target_id.parse().map_err(Error::broken)?;
        let Some(number) = sight.numbers.get(&person) else { continue };
        let sharers = sharing.get(number).map_or(&[][..], Vec::as_slice);
        let is_proven = sharers.iter().any(|one| one.id == person && one.is_proven);
        let phone = sight.reach.get(&person).and_then(|reach| reach.phone.as_deref()).unwrap_or_default();
        if let Some(why) = doubt(phone, crowded.contains(number), is_proven) {
            *verdict = Verdict::Not(why);
        }
    }
    Ok(sharing)
}
