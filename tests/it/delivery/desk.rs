//! The desk's page of webhooks: one is set up, its secret shown once, it is tested and removed.
use serde_json::json;

use super::{Scene, Target};
use crate::{county::form, support::Somebody};

#[tokio::test(flavor = "multi_thread")]
async fn an_office_sets_up_a_webhook_tests_it_and_removes_it_at_the_desk() {
    let scene = Scene::set().await;
    let ((target, url), (other, other_url)) = (Target::open(200).await, Target::open(200).await);
    let (clerk, stranger, area) = (&scene.village.clerk, &scene.village.council_chair, scene.village.area.as_str());
    let page = format!("/desk/webhooks?area={area}");
    let shown = async || String::from_utf8(clerk.download(&page).await.1).unwrap();
    let add = async |who: &Somebody, url: &str| form(who, "/desk/webhooks/add", &[("area", area), ("url", url)]).await;
    let (status, new) = add(clerk, &url).await;
    assert!(status == 200 && new.contains("whsec_"), "{status} {new}");
    clerk.post(&scene.hooks, json!({ "url": other_url })).await.ok();
    let list = shown().await;
    assert!(list.contains(&url) && list.contains(&other_url) && !list.contains("whsec_"), "shown once: {list}");
    assert_eq!(add(clerk, "http://169.254.169.254/").await.0, 422);
    assert_eq!(add(stranger, "http://127.0.0.1:9/").await.0, 403);
    let hooks = clerk.get(&scene.hooks).await.ok();
    let id = hooks[0]["id"].as_str().unwrap();
    let which = [("area", area), ("webhook_id", id)];
    assert_eq!(form(stranger, "/desk/webhooks/test", &which).await.0, 404);
    assert_eq!(form(clerk, "/desk/webhooks/test", &which).await.0, 303);
    assert_eq!(target.told("webhook.tested").await["webhook"]["id"], id);
    // the other hears of the next thing alone
    scene.publish("一").await;
    other.told("notice.published").await;
    assert_eq!(other.count(), 1);
    target.told("notice.published").await;
    scene.until("waiting", 0).await;
    let list = shown().await;
    assert!(list.contains("webhook.tested") && list.contains("已送到"), "{list}");
    assert_eq!(form(stranger, "/desk/webhooks/remove", &which).await.0, 404);
    assert_eq!(form(clerk, "/desk/webhooks/remove", &which).await.0, 303);
    assert_eq!(clerk.get(&scene.hooks).await.ok().as_array().unwrap().len(), 1);
    scene.app.stop().await;
}
