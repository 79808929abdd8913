//! What is shown in the place of what was: a revised notice, a list for households, words found by one character.
use reqwest::Method;
use serde_json::{Value, json};

use super::{row, say};
use crate::{
    simulation::{
        device::{Device, Rules},
        fetch,
    },
    support::{Answer, Somebody, Village, answer},
};

async fn device(who: &Somebody, stream: &str) -> Device {
    let mut device = Device::default();
    fetch(&mut device, Rules::ALL, who, stream).await;
    device
}

#[tokio::test]
async fn a_revised_notice_is_shown_in_the_place_of_the_old_one_and_is_news() {
    let (app, village) = Village::start().await;
    let ann = village.villager(&app, "00007").await;
    let matter = json!({ "area_code": village.area, "title": "装路灯", "summary": "村口装路灯。" });
    let matter = village.chair.post("/v1/matters", matter).await.ok()["id"].clone();
    let notice = json!({ "area_code": village.area, "matter_id": matter, "title": "路灯方案", "text": "全文", "period_days": 5 });
    let notice = village.clerk.post("/v1/notices", notice).await.ok();
    app.settle().await;
    let channel = super::id(&super::own("channel", &ann).await);
    let before = device(&ann, &channel).await;
    let published = before.entries.iter().find(|(_, entry)| entry["body"]["card"] == "notice_published");
    let (card, shown) = published.map(|(seq, entry)| (*seq, entry.clone())).unwrap();
    assert!(shown["body"]["title"].as_str().unwrap().contains("路灯方案"), "{shown}");

    let path = format!("/v1/notices/{}", notice["id"].as_str().unwrap());
    let new =
        json!({ "version": 1, "title": "太阳能路灯方案", "text": "新全文", "reason": "按意见改", "period_days": 5 });
    village.clerk.post(&format!("{path}/revise"), new).await.ok();
    app.settle().await;
    let now = device(&ann, &channel).await;
    let edits = |device: &Device| -> Vec<i64> {
        let edits = device.entries.iter().filter(|(_, entry)| entry["kind"] == "edit" && entry["target_seq"] == card);
        edits.map(|(seq, _)| *seq).collect()
    };
    let edit = edits(&now)[0];
    let entry = &now.entries[&edit];
    assert_eq!(entry["body"]["before"]["title"], shown["body"]["title"], "what it said before stays to be seen");
    let card_now = &now.entries[&card];
    assert!(card_now["body"]["title"].as_str().unwrap().contains("太阳能"), "{card_now}");
    assert_eq!((&card_now["body"]["edits"], &card_now["rev"]), (&json!(1), &json!(edit)));
    let counted = now.entries[&(edit - 1)]["no"].as_i64().unwrap();
    assert_eq!(entry["no"], json!(counted + 1), "that it changed is news");
    let cards = now.entries.values().filter(|entry| entry["body"]["link"] == shown["body"]["link"]);
    assert_eq!(cards.count(), 1, "no second card");

    // a device that had the old one has the new one by the entry alone
    let mut kept = before.clone();
    fetch(&mut kept, Rules::ALL, &ann, &channel).await;
    assert_eq!(kept.entries, now.entries);
    village.clerk.post(&format!("{path}/withdraw"), json!({ "reason": "写错了" })).await.ok();
    app.settle().await;
    let after = device(&ann, &channel).await;
    assert_eq!(
        (edits(&after).len(), &after.entries[&card]["body"]["edits"]),
        (2, &json!(2)),
        "no stale card hangs there"
    );
    assert!(after.entries[&card]["body"]["title"].as_str().unwrap().contains("撤回"));
    app.stop().await;
}

async fn put(who: &Somebody, chain: &str, row: Value) -> Answer {
    answer(who.request(Method::PUT, &format!("{chain}/row")).json(&row)).await
}

