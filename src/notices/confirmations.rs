//! Confirmations as evidence: who has read which version, on the own phone, by somebody of the household, by a written
//! mandate, or at the door; who made one for somebody else is named, and it can be taken back. Of a notice that nobody is asked
//! to confirm it is written down who was told at the door.
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Set, TryInsertResult, sea_query::Expr};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::{
    audience,
    queries::{self, ConfirmationView, confirmation_view as view},
    rows::{audience as asked, confirmation, notice},
    rules::UNDO_WITHIN,
    villages,
};
use crate::{
    actor::{Actor, covers},
    error::{Checks, Code, Error, Result},
    events::{self, Happening, Kind},
    ids::{NoticeId, PersonId},
    people,
    store::Tx,
};

/// How somebody confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConfirmVia {
    /// On the own phone.
    #[serde(rename = "self")]
    Own,
    /// Somebody of the household did.
    Household,
    /// Somebody with a written mandate did; the office wrote it down.
    Mandate,
    /// A grid worker or the office at the door.
    Door,
}

impl ConfirmVia {
    /// The stable word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Own => "self",
            Self::Household => "household",
            Self::Mandate => "mandate",
            Self::Door => "door",
        }
    }

    /// The way of this word.
    #[must_use]
    pub fn parse(word: &str) -> Self {
        [Self::Household, Self::Mandate, Self::Door].into_iter().find(|one| one.as_str() == word).unwrap_or(Self::Own)
    }
}

/// How it was done at a door.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DoorWay {
    /// 当面宣读
    #[default]
    ReadOut,
    /// 送达纸质
    Paper,
    /// 电话告知
    Call,
}

impl DoorWay {
    /// The stable word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ReadOut => "read_out",
            Self::Paper => "paper",
            Self::Call => "call",
        }
    }
}

/// A confirmation for somebody else.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfirmFor {
    /// For whom; was asked when this version was published. Of a notice that asks nobody: lives where it hangs.
    pub person_id: PersonId,
    /// household, by a member of it; mandate or door, by who works at the doors; of a notice that asks nobody door alone.
    pub via: ConfirmVia,
    /// How it was done at the door; read out when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub way: Option<DoorWay>,
    /// Who acts by the written mandate; only with `mandate`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy_id: Option<PersonId>,
    /// Up to 200 characters; which paper, with `mandate`.
    #[serde(default)]
    #[schema(max_length = 200)]
    pub note: String,
}

/// Whose confirmation.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OfPerson {
    /// The person.
    pub person_id: PersonId,
}

/// Confirms that the actor has read the present version. Again, also after the notice came down, is the first answer; what
/// somebody else confirmed becomes the actor's own.
///
/// # Errors
/// `not_found`; `not_allowed` for who does not live in the area; `wrong_state` when it was taken down or asks nobody.
pub async fn confirm(tx: &Tx, actor: &Actor, id: NoticeId) -> Result<ConfirmationView> {
    let notice = notice::Entity::find_by_id(id).one(tx).await?.ok_or(Code::NotFound)?;
    if !actor.lives_in(&notice.area_code) {
        return Err(Code::NotAllowed.into());
    }
    let known = confirmation::Entity::find_by_id((id, notice.version, actor.person)).one(tx).await?;
    let is_counted = known.as_ref().is_some_and(|known| known.in_audience);
    match known {
        Some(known) if known.via == ConfirmVia::Own.as_str() => return view(tx, known).await,
        None if !takes(&notice, ConfirmVia::Own) => return Err(Code::WrongState.into()),
        Some(other) if !takes(&notice, ConfirmVia::Own) => return view(tx, other).await,
        _ => {}
    }
    let asked = audience::asked(tx, &notice, actor.person).await?;
    let row = fresh(tx, &notice, actor.person, (ConfirmVia::Own, asked.is_some()));
    confirmation::Entity::delete_by_id((id, notice.version, actor.person)).exec(tx).await?;
    confirmation::Entity::insert(row).exec_without_returning(tx).await?;
    if let Some(asked) = asked.filter(|_| !is_counted) {
        villages::count(tx, (&notice, &asked.area_code), 1).await?;
    }
    found(tx, &notice, actor.person).await
}

