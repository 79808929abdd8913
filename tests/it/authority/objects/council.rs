//! What councils do among themselves.
use chrono::TimeDelta;
use liusheng::{
    bodies::{self, By},
    clock,
};
use reqwest::Method;
use serde_json::json;
use uuid::Uuid;

use crate::{
    authority::world::{Place, World},
    support::{Somebody, answer, id},
};

impl World {
    /// The term of a council that ends soon, with the calendar of its election.
    pub(super) async fn election(&self, place: Place) -> String {
        let council = self.found("council", "快换届的参事会", &[place.code()]).await;
        let ends_on = clock::local_date(self.app.app.now() + TimeDelta::days(30));
        let term = json!({ "number": 1, "starts_on": "2026-01-01", "ends_on": ends_on });
        let term = serde_json::from_value(term).unwrap();
        let opening =
            self.app.app.store.write(move |tx| Box::pin(bodies::open_term(tx, By::Operator, (council, term))));
        let term = opening.await.unwrap().id.to_string();
        self.app.app.store.write(|tx| Box::pin(bodies::elections::due(tx))).await.unwrap();
        term
    }

    /// A joint meeting of two villages, in which nobody of the columns sits.
    pub(super) async fn joint(&mut self, place: Place) -> String {
        let other = if place == Place::A { Place::B.code() } else { place.neighbour() };
        let joint = self.found("joint_meeting", "秘书长联席会议", &[place.code(), other]).await;
        for _ in 0..2 {
            let person = self.fresh_person(place).await;
            self.seat(joint, person, "member", None).await;
        }
        joint.to_string()
    }

    /// Who leads the village's council; in village A the column that does.
    async fn keeper(&mut self, place: Place) -> Somebody {
        if place == Place::A {
            return self.who["secretary"].clone();
        }
        let (council, person) = (self.councils[&place], self.fresh_person(place).await);
        self.seat(council, person, "vice_chair", None).await;
        Somebody::signed_in(&self.app, person).await
    }

    /// The village's council, which has a charter.
    pub(super) async fn chartered(&mut self, place: Place) -> String {
        let council = self.councils[&place];
        if bodies::charter::versions(self.app.app.store.read(), council).await.unwrap() == 0 {
            let charter = json!({ "version": 0, "text": "第一条 本会为村里出主意。", "adopted_on": "2026-01-05",
                "source": "成立大会" });
            let keeper = self.keeper(place).await;
            answer(keeper.request(Method::PUT, &format!("/v1/bodies/{council}/charter")).json(&charter)).await.ok();
        }
        council.to_string()
    }

    /// Somebody whom this one recommends for the village's council.
    pub(super) async fn recommendation(&self, owner: &Somebody, place: Place) -> String {
        let somebody = json!({ "name": format!("水电工{}", Uuid::now_v7().simple()), "reason": "会修水电。" });
        id(&owner.post(&format!("/v1/bodies/{}/recommendations", self.councils[&place]), somebody).await.ok())
    }

    /// Something that the village's council did.
    pub(super) async fn service(&mut self, place: Place) -> String {
        let (council, keeper) = (self.councils[&place], self.keeper(place).await);
        let today = clock::local_date(self.app.app.now());
        let done = json!({ "done_on": today, "function": "customs", "text": "写春联。", "people": 30 });
        id(&keeper.post(&format!("/v1/bodies/{council}/services"), done).await.ok())
    }

    /// A matter on the agenda of one, put there by the county.
    pub(super) async fn joint_item(&mut self, place: Place) -> String {
        let other = if place == Place::A { Place::B.code() } else { place.neighbour() };
        let (joint, matter) = (self.joint(place).await, self.raise(place).await);
        let item = json!({ "matter_id": matter, "villages": [place.code(), other] });
        let seen = self.who["county"].post(&format!("/v1/bodies/{joint}/agenda-items"), item).await.ok();
        seen["items"][0]["id"].as_str().unwrap().to_owned()
    }
}
