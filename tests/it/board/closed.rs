//! Who closed the account stands on the office's own roll by name all the same.
use chrono::TimeDelta;

use crate::{accused::past_commands, support::Village};

#[tokio::test(flavor = "multi_thread")]
async fn the_roll_that_hangs_at_the_office_is_complete_whoever_closed_the_account() {
    let (app, village) = Village::start().await;
    let matter = village.matter_to_decide(&app, "修桥").await;
    let vote = village.open_vote(&app, &matter, TimeDelta::days(5)).await;
    let close = format!(
        "UPDATE people SET closed_at = created_at WHERE area_code = '{}' AND roster_number = '00007'",
        village.area
    );
    assert_eq!(past_commands(&app, close).await.unwrap(), 1);
    let (status, page) = village.clerk.download(&format!("/desk/votes/{vote}/roll")).await;
    let page = String::from_utf8(page).unwrap();
    assert!(status == 200 && page.contains("费海荣") && !page.contains("已注销"), "{status}: {page}");
    app.stop().await;
}
