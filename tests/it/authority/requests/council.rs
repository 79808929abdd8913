//! What is sent about skills, needs and what councils do among themselves.
use chrono::TimeDelta;
use liusheng::clock;
use serde_json::{Value, json};

use crate::authority::{
    matrix::Row,
    world::{Place, World},
};

impl World {
    pub(super) fn of_councils(&self, row: &Row, role: &str, place: Place) -> Value {
        let in_days = |days| clock::local_date(self.app.app.now() + TimeDelta::days(days));
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
                json!({ "days": days, "reason": "都在一天办" })
            }
            "take_need" => json!({ "contact": "晚上在家" }),
            "end_need" => json!({ "outcome": "withdrawn", "text": "不用了" }),
            _ => Value::Null,
        }
    }
}
