//! How a conversation comes about, and what is said in it: threads, letters, groups, forums, messages, lists.
use liusheng::streams::{self, StreamKind};
use serde_json::json;
use uuid::Uuid;

use super::FIRST_MESSAGE;
use crate::{
    authority::{
        matrix::At,
        world::{Place, World, id},
    },
    support::Somebody,
};

impl World {
    pub(super) async fn thread(&mut self, owner: &Somebody, visibility: &str, place: Place) -> String {
        let voice = json!({ "kind": "help", "visibility": visibility, "text": "请回复" });
        let made = owner.post("/v1/suggestions", voice).await.ok();
        let stream = made["stream_id"].as_str().unwrap().to_owned();
        let words = format!("私话{}", Uuid::now_v7());
        let message = json!({ "client_id": Uuid::now_v7(), "text": words });
        owner.post(&format!("/v1/streams/{stream}/messages"), message).await.ok();
        // nobody has opened this one
        self.keep(words, "thread", place, owner.person);
        stream
    }

    pub(super) async fn contact(&mut self, owner: &Somebody, place: Place) -> String {
        let opened = owner.post("/v1/contacts", json!({})).await.ok();
        let stream = opened["stream_id"].as_str().unwrap().to_owned();
        let words = format!("私话{}", Uuid::now_v7());
        let message = json!({ "client_id": Uuid::now_v7(), "text": words });
        owner.post(&format!("/v1/streams/{stream}/messages"), message).await.ok();
        self.keep(words, "contact", place, owner.person);
        stream
    }

    /// Brought together by the chair of the village.
    pub(super) async fn group(&self, owner: &Somebody, place: Place) -> String {
        let other = self.person(place, 3).await;
        let chair = &self.chairs[&place];
        let new = json!({ "body_id": self.committees[&place], "title": "小组", "people": [owner.person, other] });
        chair.post("/v1/groups", new).await.ok()["stream_id"].as_str().unwrap().to_owned()
    }

    /// The first message about a matter of its own; gives the discussion.
    pub(super) async fn message(&self, owner: &Somebody, place: Place) -> String {
        let matter = self.raise(place).await;
        self.app.followed().await;
        let stream = self.stream(StreamKind::Discussion, &matter).await;
        let message = json!({ "client_id": Uuid::now_v7(), "text": "我有话说" });
        let said = owner.post(&format!("/v1/streams/{stream}/messages"), message).await.ok();
        assert_eq!(said["seq"], FIRST_MESSAGE);
        stream
    }

    /// A message that waits because of its words.
    pub(super) async fn held(&self, owner: &Somebody, place: Place) -> String {
        let matter = self.raise(place).await;
        self.app.followed().await;
        let stream = self.stream(StreamKind::Discussion, &matter).await;
        let message = json!({ "client_id": Uuid::now_v7(), "text": "刷单返利，快来" });
        let held = owner.post(&format!("/v1/streams/{stream}/messages"), message).await;
        assert_eq!(held.status, 202, "{}", held.body);
        id(&held.body)
    }

    /// A message that somebody else reported.
    pub(super) async fn report(&self, owner: &Somebody, place: Place) -> String {
        let stream = self.message(owner, place).await;
        let (chair, author) = (&self.chairs[&place], &self.authors[&place]);
        let reporter = if owner.person == chair.person { author } else { chair };
        let path = format!("/v1/streams/{stream}/messages/{FIRST_MESSAGE}/reports");
        id(&reporter.post(&path, json!({ "reason": "骂人" })).await.ok())
    }

    /// The first thing in a discussion of its own; gives the discussion.
    pub(super) async fn chain(&self, owner: &Somebody, place: Place) -> String {
        let matter = self.raise(place).await;
        self.app.followed().await;
        let stream = self.stream(StreamKind::Discussion, &matter).await;
        let chain = json!({ "client_id": Uuid::now_v7(), "title": "谁去看桥" });
        let started = owner.post(&format!("/v1/streams/{stream}/chains"), chain).await.ok();
        assert_eq!(started["seq"], FIRST_MESSAGE);
        stream
    }

    pub(super) async fn mailbox(&self, owner: &Somebody) -> String {
        let person = owner.person;
        let open =
            self.app.app.store.write(move |tx| Box::pin(async move { streams::commands::mailbox(tx, person).await }));
        open.await.unwrap().to_string()
    }

    pub(super) async fn office(&self, at: At, role: &str, place: Place) -> String {
        let body = match at {
            At::Own => self.own_bodies[role],
            _ => self.committees[&place],
        };
        let open =
            self.app.app.store.write(move |tx| Box::pin(async move { streams::commands::office(tx, body).await }));
        open.await.unwrap().to_string()
    }

    pub(super) async fn forum(&self, place: Place) -> String {
        let (body, area) = (self.councils[&place], place.code().to_owned());
        let open =
            self.app.app.store.write(move |tx| {
                Box::pin(async move { streams::commands::forum(tx, (body, "参事会"), Some(area)).await })
            });
        open.await.unwrap().to_string()
    }

    pub(super) async fn stream(&self, kind: StreamKind, subject: &str) -> String {
        streams::queries::find(self.app.app.store.read(), kind, subject).await.unwrap().unwrap().to_string()
    }
}
