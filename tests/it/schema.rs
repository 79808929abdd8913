//! One schema on both databases, reached from every step before it, however often the way there was broken off.
use std::{collections::BTreeSet, os::unix::fs::PermissionsExt, path::Path, time::Duration};

use migrations::Migrator;
use sea_orm_migration::MigratorTrait;

use crate::support::{House, Raw, is_postgres, liusheng, opened, run};

/// Columns, keys, indexes and references, each as a line that reads the same on both databases.
const SQLITE: [&str; 4] = [
    "SELECT m.name || '.' || c.name || ' ' || lower(c.type) || CASE WHEN c.\"notnull\" OR c.pk THEN ' not null' ELSE '' END \
     FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%'",
    "SELECT m.name || ' primary ' || (SELECT group_concat(name, ',') FROM (SELECT name FROM pragma_table_info(m.name) \
     WHERE pk > 0 ORDER BY pk)) FROM sqlite_master m WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%'",
    "SELECT m.name || CASE i.\"unique\" WHEN 1 THEN ' unique ' ELSE ' index ' END || (SELECT group_concat(name, ',') FROM \
     (SELECT name FROM pragma_index_info(i.name) ORDER BY seqno)) || CASE i.partial WHEN 1 THEN ' partial' ELSE '' END \
     FROM sqlite_master m JOIN pragma_index_list(m.name) i WHERE m.type = 'table' AND i.origin <> 'pk'",
    "SELECT m.name || ' refers ' || f.\"from\" || ' ' || f.\"table\" || '.' || f.\"to\" || ' ' || lower(f.on_delete) \
     FROM sqlite_master m JOIN pragma_foreign_key_list(m.name) f WHERE m.type = 'table'",
];
const POSTGRES: [&str; 3] = [
    "SELECT t.relname || '.' || a.attname || ' ' || format_type(a.atttypid, NULL) || CASE WHEN a.attnotnull THEN ' not null' \
     ELSE '' END FROM pg_class t JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped \
     WHERE t.relkind IN ('r', 'p') AND NOT t.relispartition AND t.relnamespace = current_schema()::regnamespace",
    "SELECT t.relname || CASE WHEN i.indisprimary THEN ' primary ' WHEN i.indisunique THEN ' unique ' ELSE ' index ' END || \
     (SELECT string_agg(a.attname, ',' ORDER BY k.n) FROM unnest(i.indkey::int2[]) WITH ORDINALITY k(attnum, n) \
     JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.attnum) || CASE WHEN i.indpred IS NULL THEN '' ELSE \
     ' partial' END FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid \
     WHERE t.relnamespace = current_schema()::regnamespace AND NOT t.relispartition",
    "SELECT t.relname || ' refers ' || a.attname || ' ' || o.relname || '.' || b.attname || ' ' || \
     CASE c.confdeltype WHEN 'a' THEN 'no action' WHEN 'c' THEN 'cascade' WHEN 'n' THEN 'set null' ELSE 'restrict' END \
     FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid JOIN pg_class o ON o.oid = c.confrelid \
     CROSS JOIN unnest(c.conkey, c.confkey) k(mine, theirs) \
     JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.mine \
     JOIN pg_attribute b ON b.attrelid = o.oid AND b.attnum = k.theirs \
     WHERE c.contype = 'f' AND t.relnamespace = current_schema()::regnamespace AND NOT t.relispartition",
];
/// Two names of one type.
const TYPES: [(&str, &str); 5] = [
    (" uuid_text", " uuid"),
    (" timestamp_with_timezone_text", " timestamp with time zone"),
    (" date_text", " date"),
    (" varchar", " character varying"),
    // an integer of SQLite is as long as it needs to be
    (" bigint", " integer"),
];

