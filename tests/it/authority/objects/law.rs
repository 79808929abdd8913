//! What legal officers are asked, between whom they mediate, and what a committee needs.
use chrono::TimeDelta;
use liusheng::clock;
use sea_orm::ConnectionTrait;
use serde_json::json;
use uuid::Uuid;

use crate::{
    authority::world::{Place, World, id},
    support::Somebody,
};

impl World {
    /// A legal officer of a committee; made once.
    pub(in crate::authority) async fn lawyer(&self, place: Place) -> Somebody {
        let person = self.person(place, 391).await;
        let lawyer = Somebody::signed_in(&self.app, person).await;
        let me = lawyer.get("/v1/me").await.ok();
        if me["seats"].as_array().unwrap().is_empty() {
            self.seat(self.committees[&place], person, "legal_officer", None).await;
            self.app.app.actors.invalidate_all();
        }
        lawyer
    }

    /// A contract that the committee wants looked at.
    pub(super) async fn contract(&self, place: Place) -> String {
        self.lawyer(place).await;
        let asked = json!({ "area_code": place.code(), "body_id": self.committees[&place], "title": "承包合同",
            "text": "甲方、乙方。" });
        id(&self.chairs[&place].post("/v1/contract-reviews", asked).await.ok())
    }

    /// Something for which the committee looks for somebody.
    pub(super) async fn need(&self, place: Place) -> String {
        let until = clock::local_date(self.app.app.now() + TimeDelta::days(30));
        let need = json!({ "area_code": place.code(), "body_id": self.committees[&place], "title": "要懂水电的人",
            "text": "修水泵。", "contact": "村委会", "until_on": until });
        id(&self.chairs[&place].post("/v1/needs", need).await.ok())
    }

    /// A mediation between this one and somebody who is on no roster.
    pub(super) async fn mediation(&mut self, party: &Somebody, place: Place) -> String {
        let lawyer = self.lawyer(place).await;
        let words = format!("纠纷{}", Uuid::now_v7());
        let name = party.get("/v1/me").await.ok()["name"].clone();
        let parties = json!([{ "person_id": party.person, "name": name }, { "name": "外村人" }]);
        let opened = json!({ "area_code": place.code(), "about": words, "parties": parties });
        let made = id(&lawyer.post("/v1/mediations", opened).await.ok());
        // one officer opens few with one person within a month
        let aged = self.app.app.store.write(|tx| {
            Box::pin(async move {
                tx.execute_unprepared("UPDATE mediations SET opened_at = '2026-08-01T00:00:00Z'").await?;
                Ok(())
            })
        });
        aged.await.unwrap();
        self.keep(words, "mediation", place, party.person);
        made
    }
}
