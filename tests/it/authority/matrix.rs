//! The tables of tests/data/authority: who, which cell, what is expected.

use std::{collections::HashSet, sync::LazyLock};

/// Who may come; the order of the columns.
pub(super) const ROLES: [&str; 15] = [
    "visitor",
    "resident",
    "household",
    "child",
    "neighbour",
    "committee",
    "member",
    "secretary",
    "joint",
    "expired",
    "other_com",
    "town",
    "county",
    "evaluator",
    "suspended",
];

/// Whose object it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum At {
    /// The caller's own.
    Own,
    /// Of village A.
    Here,
    /// Of village C.
    Far,
}

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Out {
    Done,
    State,
    Denied,
    Hidden,
    Login,
}

/// One row of a table.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) operation: String,
    pub(super) object: String,
    cells: Vec<String>,
}

impl Row {
    /// What is expected of this role with this object; nothing where there is no such thing.
    pub(super) fn expected(&self, role: &str, at: At) -> Option<Out> {
        let cell = &self.cells[ROLES.iter().position(|one| *one == role).unwrap()];
        let place = match at {
            At::Own => 0,
            At::Here => 1,
            At::Far => 2,
        };
        let letter = match cell.len() {
            1 if at == At::Own => return None,
            1 => cell.chars().next(),
            _ => cell.chars().nth(place),
        };
        match letter.unwrap() {
            'y' => Some(Out::Done),
            's' => Some(Out::State),
            'n' => Some(Out::Denied),
            'h' => Some(Out::Hidden),
            'l' => Some(Out::Login),
            '-' => None,
            other => panic!("{} {}: what is {other}?", self.operation, self.object),
        }
    }

    /// Every cell of the row; without an object there is only one of each role.
    pub(super) fn cells(&self) -> Vec<(&'static str, At, Out)> {
        let all = [At::Own, At::Here, At::Far];
        let places: &[At] = if self.has_object() { &all } else { &all[1..2] };
        let of = |role: &'static str| {
            let expected = move |at: &At| self.expected(role, *at).map(|out| (role, *at, out));
            places.iter().filter_map(expected).collect::<Vec<_>>()
        };
        ROLES.into_iter().flat_map(of).collect()
    }

    /// Is it about a thing, or is the word a variant of a call without one?
    pub(super) fn has_object(&self) -> bool {
        !matches!(self.object.as_str(), "" | "public" | "handlers" | "town" | "mine" | "village" | "desk")
    }
}

/// Reads a table.
pub(super) fn read(table: &str) -> Vec<Row> {
    let mut lines = table.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    let split = |line: &str| line.split(',').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
    let head = split(lines.next().unwrap());
    assert_eq!(head[2..], ROLES, "the columns");
    let row = |line: &str| {
        let mut cells = split(line);
        assert_eq!(cells.len(), 2 + ROLES.len(), "{line}");
        assert!(cells[2..].iter().all(|cell| [1, 3].contains(&cell.len())), "{line}");
        let rest = cells.split_off(2);
        Row { operation: cells[0].clone(), object: cells[1].clone(), cells: rest }
    };
    let rows: Vec<Row> = lines.map(row).collect();
    let mut seen = HashSet::new();
    for row in &rows {
        assert!(seen.insert((&row.operation, &row.object)), "two rows for {} of {:?}", row.operation, row.object);
    }
    rows
}

/// The table of the API.
pub(super) fn api() -> &'static [Row] {
    static ROWS: LazyLock<Vec<Row>> = LazyLock::new(|| read(include_str!("../../data/authority/api.csv")));
    &ROWS
}

/// The table of the pages and of everything else that answers.
pub(super) fn pages() -> Vec<Row> {
    read(include_str!("../../data/authority/pages.csv"))
}

/// The table of the sockets.
pub(super) fn sockets() -> Vec<Row> {
    read(include_str!("../../data/authority/sockets.csv"))
}