async fn schema(data_dir: &Path) -> BTreeSet<String> {
    let raw = Raw::open(data_dir).await;
    let is_sqlite = raw.spelled("yes", "no") == "yes";
    let mut lines = BTreeSet::new();
    for select in if is_sqlite { &SQLITE[..] } else { &POSTGRES[..] } {
        for row in raw.rows(select).await {
            let line: Option<String> = row.try_get_by_index(0).unwrap();
            let line = TYPES.iter().fold(line.unwrap_or_default(), |line, (from, to)| line.replace(from, to));
            // which part of a table a row lies in belongs to its keys where there are parts
            let line = line.replace(",is_over", "");
            lines.insert(line);
        }
    }
    raw.close().await;
    // the list of the steps is not ours
    lines.retain(|line| !line.starts_with("seaql_migrations"));
    lines
}

async fn migrate(house: &House) -> liusheng::error::Result<()> {
    opened(&house.url()).await.map(drop)
}

#[tokio::test]
async fn both_databases_have_the_same_schema() {
    if !is_postgres("schema: the same on both") {
        return;
    }
    let (sqlite, postgres) = (House::of_sqlite(), House::new());
    migrate(&sqlite).await.unwrap();
    let (there, here) = (schema(sqlite.path()).await, schema(postgres.path()).await);
    assert!(here.len() > 400, "{}", here.len());
    let only_there: Vec<_> = there.difference(&here).collect();
    let only_here: Vec<_> = here.difference(&there).collect();
    assert!(only_there.is_empty() && only_here.is_empty(), "SQLite: {only_there:#?}\nPostgreSQL: {only_here:#?}");
    let raw = Raw::open(postgres.path()).await;
    let by_language = "SELECT count(*) FROM information_schema.columns c WHERE table_schema = current_schema() \
        AND data_type IN ('text', 'character varying') AND collation_name IS DISTINCT FROM 'C'";
    assert_eq!(raw.one::<i64>(by_language).await, 0, "text is compared by its bytes");
    // each message writes its stream anew, each look its reader's place
    let room = "SELECT relname || ' ' || array_to_string(reloptions, ',') FROM pg_class \
        WHERE relname IN ('memberships', 'streams') AND relnamespace = current_schema()::regnamespace ORDER BY 1";
    let rows = raw.rows(room).await;
    let room: Vec<Option<String>> = rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect();
    assert_eq!(room, ["memberships fillfactor=80", "streams fillfactor=70"].map(|line| Some(line.to_owned())));
}

/// Whoever writes them has read the vote, the board or the stream in the same unit of work: to look for it again for each of them
/// cost a third of what PostgreSQL did while a village voted.
#[tokio::test]
async fn what_is_written_for_every_ballot_and_word_is_not_looked_up_again() {
    let house = House::new();
    migrate(&house).await.unwrap();
    let refers: Vec<String> = schema(house.path()).await.into_iter().filter(|line| line.contains(" refers ")).collect();
    let of = |table: &str| refers.iter().filter(|line| line.starts_with(&format!("{table} refers "))).count();
    assert_eq!(["envelopes", "board_pending", "board_entries", "attendances"].map(of), [0; 4], "{refers:#?}");
    assert_eq!(["entries", "grams", "grams_due", "card_readers"].map(of), [0; 4], "{refers:#?}");
    assert_eq!(["roll_entries", "boards", "board_heads", "memberships"].map(of), [2, 1, 1, 2], "{refers:#?}");
}

/// Applies the first so many steps.
async fn steps(house: &House, count: usize) {
    let raw = Raw::open(house.path()).await;
    Migrator::up(raw.connection(), Some(u32::try_from(count).unwrap())).await.unwrap();
    raw.close().await;
}

