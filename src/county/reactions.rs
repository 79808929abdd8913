//! What whoever runs the county is told: identity numbers that a roster or a register gave and the county knows otherwise.
use crate::{
    areas,
    bodies::{self, BodyKind},
    error::Result,
    events::{Event, Kind, Reaction},
    store::Tx,
    streams::commands::{Card, office, post_card},
    text,
};

/// Run by the relay.
pub const REACTIONS: &[Reaction] =
    &[Reaction { name: "county.tell_numbers", run: |tx, event| Box::pin(tell_numbers(tx, event)) }];

/// A card in the county's office, without a name or a number.
async fn tell_numbers(tx: &Tx, event: &Event) -> Result<()> {
    let (Kind::NumberDisputed, Some(area)) = (event.kind, &event.area) else { return Ok(()) };
    let Some(county) = bodies::queries::of_kind(tx, BodyKind::CountyOffice, area).await? else { return Ok(()) };
    let village = areas::get(tx, area).await?.name;
    let is_refused = event.data["refused"].as_bool().unwrap_or_default();
    let key = if is_refused { "county-numbers-refused" } else { "county-numbers-other" };
    let count = event.data["count"].as_i64().unwrap_or_default().to_string();
    let blanks = [("village", village.into()), ("n", count.into())];
    let card = Card {
        code: "number_disputed",
        title: text::say("county-numbers-title"),
        text: text::say_with(key, &blanks),
        link: "/desk/county".to_owned(),
    };
    post_card(tx, office(tx, county).await?, card).await?;
    Ok(())
}
