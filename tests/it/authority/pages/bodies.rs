//! What is filled into the forms about who belongs to a body, who is recommended for it, and what a council did.
use liusheng::{bodies::charter, clock};
use uuid::Uuid;

use crate::authority::world::{Place, World};

pub(super) async fn of_bodies(
    world: &World,
    path: &str,
    (object, place): (&str, Place),
) -> Vec<(&'static str, String)> {
    let reason = ("reason", "不办了".to_owned());
    match path {
        "/desk/members/enter" => {
            let person = world.person(place, 16).await.to_string();
            vec![("body_id", object.to_owned()), ("person_id", person)]
        }
        "/desk/members/register" => vec![
            ("body_id", object.to_owned()),
            ("way", "in".to_owned()),
            ("roster_numbers", "00001".to_owned()),
            ("since", "2026-01-01".to_owned()),
            reason,
        ],
        "/desk/members/strike" => {
            vec![("body_id", object.to_owned()), ("person_id", world.chairs[&place].person.to_string())]
        }
        "/desk/services/charter" => {
            let versions = charter::versions(world.app.app.store.read(), world.councils[&place]).await.unwrap();
            vec![
                ("body_id", object.to_owned()),
                ("version", versions.to_string()),
                ("text", format!("第一条 本会为村里出主意，第 {versions} 稿。")),
                ("adopted_on", clock::local_date(world.app.app.now()).to_string()),
                ("source", "全体会议".to_owned()),
            ]
        }
        "/bodies/{id}/recommendations" => {
            vec![("name", format!("木工{}", Uuid::now_v7().simple())), ("reason", "会做木工。".to_owned())]
        }
        "/desk/recommendations/decide" => vec![
            ("body_id", world.councils[&place].to_string()),
            ("recommendation_id", object.to_owned()),
            ("outcome", "fit".to_owned()),
        ],
        "/desk/services/record" => vec![
            ("body_id", object.to_owned()),
            ("done_on", clock::local_date(world.app.app.now()).to_string()),
            ("function", "advice".to_owned()),
            ("text", "说了说村庄规划。".to_owned()),
        ],
        _ => vec![("body_id", world.councils[&place].to_string()), ("record_id", object.to_owned()), reason],
    }
}