/// Something is in the way of a step: it fails in its middle and leaves nothing; out of the way, it goes through. One
/// database goes all the way, held up at each step.
#[tokio::test]
async fn a_step_that_fails_in_its_middle_can_be_run_again() {
    let all = Migrator::migrations().len();
    let ladder = House::empty();
    let mut states = vec![BTreeSet::new()];
    for _ in 0..all {
        steps(&ladder, 1).await;
        states.push(schema(ladder.path()).await);
    }
    let (house, mut broken_off) = (House::empty(), 0);
    for done in 0..all {
        for (obstacle, away) in obstacles(&states[done], &states[done + 1]) {
            let raw = Raw::open(house.path()).await;
            raw.execute(&obstacle).await;
            raw.close().await;
            assert!(migrate(&house).await.is_err(), "{obstacle}");
            let raw = Raw::open(house.path()).await;
            raw.execute(&away).await;
            raw.close().await;
            assert_eq!(schema(house.path()).await, states[done], "step {} left something behind", done + 1);
            broken_off += 1;
        }
        steps(&house, 1).await;
        assert_eq!(schema(house.path()).await, states[done + 1], "step {}", done + 1);
    }
    migrate(&house).await.unwrap();
    assert_eq!(schema(house.path()).await, states[all]);
    assert!(broken_off > all / 2, "{broken_off} steps broken off in their middle, of {all}");
}

/// Statements that stand in the way of the first and of the last thing that a step makes, and what takes them away.
fn obstacles(before: &BTreeSet<String>, after: &BTreeSet<String>) -> Vec<(String, String)> {
    let table = |line: &String| line.split(['.', ' ']).next().unwrap().to_owned();
    let old: BTreeSet<String> = before.iter().map(table).collect();
    let new: BTreeSet<String> = after.iter().map(table).filter(|table| !old.contains(table)).collect();
    let ends: BTreeSet<&String> = new.first().into_iter().chain(new.last()).collect();
    let tables =
        ends.into_iter().map(|name| (format!("CREATE TABLE {name} (x integer)"), format!("DROP TABLE {name}")));
    let tables: Vec<_> = tables.collect();
    if !tables.is_empty() {
        return tables;
    }
    let column = after.difference(before).filter_map(|line| line.split(' ').next()?.split_once('.')).last();
    let column = column.map(|(table, column)| {
        (
            format!("ALTER TABLE {table} ADD COLUMN {column} integer"),
            format!("ALTER TABLE {table} DROP COLUMN {column}"),
        )
    });
    column.into_iter().collect()
}

/// Killed again and again, then left alone; and three at once.
#[tokio::test]
async fn a_killed_migration_is_finished_by_the_next() {
    let whole = House::empty();
    migrate(&whole).await.unwrap();
    let wanted = schema(whole.path()).await;
    let house = House::empty();
    for millis in [30, 120, 250, 400] {
        let mut process = liusheng(house.path(), &["migrate"], &[]).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(millis));
        process.kill().ok();
        process.wait().unwrap();
    }
    let last = run(house.path(), &["migrate"], &[]);
    assert_eq!(last.status.code(), Some(0), "{}", String::from_utf8_lossy(&last.stderr));
    assert_eq!(schema(house.path()).await, wanted);

    let house = House::empty();
    let at_once: Vec<_> = (0..3).map(|_| liusheng(house.path(), &["migrate"], &[]).spawn().unwrap()).collect();
    for mut process in at_once {
        assert_eq!(process.wait().unwrap().code(), Some(0));
    }
    assert_eq!(schema(house.path()).await, wanted);
}

/// Each account of WeChat has stops of its own: one from before would never end.
#[tokio::test]
async fn stops_of_both_accounts_at_once_are_gone() {
    let house = House::empty();
    steps(&house, migrations::names().iter().position(|name| name.starts_with("m0042")).unwrap()).await;
    let raw = Raw::open(house.path()).await;
    for (channel, kind) in [("wechat", ""), ("wechat", "vote.opened"), ("sms", ""), ("sms", "vote.opened")] {
        let stop = format!("INSERT INTO stopped_sends VALUES ('{channel}', '{kind}', '2026-11-02 01:00:00+00:00')");
        raw.execute(&stop).await;
    }
    raw.close().await;
    migrate(&house).await.unwrap();
    let raw = Raw::open(house.path()).await;
    let left: Vec<String> = raw
        .rows("SELECT channel FROM stopped_sends")
        .await
        .iter()
        .map(|row| row.try_get_by_index(0).unwrap())
        .collect();
    assert_eq!(left, ["sms", "sms"]);
    raw.close().await;
}

