//! What councils do among themselves meanwhile: what people can do, needs, the joint meeting, another way of doing something,
//! who is asked to deliberate, what was done for people.
use chrono::TimeDelta;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    VILLAGE,
    story::{COUNCIL, Story, line, parsed},
};
use crate::{
    bodies::{charter, recommendations, services},
    clock,
    error::{Error, Result},
    ids::NeedId,
    joint::agenda,
    matters::commands::{answer_alternative, decline, invite},
    skills::{entries, needs},
    streams::{
        self, Side, StreamKind,
        commands::{SendMessage, send},
    },
    text,
};

/// The secretary of the village's council, and that of the neighbours' council, by number on the roster.
const SECRETARY: &str = "00294";
const NEIGHBOUR: &str = "02037";
/// The village next to it.
pub(super) const NEXT: &str = "330521103203";

impl Story<'_> {
    /// What of it happens on this day.
    pub(super) async fn together(&self, day: i64) -> Result<()> {
        match day {
            8 => self.can("02344", json!(["village", "town", "needs"])).await,
            9 => self.can("00063", json!(["village", "needs"])).await,
            10 => self.can("00185", json!(["village", "town"])).await,
            20 => {
                let need = self.need("tea").await?;
                self.take(need, "02344").await
            }
            11 => self.adopt_charter().await,
            12 => self.served("customs", 46).await,
            23 => self.served("order", 5).await,
            // on its third day a matter is deliberated
            28 => self.ask("hall", &["neighbour", "branch"]).await,
            29 => {
                self.take_part("hall", NEIGHBOUR).await?;
                self.stay_away("hall").await
            }
            33 => self.served("advice", 0).await,
            // who still waits for the party's organisation
            35 => self.recommend("00063").await,
            36 => self.need("phones").await.map(drop),
            37 => {
                let place = self.put_beside("bumps", "00034").await?;
                self.answer_beside("bumps", place).await
            }
            38 => self.onto_agenda("bumps").await,
            // who still has a week to answer
            39 => self.ask("waste", &["neighbour"]).await,
            // this one still waits for an answer
            40 => self.put_beside("waste", "00063").await.map(drop),
            _ => Ok(()),
        }
    }

    async fn can(&self, number: &str, uses: Value) -> Result<()> {
        let actor = self.actor(number).await?;
        let words = |what: &str| line(&format!("skills-{number}"), what);
        let tags: Vec<String> = words("tags").split(' ').map(str::to_owned).collect();
        let input = parsed(json!({
            "tags": tags, "availability": words("when"), "place": text::say("demo-skills-place"), "uses": uses,
        }))?;
        self.write(move |tx| Box::pin(async move { entries::set(tx, &actor, input).await })).await?;
        Ok(())
    }

    async fn need(&self, key: &str) -> Result<NeedId> {
        let secretary = self.actor(SECRETARY).await?;
        let until = clock::local_date(self.app.now()) + TimeDelta::days(30);
        let input = parsed(json!({
            "area_code": VILLAGE, "body_id": self.cast.body("council")?, "title": line(key, "need"),
            "text": line(key, "wanted"), "tags": [line(key, "tag")], "contact": text::say("demo-need-contact"),
            "until_on": until,
        }))?;
        let posted = self.write(move |tx| Box::pin(async move { needs::post(tx, &secretary, input).await })).await?;
        Ok(posted.id)
    }

    async fn take(&self, need: NeedId, number: &str) -> Result<()> {
        let (actor, input) = (self.actor(number).await?, parsed(json!({ "contact": text::say("demo-need-taker") }))?);
        self.write(move |tx| Box::pin(async move { needs::take(tx, &actor, (need, input)).await })).await?;
        Ok(())
    }

    /// Says another way of doing a matter in its discussion; its place there.
    async fn put_beside(&self, key: &str, number: &str) -> Result<i64> {
        let (actor, matter) = (self.actor(number).await?, self.matter(key)?.to_string());
        let discussion = streams::queries::find(self.app.store.read(), StreamKind::Discussion, &matter).await?;
        let discussion = discussion.ok_or_else(|| Error::broken("no discussion"))?;
        let message = SendMessage {
            side: Some(Side::Alternative),
            ..SendMessage::words(Uuid::now_v7(), line(key, "alternative"))
        };
        let sent = self.write(move |tx| Box::pin(async move { send(tx, &actor, (discussion, message)).await })).await?;
        Ok(sent.seq)
    }

    async fn answer_beside(&self, key: &str, seq: i64) -> Result<()> {
        let (council, matter) = (self.actor(COUNCIL).await?, self.matter(key)?);
        let input = parsed(json!({ "seq": seq, "is_taken": false, "text": line(key, "alternative-answer") }))?;
        self.write(move |tx| Box::pin(async move { answer_alternative(tx, &council, (matter, input)).await })).await?;
        Ok(())
    }

    /// Other bodies are asked to deliberate a matter.
    async fn ask(&self, key: &str, bodies: &[&str]) -> Result<()> {
        let (council, matter) = (self.actor(COUNCIL).await?, self.matter(key)?);
        let bodies = bodies.iter().map(|body| self.cast.body(body)).collect::<Result<Vec<_>>>()?;
        let until = clock::local_date(self.app.now()) + TimeDelta::days(7);
        let input = parsed(json!({ "body_ids": bodies, "due_on": until }))?;
        self.write(move |tx| Box::pin(async move { invite(tx, &council, (matter, input)).await })).await?;
        Ok(())
    }

    async fn take_part(&self, key: &str, number: &str) -> Result<()> {
        let (actor, matter) = (self.actor(number).await?, self.matter(key)?.to_string());
        let discussion = streams::queries::find(self.app.store.read(), StreamKind::Discussion, &matter).await?;
        let discussion = discussion.ok_or_else(|| Error::broken("no discussion"))?;
        let message = SendMessage::words(Uuid::now_v7(), line(key, "joined"));
        self.write(move |tx| Box::pin(async move { send(tx, &actor, (discussion, message)).await })).await?;
        Ok(())
    }

    async fn stay_away(&self, key: &str) -> Result<()> {
        let (leader, matter) = (self.actor(SECRETARY).await?, self.matter(key)?);
        let input = parsed(json!({ "body_id": self.cast.body("branch")?, "reason": line(key, "declined") }))?;
        self.write(move |tx| Box::pin(async move { decline(tx, &leader, (matter, input)).await })).await?;
        Ok(())
    }

    async fn adopt_charter(&self) -> Result<()> {
        let (council, body) = (self.actor(COUNCIL).await?, self.cast.body("council")?);
        let input = parsed(json!({
            "version": 0, "text": line("council", "charter"), "source": line("council", "meeting"),
            "adopted_on": clock::local_date(self.app.now()),
        }))?;
        self.write(move |tx| Box::pin(async move { charter::write(tx, &council, (body, input)).await })).await?;
        Ok(())
    }

    /// Somebody would like to join the council.
    async fn recommend(&self, number: &str) -> Result<()> {
        let (actor, body) = (self.actor(number).await?, self.cast.body("council")?);
        let input = parsed(json!({ "reason": line("council", "reason") }))?;
        self.write(move |tx| Box::pin(async move { recommendations::recommend(tx, &actor, (body, input)).await }))
            .await?;
        Ok(())
    }

    /// What the council did by one of its functions, yesterday.
    async fn served(&self, function: &str, people: i32) -> Result<()> {
        let (council, body) = (self.actor(COUNCIL).await?, self.cast.body("council")?);
        let input = parsed(json!({
            "done_on": clock::local_date(self.app.now()) - TimeDelta::days(1), "function": function, "people": people,
            "text": line("service", function), "service_group": text::say("demo-service-group"),
        }))?;
        self.write(move |tx| Box::pin(async move { services::record(tx, &council, (body, input)).await })).await?;
        Ok(())
    }

    /// Onto the agenda of the joint meeting of both villages.
    async fn onto_agenda(&self, key: &str) -> Result<()> {
        let (actor, joint) = (self.actor(NEIGHBOUR).await?, self.cast.body("joint")?);
        let input = parsed(json!({
            "matter_id": self.matter(key)?, "villages": [VILLAGE, NEXT], "note": line(key, "note"),
        }))?;
        self.write(move |tx| Box::pin(async move { agenda::propose(tx, &actor, (joint, input)).await })).await?;
        Ok(())
    }
}
