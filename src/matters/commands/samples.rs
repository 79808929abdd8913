//! 抽户: the households that are visited at the review are drawn, those who objected first, and nobody chooses them.
use std::collections::{BTreeSet, HashMap, HashSet};

use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use crate::{
    actor::Actor,
    bodies::{self, Right},
    error::{Checks, Code, Result},
    events::{self, Happening, Kind},
    forms::{
        self, FormView, Purpose,
        commands::Drawn,
        queries::{OPEN, SampleView},
    },
    ids::{FormId, HouseholdId, MatterId},
    matters::queries,
    notices, people,
    store::Tx,
};

/// Households drawn at most.
const MOST: u32 = 200;

/// Households to be drawn.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DrawSample {
    /// The open sheet of visits, about this matter.
    pub form_id: FormId,
    /// How many beside those of the objectors, 1 to 200; fewer where the village has fewer.
    #[schema(minimum = 1, maximum = 200)]
    pub households: u32,
}

/// Draws the households whose people are visited: first those of everybody who objected to a notice of the matter, then so many
/// of the others, in the order of a digest that nobody can choose and everybody who sees the roster can compute again:
/// SHA-256 of the id of the first sheet of visits about the matter, then that of the household. Whoever opens more sheets draws
/// the same households. Recorded: `matter.sample_drawn`.
///
/// # Errors
/// `not_found`; `not_allowed` without a seat that opens forms there; `invalid_fields`; `wrong_state` for a sheet that is closed,
/// is no sheet of visits about this matter, or was drawn for before.
pub async fn draw_sample(tx: &Tx, actor: &Actor, (id, input): (MatterId, DrawSample)) -> Result<Vec<SampleView>> {
    let matter = queries::row(tx, id).await?;
    bodies::require(actor, Right::OpenForm, &matter.area_code)?;
    let mut checks = Checks::default();
    checks.require((1..=MOST).contains(&input.households), "households", "out_of_range");
    checks.done()?;
    let about = forms::queries::forms_of(tx, (&id.to_string(), &matter.area_code)).await?;
    let is_sheet = |form: &&FormView| form.purpose == Purpose::Visit && form.area_code == matter.area_code;
    // oldest first
    let first = about.iter().find(is_sheet).map(|form| form.id);
    let form = about.iter().find(|form| form.id == input.form_id).ok_or(Code::NotFound)?;
    let Some(first) = first.filter(|_| is_sheet(&form) && form.state == OPEN) else {
        return Err(Code::WrongState.into());
    };
    let residents = people::residents(tx, &matter.area_code).await?;
    let homes: HashMap<_, _> = residents.iter().map(|one| (one.id, one.household)).collect();
    let objectors = notices::queries::objectors_of(tx, id, &matter.area_code).await?;
    let objected: HashSet<HouseholdId> = objectors.iter().filter_map(|person| homes.get(person)).copied().collect();
    let all: BTreeSet<(Vec<u8>, HouseholdId)> = homes.values().map(|home| (place(first, *home), *home)).collect();
    let (first, others): (Vec<_>, Vec<_>) =
        all.into_iter().map(|(_, home)| home).partition(|home| objected.contains(home));
    let others = others.into_iter().take(usize::try_from(input.households).unwrap_or(usize::MAX));
    let drawn = first.into_iter().map(|home| (home, true)).chain(others.map(|home| (home, false)));
    let drawn: Vec<Drawn> =
        (1..).zip(drawn).map(|(number, (household, is_objector))| Drawn { household, number, is_objector }).collect();
    let count = drawn.len();
    forms::commands::keep_sample(tx, form.id, drawn).await?;
    let happening = Happening::new(Kind::SampleDrawn, id)
        .at(&matter.area_code)
        .by(actor.person)
        .with(json!({ "form": form.id, "count": count }));
    events::record(tx, happening).await?;
    forms::queries::sample(tx, form.id).await
}

/// Where a household stands in the order of a matter, whose first sheet this is.
fn place(form: FormId, home: HouseholdId) -> Vec<u8> {
    digest(&SHA256, &[form.0.as_bytes().as_slice(), home.0.as_bytes()].concat()).as_ref().to_vec()
}