/// What a village hung before asks the same people, and is reminded of from where it stood.
#[tokio::test]
async fn who_was_asked_before_is_of_the_village_that_asked() {
    let house = House::of_sqlite();
    steps(&house, migrations::names().iter().position(|name| name.starts_with("m0052")).unwrap()).await;
    let raw = Raw::open(house.path()).await;
    // what else there would be does not matter here
    raw.execute("PRAGMA foreign_keys = OFF").await;
    let at = "'2026-11-02 01:00:00+00:00'";
    for (id, must_read) in [("asks", 1), ("tells", 0)] {
        let notice = format!(
            "INSERT INTO notices (id, number, area_code, body_id, title, text, version, state, period_days, period_from, \
             period_to, calendar_version, created_by, published_at, must_read, audience_size, remind_at, reminded) VALUES \
             ('{id}', '{id}', '330521103202', 'b', 't', 't', 2, 'published', 7, {at}, {at}, 'c', 'p', {at}, {must_read}, 2, \
             {at}, 1)"
        );
        raw.execute(&notice).await;
    }
    for (version, person, place) in [(1, "ann", 1), (2, "ann", 1), (2, "bob", 2)] {
        let asked =
            format!("INSERT INTO notice_audience VALUES ('asks', {version}, '{person}', {place}, 'h', 'H1', 1)");
        raw.execute(&asked).await;
    }
    for (version, person, was_asked) in [(1, "ann", 1), (2, "bob", 1), (2, "newcomer", 0)] {
        let confirmed = format!(
            "INSERT INTO notice_confirmations (notice_id, version, person_id, at, in_audience) VALUES \
             ('asks', {version}, '{person}', {at}, {was_asked})"
        );
        raw.execute(&confirmed).await;
    }
    raw.close().await;
    migrate(&house).await.unwrap();
    let raw = Raw::open(house.path()).await;
    let villages = "SELECT notice_id || ' ' || version || ' ' || area_code || ' ' || asked || ' ' || confirmed || ' ' || \
        reminded || ' ' || (remind_at IS NOT NULL) || ' ' || (freeze_at IS NULL) FROM notice_villages";
    let villages: Vec<String> = raw.rows(villages).await.iter().map(|row| row.try_get_by_index(0).unwrap()).collect();
    assert_eq!(villages, ["asks 2 330521103202 2 1 1 1 1"]);
    let placed = "SELECT count(*) FROM notice_audience WHERE area_code = '330521103202'";
    assert_eq!(raw.one::<i64>(placed).await, 3);
    raw.close().await;
}

