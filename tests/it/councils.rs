//! What a council is beside its seats: its form, and the service groups in which its members work.
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    county,
    support::{Somebody, Village, answer, id},
};

const NEXT: &str = "330521103203";

#[tokio::test(flavor = "multi_thread")]
async fn the_form_of_a_council_stands_wherever_it_is_shown_and_fits_its_villages() {
    let (app, village) = Village::start().await;
    let found = |kind: &str, form: &str, areas: Value| json!({ "kind": kind, "name": "溪谷参事会", "areas": areas, "form": form });
    let both = json!([village.area, NEXT]);
    for wrong in [
        found("council", "single_village", both.clone()),
        found("council", "joint_villages", json!([NEXT])),
        found("federation", "rural_community", json!([NEXT])),
    ] {
        assert_eq!(village.town.post("/v1/bodies", wrong.clone()).await.refused(), "invalid_fields", "{wrong}");
    }
    let council = village.town.post("/v1/bodies", found("council", "joint_villages", both)).await.ok();
    assert_eq!(council["form"], "joint_villages");
    let path = format!("/v1/bodies/{}/registration", id(&council));
    let put =
        async |who: &Somebody, form: &str| answer(who.request(Method::PUT, &path).json(&json!({ "form": form }))).await;
    assert_eq!(put(&village.council_chair, "village_enterprise").await.refused(), "not_allowed");
    assert_eq!(put(&village.town, "single_village").await.refused(), "invalid_fields");
    assert_eq!(put(&village.town, "village_enterprise").await.ok()["form"], "village_enterprise");
    let listed = app.get(&format!("/v1/areas/{NEXT}/bodies")).await.ok();
    assert_eq!(listed["items"][0]["form"], "village_enterprise", "{listed}");
    // a phone, and the desk, where it is changed, too
    let phone = app.http.get(app.url(&format!("/bodies/{}", id(&council)))).send().await.unwrap().text().await.unwrap();
    assert!(phone.contains("村企片区"), "{phone}");
    let fields = [("area", village.area.as_str()), ("body_id", id(&council)), ("form", "rural_community")];
    assert_eq!(county::form(&village.town, "/desk/bodies/registration", &fields).await.0, 303);
    let desk = village.town.download(&format!("/desk/bodies?area={}", village.area)).await.1;
    let desk = String::from_utf8(desk).unwrap();
    assert!(desk.contains("乡贤参事会 · 农村社区 ·") && desk.contains("改了：形式"), "{desk}");
    app.stop().await;
}