/// Writes down that somebody else has read the present version; that person is told. Once more, by whomever, is the first
/// answer. Records `notice.confirmed_for`.
///
/// # Errors
/// `not_found`; `not_allowed` for who is neither of the household nor at work at these doors; `wrong_state`, also of a notice
/// that nobody is asked to confirm, but at the door; `invalid_fields` for who was not asked or, of such a notice, does not live
/// there, for oneself, and without what the mandate needs.
pub async fn confirm_for(tx: &Tx, actor: &Actor, (id, input): (NoticeId, ConfirmFor)) -> Result<ConfirmationView> {
    let notice = notice::Entity::find_by_id(id).one(tx).await?.ok_or(Code::NotFound)?;
    let asked = audience::asked(tx, &notice, input.person_id).await?;
    let (village, group) = door_of(tx, &notice, (input.person_id, asked.as_ref())).await?;
    require_standing(tx, actor, (&notice, &input), (&village, group)).await?;
    let is_asked = asked.is_some() || (!notice.must_read && lives_there(tx, &notice, input.person_id).await?);
    check(tx, actor, (&notice, &input, is_asked)).await?;
    if !takes(&notice, input.via) {
        return Err(Code::WrongState.into());
    }
    let own = people::queries::own_numbers(tx, tx.keys(), &[input.person_id]).await?;
    let way = (input.via == ConfirmVia::Door).then(|| input.way.unwrap_or_default().as_str().to_owned());
    let row = confirmation::ActiveModel {
        by_id: Set(Some(actor.person)),
        proxy_id: Set(input.proxy_id),
        way: Set(way),
        note: Set(Some(input.note.trim().to_owned()).filter(|note| !note.is_empty())),
        // who stood at the door has told; what others did is told by the next who comes
        tell_at_door: Set(own.is_empty() && input.via != ConfirmVia::Door),
        ..fresh(tx, &notice, input.person_id, (input.via, asked.is_some()))
    };
    let key = [confirmation::Column::NoticeId, confirmation::Column::Version, confirmation::Column::PersonId];
    let insert = confirmation::Entity::insert(row).on_conflict_do_nothing_on(key);
    if matches!(insert.exec_without_returning(tx).await?, TryInsertResult::Inserted(1)) {
        if asked.is_some() {
            villages::count(tx, (&notice, &village), 1).await?;
        }
        let data = json!({ "version": notice.version, "person": input.person_id, "via": input.via });
        let happening = Happening::new(Kind::NoticeConfirmedFor, id).at(&village).by(actor.person);
        events::record(tx, happening.with(data)).await?;
    }
    found(tx, &notice, input.person_id).await
}

/// Takes back a confirmation that somebody made for somebody else: who made it, within a day; the person, at any time.
/// Records `notice.confirmation_undone`.
///
/// # Errors
/// `not_found` for what is not there or not the actor's to take back; `wrong_state`; `period_over` after a day.
pub async fn undo(tx: &Tx, actor: &Actor, (id, input): (NoticeId, OfPerson)) -> Result<()> {
    let notice = notice::Entity::find_by_id(id).one(tx).await?.ok_or(Code::NotFound)?;
    let known = confirmation::Entity::find_by_id((id, notice.version, input.person_id)).one(tx).await?;
    let is_theirs = |row: &confirmation::Model| row.by_id == Some(actor.person) || input.person_id == actor.person;
    let known = known.filter(|row| row.via != ConfirmVia::Own.as_str() && is_theirs(row)).ok_or(Code::NotFound)?;
    if !takes(&notice, ConfirmVia::parse(&known.via)) {
        return Err(Code::WrongState.into());
    }
    if input.person_id != actor.person && known.at + UNDO_WITHIN < tx.now() {
        return Err(Code::PeriodOver.into());
    }
    confirmation::Entity::delete_by_id((id, notice.version, input.person_id)).exec(tx).await?;
    let asked = audience::asked(tx, &notice, input.person_id).await?;
    let (village, _) = door_of(tx, &notice, (input.person_id, asked.as_ref())).await?;
    if known.in_audience {
        villages::count(tx, (&notice, &village), -1).await?;
    }
    let data = json!({
        "version": notice.version, "person": input.person_id, "via": known.via, "by": known.by_id,
    });
    let happening = Happening::new(Kind::NoticeConfirmationUndone, id).at(&village).by(actor.person);
    events::record(tx, happening.with(data)).await?;
    Ok(())
}

/// Somebody without a phone was told at the door that somebody else had confirmed: by another than who did. Once more is
/// the same.
///
/// # Errors
/// `not_found`; `not_allowed` for who does not work at these doors; `second_person_needed` for who confirmed.
pub async fn told(tx: &Tx, actor: &Actor, (id, input): (NoticeId, OfPerson)) -> Result<()> {
    let notice = notice::Entity::find_by_id(id).one(tx).await?.ok_or(Code::NotFound)?;
    let asked = audience::asked(tx, &notice, input.person_id).await?;
    let (village, group) = door_of(tx, &notice, (input.person_id, asked.as_ref())).await?;
    let scope = audience::scope(tx, actor, &village).await?;
    if group.is_some_and(|group| !scope.has(group)) {
        return Err(Code::NotAllowed.into());
    }
    let known = confirmation::Entity::find_by_id((id, notice.version, input.person_id)).one(tx).await?;
    let known = known.filter(|row| row.tell_at_door).ok_or(Code::NotFound)?;
    if [known.by_id, known.proxy_id].contains(&Some(actor.person)) {
        return Err(Code::SecondPersonNeeded.into());
    }
    confirmation::Entity::update_many()
        .col_expr(confirmation::Column::ToldAt, Expr::value(tx.now()))
        .col_expr(confirmation::Column::ToldBy, Expr::value(actor.person))
        .filter(confirmation::Column::NoticeId.eq(id))
        .filter(confirmation::Column::Version.eq(notice.version))
        .filter(confirmation::Column::PersonId.eq(input.person_id))
        .filter(confirmation::Column::ToldAt.is_null())
        .exec(tx)
        .await?;
    Ok(())
}

