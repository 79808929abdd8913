//! I4: the heartbeat says where every stream stands, so that the loss of the newest frame, which leaves no gap, is noticed.
use serde_json::json;
use uuid::Uuid;

use crate::support::{Socket, TestApp, Village, monday};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn i4_the_heartbeat_says_where_every_stream_stands() {
    let app = TestApp::start_with(monday(), |config| config.ping_secs = 1).await;
    let village = Village::found(&app).await;
    let ann = village.villager(&app, "00007").await;
    let group = json!({ "body_id": village.committee, "title": "修桥小组", "people": [ann.person] });
    let stream = village.chair.post("/v1/groups", group).await.ok()["stream_id"].as_str().unwrap().to_owned();
    let channel = format!("s:{stream}");
    let mut socket = Socket::connect(&app, &ann.token(), json!({})).await;
    let message = json!({ "client_id": Uuid::now_v7(), "text": "最新的一句" });
    let sent = village.chair.post(&format!("/v1/streams/{stream}/messages"), message).await.ok();
    socket.until_offset(&channel, sent["seq"].as_i64().unwrap()).await;
    socket.messages.clear();
    let told = socket.until_message("heads").await;
    assert_eq!(told["heads"][&channel][1], sent["seq"], "{told}");
    app.stop().await;
}
