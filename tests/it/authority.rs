//! Who may do what: tables written by hand (tests/data/authority), and a walk through every cell of them.
mod ends;
mod lists;
mod matrix;
mod neighbours;
mod objects;
mod pages;
mod requests;
mod silence;
mod sockets;
mod walk;
mod world;

use std::time::Instant;

use reqwest::Method;
use serde_json::json;
use uuid::Uuid;

use self::world::World;
use crate::support::is_done_before;

#[test]
fn every_operation_has_a_row_and_every_row_an_operation() {
    let (operations, rows) = (walk::operations(), matrix::api());
    let missing: Vec<_> = operations.keys().filter(|name| !rows.iter().any(|row| row.operation == **name)).collect();
    let surplus: Vec<_> =
        rows.iter().map(|row| &row.operation).filter(|name| !operations.contains_key(*name)).collect();
    assert!(missing.is_empty() && surplus.is_empty(), "without a row: {missing:?}; without an operation: {surplus:?}");
}

#[test]
fn every_page_has_a_row_and_every_row_a_page() {
    let (routes, rows) = (pages::routes(), matrix::pages());
    assert!(routes.len() > 60, "the routes are found: {routes:?}");
    let missing: Vec<_> =
        routes.iter().filter(|route| !rows.iter().any(|row| pages::leads_to(&row.operation, route))).collect();
    let surplus: Vec<_> = rows
        .iter()
        .map(|row| &row.operation)
        .filter(|row| !routes.iter().any(|route| pages::leads_to(row, route)))
        .collect();
    assert!(missing.is_empty() && surplus.is_empty(), "without a row: {missing:?}; without a page: {surplus:?}");
}

/// A log-in that ended is told by sending a form, and whoever signed in anew is led to where the form was sent.
#[test]
fn where_a_form_is_sent_something_answers_who_only_looks() {
    let routes = pages::routes();
    let sent_to = routes.iter().filter_map(|route| route.strip_prefix("POST "));
    // a provider of SMS looks at nothing
    let lost: Vec<_> =
        sent_to.filter(|path| !path.starts_with("/sms/") && !routes.contains(&format!("GET {path}"))).collect();
    assert!(lost.is_empty(), "{lost:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_gets_exactly_what_the_tables_allow() {
    let began = Instant::now();
    let mut world = World::make().await;
    let made = began.elapsed();
    let (calls, mut wrong) = walk::walk(&mut world).await;
    let (cells, more) = sockets::walk(&mut world).await;
    wrong.extend(more);
    world.app.settle().await;
    let (ids, more) = lists::walk(&mut world).await;
    wrong.extend(more);
    // the pages ask for nothing that the API does not ask for
    let (looks, more) =
        if is_done_before("everybody's pages") { (0, Vec::new()) } else { pages::walk(&mut world).await };
    wrong.extend(more);
    eprintln!(
        "{calls} calls of the API, {cells} on sockets, {looks} pages and forms, {ids} ids in lists, {} secrets; \
         world {made:.1?}, all {:.1?}",
        world.secrets.len(),
        began.elapsed()
    );
    assert!(wrong.is_empty(), "{} cells\n{}", wrong.len(), wrong.join("\n"));
    world.app.stop().await;
}

/// An id that is nobody's is not found and never a fault, whoever asks.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_not_found() {
    let mut world = World::make().await;
    let operations = walk::operations();
    let mut calls = Vec::new();
    for row in matrix::api() {
        let (method, path) = &operations[&row.operation];
        if !path.contains("id}") {
            continue;
        }
        let call = world.call(row, ("committee", matrix::At::Here), "THIS", (method, path)).await;
        for unknown in [Uuid::now_v7().to_string(), "rubbish".to_owned(), "%00".to_owned()] {
            let call = requests::Call { path: call.path.replace("THIS", &unknown), ..call.clone() };
            calls.push((&row.operation, unknown, call));
        }
    }
    let now = &world;
    let asked = calls.iter().map(|(operation, unknown, call)| async move {
        let reply = walk::Reply::of(now, call, "committee").await;
        let said = || format!("{operation} with {unknown}: {} {}", reply.status, reply.text());
        Vec::from_iter((reply.status != 404).then(said))
    });
    let wrong = walk::together(asked).await;
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    let refused = world.app.http.request(Method::PUT, world.app.url("/v1/areas")).json(&json!({})).send().await;
    assert_eq!(refused.unwrap().status(), 405);
    world.app.stop().await;
}
