//! Rows as lines: read from one database, written into another, each value by what its column holds.
use std::{
    collections::{HashMap, HashSet},
    fs::File,
    io::{BufRead, BufReader},
    path::Path,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use sea_orm::{
    ConnectionTrait, DatabaseTransaction, ExprTrait, QueryResult, Value,
    sea_query::{Alias, Expr, Order, Query},
};
use serde_json::Value as Json;
use uuid::Uuid;

use super::{files::Writing, manifest::Sum};
use crate::{
    error::{Error, Result},
    store::{
        Tx,
        catalog::{Holds, Table},
    },
};

/// Rows read in one go.
const PAGE: u64 = 2000;
/// Values in one statement at most; SQLite takes 32,766.
const VALUES: usize = 10_000;

/// Writes every row of a table, in the order of its key; each also goes to `see`.
pub(super) async fn dump(
    db: &DatabaseTransaction,
    table: &Table,
    file: &Path,
    mut see: impl FnMut(&[Json]),
) -> Result<(u64, Sum)> {
    if table.key.is_empty() {
        return Err(Error::broken(format!("{}: a table without a primary key cannot be copied", table.name)));
    }
    let mut out = Writing::begin(file)?;
    let mut count = 0;
    let mut after: Option<Vec<Value>> = None;
    loop {
        let page = db.query_all(&page(table, after.as_deref())).await?;
        let is_last = (page.len() as u64) < PAGE;
        for row in &page {
            let values = read(table, row)?;
            let line: Vec<Json> = values.iter().map(to_json).collect::<Result<_>>()?;
            let mut bytes = serde_json::to_vec(&line).map_err(Error::broken)?;
            bytes.push(b'\n');
            out.write(&bytes)?;
            see(&line);
            count += 1;
            after = Some(values);
        }
        if is_last {
            return Ok((count, out.finish()?));
        }
    }
}

fn page(table: &Table, after: Option<&[Value]>) -> sea_orm::sea_query::SelectStatement {
    let column = |place: &usize| Expr::col(Alias::new(&table.columns[*place].name));
    let mut select = Query::select();
    select.from(Alias::new(&table.name)).columns(table.columns.iter().map(|column| Alias::new(&column.name)));
    if let Some(after) = after {
        let key = Expr::tuple(table.key.iter().map(column));
        let last = Expr::tuple(table.key.iter().map(|place| Expr::val(after[*place].clone())));
        select.and_where(key.gt(last));
    }
    for place in &table.key {
        select.order_by(Alias::new(&table.columns[*place].name), Order::Asc);
    }
    select.limit(PAGE).to_owned()
}

fn read(table: &Table, row: &QueryResult) -> Result<Vec<Value>> {
    let one = |(place, column): (usize, &crate::store::catalog::Column)| {
        Ok(match column.holds {
            Holds::Text => row.try_get_by_index::<Option<String>>(place)?.into(),
            Holds::Integer => row.try_get_by_index::<Option<i32>>(place)?.into(),
            Holds::BigInteger => row.try_get_by_index::<Option<i64>>(place)?.into(),
            Holds::Boolean => row.try_get_by_index::<Option<bool>>(place)?.into(),
            Holds::Uuid => row.try_get_by_index::<Option<Uuid>>(place)?.into(),
            Holds::Instant => row.try_get_by_index::<Option<DateTime<Utc>>>(place)?.into(),
            Holds::Day => row.try_get_by_index::<Option<NaiveDate>>(place)?.into(),
            Holds::Bytes => row.try_get_by_index::<Option<Vec<u8>>>(place)?.into(),
            Holds::Real => row.try_get_by_index::<Option<f64>>(place)?.into(),
        })
    };
    table.columns.iter().enumerate().map(one).collect()
}

fn to_json(value: &Value) -> Result<Json> {
    Ok(match value {
        Value::String(text) => text.clone().into(),
        Value::Int(number) => (*number).into(),
        Value::BigInt(number) => (*number).into(),
        Value::Bool(flag) => (*flag).into(),
        Value::Uuid(id) => id.map(|id| id.to_string()).into(),
        Value::ChronoDateTimeUtc(at) => at.map(|at| at.to_rfc3339_opts(SecondsFormat::AutoSi, true)).into(),
        Value::ChronoDate(day) => day.map(|day| day.to_string()).into(),
        Value::Bytes(bytes) => bytes.as_ref().map(|bytes| STANDARD.encode(bytes)).into(),
        Value::Double(number) => (*number).into(),
        _ => return Err(Error::broken("a value of a kind that no column has")),
    })
}

fn from_json(json: &Json, holds: Holds) -> Option<Value> {
    let text = || json.as_str();
    if json.is_null() {
        return Some(match holds {
            Holds::Text => Value::String(None),
            Holds::Integer => Value::Int(None),
            Holds::BigInteger => Value::BigInt(None),
            Holds::Boolean => Value::Bool(None),
            Holds::Uuid => Value::Uuid(None),
            Holds::Instant => Value::ChronoDateTimeUtc(None),
            Holds::Day => Value::ChronoDate(None),
            Holds::Bytes => Value::Bytes(None),
            Holds::Real => Value::Double(None),
        });
    }
    Some(match holds {
        Holds::Text => text()?.into(),
        Holds::Integer => i32::try_from(json.as_i64()?).ok()?.into(),
        Holds::BigInteger => json.as_i64()?.into(),
        Holds::Boolean => json.as_bool()?.into(),
        Holds::Uuid => text()?.parse::<Uuid>().ok()?.into(),
        Holds::Instant => text()?.parse::<DateTime<Utc>>().ok()?.into(),
        Holds::Day => text()?.parse::<NaiveDate>().ok()?.into(),
        Holds::Bytes => STANDARD.decode(text()?).ok()?.into(),
        Holds::Real => json.as_f64()?.into(),
    })
}

/// Writes the lines of a file into a table whose columns these are; says how many.
pub(super) async fn load(tx: &Tx, table: &Table, columns: &[String], file: &Path) -> Result<u64> {
    let places: Vec<usize> = columns
        .iter()
        .map(|name| table.place(name).ok_or_else(|| Error::broken(format!("{}.{name}: unknown column", table.name))))
        .collect::<Result<_>>()?;
    let mut loading = Loading { tx, table, places, waiting: Vec::new() };
    let mut orphans = Orphans::default();
    let mut count = 0;
    for line in BufReader::new(File::open(file)?).lines() {
        count += 1;
        let row =
            loading.row(&line?).ok_or_else(|| Error::broken(format!("{}: row {count} does not read", table.name)))?;
        match table.own_parent {
            None => loading.add(row).await?,
            Some(pointing) => {
                for row in orphans.free(row, loading.within(pointing)) {
                    loading.add(row).await?;
                }
            }
        }
    }
    if !orphans.by_parent.is_empty() {
        return Err(Error::broken(format!("{}: rows point at rows that are not there", table.name)));
    }
    loading.flush().await?;
    Ok(count)
}

/// Rows on their way into a table.
struct Loading<'a> {
    tx: &'a Tx,
    table: &'a Table,
    /// Where each value of a line goes.
    places: Vec<usize>,
    waiting: Vec<Vec<Value>>,
}