/// Of votes that were counted before it was forgotten with the result, too: in which second each ballot came.
#[tokio::test]
async fn when_the_ballots_came_is_forgotten_of_votes_that_were_counted_before() {
    let house = House::of_sqlite();
    steps(&house, migrations::names().iter().position(|name| name.starts_with("m0089")).unwrap()).await;
    let raw = Raw::open(house.path()).await;
    raw.execute("PRAGMA foreign_keys = OFF").await;
    let at = "'2026-11-02 01:00:00+00:00'";
    for (id, secrecy, result) in [("done", "secret", "'{}'"), ("runs", "secret", "NULL"), ("named", "open", "'{}'")] {
        let vote = format!(
            "INSERT INTO votes (id, area_code, body_id, question, preset, rule, secrecy, is_binding, state, on_roll, opens_at, \
             closes_at, created_by, created_at) VALUES ('{id}', '330521103202', 'b', 'q', 'p', '{{}}', '{secrecy}', 0, 's', 5, \
             {at}, {at}, 'c', {at})"
        );
        raw.execute(&vote).await;
        let board = format!(
            "INSERT INTO boards (vote_id, manifest, manifest_hash, key_id, size, peaks, result) VALUES \
             ('{id}', '{{}}', 'm', 'k', 8, '', {result})"
        );
        raw.execute(&board).await;
        for (size, day) in [(2, 1), (3, 1), (4, 1), (5, 2), (6, 2), (7, 2), (8, 2)] {
            let head =
                format!("INSERT INTO board_heads VALUES ('{id}', {size}, 'r', '2026-11-0{day}T01:00:0{size}Z', 's')");
            raw.execute(&head).await;
        }
    }
    for id in ["done", "named"] {
        let end = format!("INSERT INTO board_entries VALUES ('{id}', 5, '{{\"k\":\"close\",\"v\":1}}', '{id}', NULL)");
        raw.execute(&end).await;
    }
    for id in ["done", "runs"] {
        let ballot = format!("INSERT INTO board_envelopes VALUES ('{id}', 0, 'h', 'c', '2026-11-01T01:00:04Z', 'e')");
        raw.execute(&ballot).await;
    }
    raw.close().await;
    migrate(&house).await.unwrap();
    let raw = Raw::open(house.path()).await;
    let told = async |select: &str| -> Vec<String> {
        raw.rows(select).await.iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
    };
    let kept = told("SELECT vote_id || ' ' || size FROM board_heads WHERE vote_id <> 'runs' ORDER BY 1").await;
    let of = |id: &str, sizes: &[i32]| sizes.iter().map(|size| format!("{id} {size}")).collect::<Vec<_>>();
    assert_eq!(kept, [of("done", &[2, 6, 7, 8]), of("named", &[2, 4, 6, 7, 8])].concat());
    assert_eq!(raw.one::<i64>("SELECT count(*) FROM board_heads WHERE vote_id = 'runs'").await, 7);
    assert_eq!(raw.one::<i64>("SELECT count(*) FROM sqlite_master WHERE name = 'board_times'").await, 0);
    assert_eq!(told("SELECT id FROM votes WHERE links_left").await, ["done"]);
    raw.close().await;
}

/// Who stands in a choice of representatives that was opened before candidates were known as persons, and is not over.
#[tokio::test]
async fn who_stands_is_read_from_the_ballots_of_votes_that_run() {
    let house = House::of_sqlite();
    steps(&house, migrations::names().iter().position(|name| name.starts_with("m0097")).unwrap()).await;
    let raw = Raw::open(house.path()).await;
    raw.execute("PRAGMA foreign_keys = OFF").await;
    let (at, id) = ("'2026-11-02 01:00:00+00:00'", |n: u8| format!("x'{n:032x}'"));
    for (n, name, number) in [(1, "费海荣", "00007"), (2, "费文斌", "00009"), (3, "费文斌", "00030")] {
        let person = format!(
            "INSERT INTO people (id, area_code, household_id, roster_number, name, sex, birth_date, group_number, relation, \
             is_registered, lives_here, joined_on, created_at, updated_at) VALUES ({}, '330521103202', {}, '{number}', \
             '{name}', 'male', '1970-01-01', 4, '子', 1, 1, '2026-01-01', {at}, {at})",
            id(n),
            id(n)
        );
        raw.execute(&person).await;
    }
    let options = r#"[{"key":"1","text":"费海荣"},{"key":"2","text":"费文斌 00009"},{"key":"3","text":"费文斌"},{"key":"4","text":"无此人"}]"#;
    for (n, preset, state) in
        [(11, "rep_selection_person", "open"), (12, "rep_selection_person", "closed"), (13, "council_charter", "open")]
    {
        let vote = format!(
            "INSERT INTO votes (id, area_code, body_id, question, preset, rule, secrecy, is_binding, state, on_roll, opens_at, \
             closes_at, created_by, created_at, options) VALUES ({}, '330521103202', 'b', 'q', '{preset}', '{{}}', 'open', 1, \
             '{state}', 5, {at}, {at}, 'c', {at}, '{options}')",
            id(n)
        );
        raw.execute(&vote).await;
    }
    // the meetings of what runs and of what is over, and somebody who is recalled there
    for n in [21, 22] {
        let meeting = format!(
            "INSERT INTO meetings (id, area_code, body_id, audience, title, agenda, place, state, called_at, starts_at, \
             created_by) VALUES ({}, '330521103202', 'b', 'villagers', 't', 'a', 'p', 'called', {at}, {at}, 'c')",
            id(n)
        );
        raw.execute(&meeting).await;
    }
    let met = format!("CASE state WHEN 'open' THEN {} ELSE {} END", id(21), id(22));
    raw.execute(&format!("UPDATE votes SET meeting_id = {met}, recalled_id = {}", id(3))).await;
    raw.close().await;
    migrate(&house).await.unwrap();
    let raw = Raw::open(house.path()).await;
    let known = raw.rows("SELECT candidate_ids FROM votes WHERE candidate_ids IS NOT NULL").await;
    let known: Vec<String> = known.iter().map(|row| row.try_get_by_index(0).unwrap()).collect();
    let of = |n: u8| format!("00000000-0000-0000-0000-{n:012}");
    assert_eq!(known, [[of(1), of(2)].join(",")], "who is known by name or number, and of what runs");
    // none of them calls off the meeting of what runs
    let kept = raw.rows("SELECT kept_from FROM meetings WHERE kept_from IS NOT NULL").await;
    let kept: Vec<String> = kept.iter().map(|row| row.try_get_by_index(0).unwrap()).collect();
    assert_eq!(kept, [[of(1), of(2), of(3)].join(",")]);
    raw.close().await;
}