#[tokio::test]
async fn a_household_has_one_row_with_the_fields_its_initiator_chose() {
    let (app, village) = Village::start().await;
    // two of one household, one of another
    let (ann, ben) = (village.villager(&app, "00002").await, village.chair.clone());
    let cleo = village.villager(&app, "00007").await;
    let stream = super::group(&village, &[&ann, &cleo]).await;
    let new = |more: Value| {
        let mut list = json!({ "client_id": uuid::Uuid::now_v7(), "title": "订年货" });
        list.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        list
    };
    let path = format!("/v1/streams/{stream}/chains");
    for wrong in [json!(["规格", "规格"]), json!([""]), json!(["一", "二", "三", "四", "五", "六", "七"])] {
        assert_eq!(cleo.post(&path, new(json!({ "fields": wrong }))).await.refused(), "invalid_fields");
    }
    let list = new(json!({ "slot": "household", "fields": ["规格", "送到哪里"], "max_rows": 2 }));
    let seq = cleo.post(&path, list).await.ok()["seq"].as_i64().unwrap();
    let chain = format!("{path}/{seq}");
    assert_eq!(row(&cleo, &stream).await["is_mentioned"], false);
    put(&ann, &chain, json!({ "text": "要两箱", "quantity": 2, "cells": ["大箱"] })).await.ok();
    let shown = row(&cleo, &stream).await;
    assert_eq!(
        (&shown["is_mentioned"], &shown["unread"]),
        (&json!(true), &json!(0)),
        "who started it sees that it is answered"
    );
    assert_eq!(row(&ben, &stream).await["is_mentioned"], false, "nobody else does");
    let same = json!({ "text": "要两箱", "quantity": 2, "cells": ["大箱", ""] });
    assert_eq!(put(&ben, &chain, same).await.ok()["dup"], true, "it is the household's");
    put(&ben, &chain, json!({ "text": "改要三箱", "quantity": 3, "cells": ["大箱", "祠堂"] })).await.ok();
    put(&cleo, &chain, json!({ "quantity": 1 })).await.ok();
    let other = village.clerk.clone();
    let members = format!("/v1/groups/{stream}/members");
    village.chair.post(&members, json!({ "people": [other.person] })).await.ok();
    assert_eq!(put(&other, &chain, json!({ "quantity": 1 })).await.refused(), "chain_full");
    assert_eq!(
        put(&cleo, &chain, json!({ "quantity": 1, "cells": ["a", "b", "c"] })).await.refused(),
        "invalid_fields"
    );
    let view = ann.get(&chain).await.ok();
    let rows = view["rows"].as_array().unwrap();
    assert_eq!((rows.len(), &view["slot"], &view["total"]), (2, &json!("household"), &json!(4)));
    assert_eq!((&rows[0]["cells"], &rows[0]["person_id"]), (&json!(["大箱", "祠堂"]), &json!(ben.person)));
    let (status, table) = cleo.download(&format!("{chain}/export")).await;
    let table = String::from_utf8(table).unwrap();
    assert_eq!(status, 200);
    assert!(table.contains("序号,姓名,户号,内容,数量,规格,送到哪里"), "{table}");
    assert!(table.contains("H001,改要三箱,3,大箱,祠堂"), "{table}");
    assert_eq!(answer(ann.request(Method::DELETE, &format!("{chain}/row"))).await.status, 204);
    assert_eq!(ann.get(&chain).await.ok()["rows"].as_array().unwrap().len(), 1);
    put(&other, &chain, json!({ "quantity": 1 })).await.ok();
    app.stop().await;
}

#[tokio::test]
async fn one_character_is_found_and_so_is_what_stands_outside_the_own_list() {
    let (app, village) = Village::start().await;
    let (ann, bob) = (village.villager(&app, "00007").await, village.villager(&app, "00011").await);
    let matter = json!({ "area_code": village.area, "title": "修桥", "summary": "村口的桥要修一修。" });
    let matter = village.chair.post("/v1/matters", matter).await.ok();
    let talk = village.discussion(&app, matter["id"].as_str().unwrap()).await.to_string();
    let seq = say(&bob, &talk, "桥墩裂了缝").await;
    let private = super::group(&village, &[&bob]).await;
    say(&bob, &private, "缝里的话").await;
    app.settle().await;
    let find = |text: &str| {
        let asked = json!({ "text": text });
        let ann = ann.clone();
        async move { ann.post("/v1/search", asked).await.ok()["found"].as_array().unwrap().clone() }
    };
    for text in ["缝", "裂了缝", "桥墩"] {
        let found = find(text).await;
        let places: Vec<_> = found.iter().map(|one| (one["stream_id"].clone(), one["entry"]["seq"].clone())).collect();
        assert_eq!(places, [(json!(talk), json!(seq))], "{text}: what others say among themselves is not found");
    }
    assert!(find("缝了").await.is_empty());
    assert_eq!(ann.post("/v1/search", json!({ "text": " " })).await.refused(), "invalid_fields");
    let actor = liusheng::people::actor_of_session(&app.app, ann.person, ann.session).await.unwrap();
    let asked = serde_json::from_value(json!({ "text": "墩" })).unwrap();
    let search = async || drop(liusheng::streams::queries::search(&app.app, &actor, &asked).await.unwrap());
    // what is found, whose conversations these are, and the names and bodies of who speaks
    assert!(super::reads(&app, search).await <= 4);
    let recall = format!("/v1/streams/{talk}/messages/{seq}/recall");
    bob.post(&recall, json!({})).await.ok();
    assert!(find("缝").await.is_empty(), "what was taken back is not found");
    let stranger = village.neighbour(&app).await;
    say(&bob, &talk, "再说一次缝").await;
    app.settle().await;
    let found = stranger.post("/v1/search", json!({ "text": "缝" })).await.ok();
    assert_eq!(found["found"], json!([]));
    app.stop().await;
}
