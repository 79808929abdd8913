//! For how many a text to one number is that asks for something: whoever has the number, is concerned, and has not done it.
use std::collections::{HashMap, HashSet};

use super::{
    audience::Audience,
    claim::Sight,
    disturb::Sharing,
    reached,
    rows::{announcement, delivery},
    rules::ladder::Level,
};
use crate::{
    actor::covers,
    error::Result,
    ids::PersonId,
    people::audience::{Among, Sharer},
    store::Tx,
    votes,
};

/// What is asked, and by the place of each row that asks it who has its number.
type Asked<'a> = (&'a announcement::Model, Vec<(usize, &'a [Sharer])>);

/// By the place of each row that goes out and asks for something of several.
pub(super) async fn counted(
    tx: &Tx,
    (rows, sight, sharing): (&[delivery::Model], &Sight, &Sharing),
    send: &HashSet<usize>,
) -> Result<HashMap<usize, usize>> {
    let mut asked: HashMap<_, Asked<'_>> = HashMap::new();
    for place in send {
        let (told, level, _) = sight.near(&rows[*place])?;
        let number = rows[*place].target_id.parse().ok().and_then(|person| sight.numbers.get(&person));
        let sharers = number.and_then(|number| sharing.get(number)).filter(|sharers| sharers.len() > 1);
        if let (Level::Act, Some(sharers)) = (level, sharers) {
            asked.entry(told.id).or_insert((told, Vec::new())).1.push((*place, sharers.as_slice()));
        }
    }
    let mut people = HashMap::new();
    for (told, places) in asked.into_values() {
        let all: Vec<&Sharer> = places.iter().flat_map(|(_, sharers)| *sharers).collect();
        let open = open(tx, told, all).await?;
        people.extend(
            places
                .into_iter()
                .map(|(place, sharers)| (place, sharers.iter().filter(|one| open.contains(&one.id)).count())),
        );
    }
    Ok(people)
}

/// Those whom it concerns and who have not done it.
async fn open(tx: &Tx, told: &announcement::Model, all: Vec<&Sharer>) -> Result<HashSet<PersonId>> {
    let ids: Vec<PersonId> = all.iter().map(|one| one.id).collect();
    let mut open: HashSet<PersonId> = match Audience::parse(&told.audience, &told.audience_id)? {
        Audience::Residents(area) => all.iter().filter(|one| covers(&area, &one.area)).map(|one| one.id).collect(),
        Audience::Electors(vote) => votes::queries::not_cast_of(tx, vote, &Among::These(ids.clone())).await?,
        // to each by itself
        Audience::Invited(_)
        | Audience::Members(_)
        | Audience::Person(_)
        | Audience::Matter(_)
        | Audience::SignedFor(_)
        | Audience::Takers(_) => {
            return Ok(HashSet::new());
        }
    };
    let done = reached::in_app(tx, told, &Among::These(ids)).await?;
    open.retain(|id| !done.contains(id));
    Ok(open)
}