/// Of each vote it was noted that it elected a body, though some of it alone may have been; what ended a term stays.
#[tokio::test]
async fn results_that_may_be_of_some_alone_end_no_term_any_more() {
    let house = House::of_sqlite();
    steps(&house, migrations::names().iter().position(|name| name.starts_with("m0116")).unwrap()).await;
    let raw = Raw::open(house.path()).await;
    raw.execute("PRAGMA foreign_keys = OFF").await;
    raw.execute("INSERT INTO body_elections VALUES ('x', 'b', '2026-11-02'), ('used', 'b', '2026-01-05')").await;
    raw.execute("INSERT INTO terms VALUES ('t', 'b', 1, '2021-01-01', '2026-01-09', NULL, NULL, 'used', NULL)").await;
    raw.close().await;
    migrate(&house).await.unwrap();
    let raw = Raw::open(house.path()).await;
    assert_eq!(raw.one::<String>("SELECT group_concat(vote_id) FROM body_elections").await, "used");
    raw.close().await;
}

#[tokio::test]
async fn a_file_with_data_is_copied_aside_before_it_is_changed() {
    let house = House::of_sqlite();
    steps(&house, 3).await;
    let raw = Raw::open(house.path()).await;
    raw.execute("INSERT INTO areas (code, name, level, valid_from) VALUES ('1', 'x', 'county', '2026-01-01')").await;
    raw.close().await;
    let before = schema(house.path()).await;
    migrate(&house).await.unwrap();
    migrate(&house).await.unwrap();
    let copies: Vec<_> =
        std::fs::read_dir(house.path().join("before-migration")).unwrap().map(Result::unwrap).collect();
    assert_eq!(copies.len(), 1, "nothing to migrate, nothing to copy");
    assert!(copies[0].file_name().to_string_lossy().starts_with("m0003_streams"));
    assert_eq!(copies[0].metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let kept = House::of_sqlite();
    std::fs::copy(copies[0].path(), kept.path().join("liusheng.db")).unwrap();
    assert_eq!(schema(kept.path()).await, before, "the copy is what was there");
    let raw = Raw::open(kept.path()).await;
    assert_eq!(raw.one::<i64>("SELECT count(*) FROM areas").await, 1);
}