impl Loading<'_> {
    fn row(&self, line: &str) -> Option<Vec<Value>> {
        let values: Vec<Json> = serde_json::from_str(line).ok()?;
        if values.len() != self.places.len() {
            return None;
        }
        values
            .iter()
            .zip(&self.places)
            .map(|(value, place)| from_json(value, self.table.columns[*place].holds))
            .collect()
    }

    /// The same two columns within a line.
    fn within(&self, (child, parent): (usize, usize)) -> (Option<usize>, Option<usize>) {
        let find = |wanted| self.places.iter().position(|place| *place == wanted);
        (find(child), find(parent))
    }

    async fn add(&mut self, row: Vec<Value>) -> Result<()> {
        self.waiting.push(row);
        if self.waiting.len() * self.places.len() >= VALUES { self.flush().await } else { Ok(()) }
    }

    async fn flush(&mut self) -> Result<()> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let mut insert = Query::insert();
        insert.into_table(Alias::new(&self.table.name));
        insert.columns(self.places.iter().map(|place| Alias::new(&self.table.columns[*place].name)));
        for row in self.waiting.drain(..) {
            insert.values(row.into_iter().map(Expr::val)).map_err(Error::broken)?;
        }
        self.tx.execute(&insert).await?;
        Ok(())
    }
}

/// Rows whose parent in the same table has not come yet.
#[derive(Default)]
struct Orphans {
    known: HashSet<String>,
    by_parent: HashMap<String, Vec<Vec<Value>>>,
}

impl Orphans {
    /// Rows that may be written now that this one is there.
    fn free(&mut self, row: Vec<Value>, (child, parent): (Option<usize>, Option<usize>)) -> Vec<Vec<Value>> {
        let name = |row: &[Value], place: Option<usize>| {
            place.map(|place| &row[place]).filter(|value| **value != value.as_null()).map(|value| format!("{value:?}"))
        };
        if let Some(above) = name(&row, child).filter(|above| !self.known.contains(above)) {
            self.by_parent.entry(above).or_default().push(row);
            return Vec::new();
        }
        let mut free = vec![row];
        let mut next = 0;
        while next < free.len() {
            if let Some(own) = name(&free[next], parent) {
                free.extend(self.by_parent.remove(&own).unwrap_or_default());
                self.known.insert(own);
            }
            next += 1;
        }
        free
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_value_comes_back_as_it_was() {
        let at: DateTime<Utc> = "2026-11-02T01:00:00.123Z".parse().unwrap();
        let values: [(Holds, Value); 9] = [
            (Holds::Text, "隔壁\n\u{20bb7}\"".into()),
            (Holds::Integer, 7i32.into()),
            (Holds::BigInteger, i64::MAX.into()),
            (Holds::Boolean, true.into()),
            (Holds::Uuid, Uuid::now_v7().into()),
            (Holds::Instant, at.into()),
            (Holds::Day, at.date_naive().into()),
            (Holds::Bytes, vec![0u8, 255].into()),
            (Holds::Real, 0.1f64.into()),
        ];
        for (holds, value) in values {
            let json = to_json(&value).unwrap();
            assert_eq!(from_json(&json, holds), Some(value.clone()));
            assert_eq!(from_json(&Json::Null, holds), Some(value.as_null()));
            assert_eq!(from_json(&serde_json::json!({}), holds), None);
        }
    }

    #[test]
    fn children_wait_for_their_parents() {
        let mut orphans = Orphans::default();
        let row = |own: &str, above: Option<&str>| vec![own.into(), Value::String(above.map(Into::into))];
        let mut free = |own, above| {
            let rows = orphans.free(row(own, above), (Some(1), Some(0)));
            rows.into_iter()
                .map(|row| format!("{:?}", row[0]).replace("String(Some(\"", "").replace("\"))", ""))
                .collect::<Vec<String>>()
        };
        let none: Vec<String> = Vec::new();
        assert_eq!(free("c", Some("b")), none);
        assert_eq!(free("b", Some("a")), none);
        assert_eq!(free("a", None), ["a", "b", "c"]);
        assert_eq!(free("d", Some("c")), ["d"]);
    }
}