/// Who stands at a door comes after the last day, too; what was taken down asks nobody any more. What nobody is asked to confirm
/// is told at doors nevertheless.
fn takes(notice: &notice::Model, via: ConfirmVia) -> bool {
    (notice.must_read || via == ConfirmVia::Door) && notice.state != queries::WITHDRAWN
}

/// Of the household, or at work at these doors.
async fn require_standing(
    tx: &Tx,
    actor: &Actor,
    (notice, input): (&notice::Model, &ConfirmFor),
    (village, group): (&str, Option<i32>),
) -> Result<()> {
    let may = match input.via {
        ConfirmVia::Own => false,
        ConfirmVia::Household => {
            let own = people::person(tx, actor.person).await?.map(|own| own.household);
            let theirs = people::person(tx, input.person_id).await?.map(|one| one.household);
            actor.lives_in(&notice.area_code) && own.is_some() && own == theirs
        }
        ConfirmVia::Mandate | ConfirmVia::Door => {
            let scope = audience::scope(tx, actor, village).await?;
            group.is_none_or(|group| scope.has(group))
        }
    };
    if may { Ok(()) } else { Err(Code::NotAllowed.into()) }
}

/// Whose doors somebody is found at, and in which group: of the village that was asked; of who was not, the one where they are on
/// the roster, where the notice reaches it.
async fn door_of(
    tx: &Tx,
    notice: &notice::Model,
    (person, asked): (PersonId, Option<&asked::Model>),
) -> Result<(String, Option<i32>)> {
    if let Some(asked) = asked {
        return Ok((asked.area_code.clone(), Some(asked.group_number)));
    }
    let home = people::person(tx, person).await?.filter(|home| covers(&notice.area_code, &home.area));
    Ok(home.map_or_else(|| (notice.area_code.clone(), None), |home| (home.area, Some(home.group_number))))
}

/// Is somebody on the roster where the notice hangs?
async fn lives_there(tx: &Tx, notice: &notice::Model, person: PersonId) -> Result<bool> {
    let home = people::person(tx, person).await?;
    Ok(home.is_some_and(|home| home.left_on.is_none() && covers(&notice.area_code, &home.area)))
}

async fn check(tx: &Tx, actor: &Actor, (notice, input, is_asked): (&notice::Model, &ConfirmFor, bool)) -> Result<()> {
    let is_mandate = input.via == ConfirmVia::Mandate;
    let mut checks = Checks::default();
    checks.require(input.person_id != actor.person, "person_id", "not_yourself");
    checks.require(is_asked || !takes(notice, input.via), "person_id", "not_a_member");
    checks.text("note", &input.note, if is_mandate { 1..=200 } else { 0..=200 });
    checks.require(input.way.is_none() || input.via == ConfirmVia::Door, "way", "out_of_range");
    let proxy = match input.proxy_id {
        Some(proxy) => people::person(tx, proxy).await?.filter(|one| one.left_on.is_none()),
        None => None,
    };
    match proxy {
        Some(one) => {
            let is_adult = people::rules::is_adult(one.birth_date, audience::today(tx));
            checks.require(is_mandate && is_adult && one.id != input.person_id, "proxy_id", "out_of_range");
        }
        None if input.proxy_id.is_some() => checks.wrong("proxy_id", "not_a_member"),
        None => checks.require(!is_mandate, "proxy_id", "required"),
    }
    checks.done()
}

fn fresh(
    tx: &Tx,
    notice: &notice::Model,
    person: PersonId,
    (via, in_audience): (ConfirmVia, bool),
) -> confirmation::ActiveModel {
    confirmation::ActiveModel {
        notice_id: Set(notice.id),
        version: Set(notice.version),
        person_id: Set(person),
        at: Set(tx.now()),
        via: Set(via.as_str().to_owned()),
        in_audience: Set(in_audience),
        by_id: Set(None),
        proxy_id: Set(None),
        way: Set(None),
        note: Set(None),
        tell_at_door: Set(false),
        told_at: Set(None),
        told_by: Set(None),
    }
}

async fn found(tx: &Tx, notice: &notice::Model, person: PersonId) -> Result<ConfirmationView> {
    let row = confirmation::Entity::find_by_id((notice.id, notice.version, person)).one(tx).await?;
    view(tx, row.ok_or_else(|| Error::broken("a confirmation that is neither new nor known"))?).await
}
