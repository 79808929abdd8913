//! What is sent about skills, needs, invitations and what councils do among themselves.
use chrono::TimeDelta;
use liusheng::{bodies, clock};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::authority::{
    matrix::{At, Row},
    world::{Place, World},
};

impl World {
    pub(super) async fn of_councils(&mut self, row: &Row, (role, at): (&'static str, At), place: Place) -> Value {
        let now = self.app.app.now();
        let in_days = |days| clock::local_date(now + TimeDelta::days(days));
        match row.operation.as_str() {
            "set_my_skills" => json!({ "tags": ["水电"], "availability": "周末", "place": "德清", "uses": ["town"] }),
            "post_need" => {
                let body = self.own_bodies.get(role).unwrap_or(&self.committees[&place]);
                json!({ "area_code": place.code(), "body_id": body, "title": "要懂水电的人", "text": "修水泵。",
                    "contact": "村委会", "until_on": in_days(30) })
            }
            "set_election" => {
                let steps = ["nominations", "check", "publicity", "election", "first_meeting"];
                let days: Vec<Value> = steps.iter().map(|step| json!({ "step": step, "day": in_days(9) })).collect();
                json!({ "version": 1, "days": days, "reason": "都在一天办" })
            }
            "write_body_charter" => {
                let db = self.app.app.store.read();
                let version = bodies::charter::versions(db, self.councils[&place]).await.unwrap();
                json!({ "version": version, "text": format!("第一条 本会为村里出主意。第 {version} 稿。"),
                    "adopted_on": in_days(0), "source": "全体会议" })
            }
            "record_service" => json!({ "done_on": in_days(0), "function": "advice", "text": "说了说村庄规划。" }),
            "recommend_member" => {
                json!({ "name": format!("电工{}", Uuid::now_v7().simple()), "reason": "会修水电。" })
            }
            "decide_recommendation" => json!({ "outcome": "fit" }),
            "withdraw_service" => json!({ "reason": "记重了" }),
            "set_rotation" => json!({ "rotation": "month" }),
            "pass_turn" => json!({ "reason": "出差" }),
            "propose_joint_item" => {
                let matter = self.object("matter", at, role).await;
                let other = if place == Place::A { Place::B.code() } else { place.neighbour() };
                json!({ "matter_id": matter, "villages": [place.code(), other] })
            }
            "give_village_tasks" => json!({ "number": 1, "villages": [place.code()], "due_on": in_days(30) }),
            "take_need" => json!({ "contact": "晚上在家" }),
            "end_need" => json!({ "outcome": "withdrawn", "text": "不用了" }),
            "invite_bodies" => json!({ "body_ids": [self.councils[&place]], "due_on": in_days(7) }),
            "decline_invitation" => json!({ "body_id": self.committees[&place], "reason": "人手不够" }),
            _ => Value::Null,
        }
    }
}
