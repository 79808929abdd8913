//! The second half of the story: the vote, the task that follows, the rating and the end.
use chrono::TimeDelta;
use serde_json::json;
use uuid::Uuid;

use super::{
    VILLAGE,
    story::{AUTHORS, CHAIR, CLERK, SUPERVISION, Story, Thread, line, parsed},
};
use crate::{
    error::{Error, Result},
    forms::{self, commands::GiveAnswer, rules::Purpose},
    ids::VoteId,
    matters::commands as moves,
    media,
    suggestions::commands,
    tasks, text,
    votes::{
        self,
        commands::{CastBallot, Choice, OpenVote, Paper, Secrecy},
    },
};

/// A photo taken for the demo: a few invented pixels.
const PHOTO: &[u8] = include_bytes!("../../deploy/demo/shelter.jpg");

impl Story<'_> {
    /// Voices that led to a matter are answered, too, within their days.
    pub(super) async fn answer_voices(&self, thread: &Thread) -> Result<()> {
        for id in thread.voices.clone() {
            let (actor, said) = (self.actor(CLERK).await?, parsed(json!({ "text": text::say("demo-joined") }))?);
            self.write(move |tx| Box::pin(async move { commands::answer(tx, &actor, (id, said)).await })).await?;
        }
        Ok(())
    }

    /// What their authors say of that; about the hall they are still asked.
    pub(super) async fn rate_answers(&self, key: &str, thread: &Thread) -> Result<()> {
        let voices = if key == "hall" { Vec::new() } else { thread.voices.clone() };
        for ((id, author), rating) in voices.into_iter().zip(AUTHORS).zip([5, 4, 5]) {
            let (actor, input) = (self.actor(author).await?, parsed(json!({ "rating": rating }))?);
            self.write(move |tx| Box::pin(async move { commands::rate(tx, &actor, (id, input)).await })).await?;
        }
        Ok(())
    }

    pub(super) async fn vote(&self, key: &str, thread: &mut Thread) -> Result<()> {
        let actor = self.actor(CHAIR).await?;
        let matter_id = thread.matter.ok_or_else(|| Error::broken("no matter"))?;
        let now = self.app.now();
        // the one that is open today stays open for five days
        let closes_at = now + if key == "lamps" { TimeDelta::days(5) } else { TimeDelta::hours(12) };
        let input = OpenVote {
            matter_id: Some(matter_id),
            question: line(key, "question"),
            preset: "village_assembly_person".to_owned(),
            allows_revote: false,
            secrecy: Secrecy::Open,
            closes_at,
            meeting_id: thread.assembly,
            options: Vec::new(),
            max_choices: None,
            seats: None,
            parent_vote_id: None,
            group_number: None,
            households: Vec::new(),
            has_paper: false,
            challenge_days: None,
            roll_days: None,
            by_charter: None,
            collective_item: None,
            recall: None,
            mobile: None,
        };
        let vote =
            self.write(move |tx| Box::pin(async move { votes::commands::open_vote(tx, &actor, input).await })).await?;
        thread.vote = Some(vote.id);
        let share = if key == "lamps" { 3 } else { 7 };
        self.cast_ballots(vote.id, share).await
    }

    /// So many tenths of the roll vote; one in eleven against, one in seventeen abstains.
    async fn cast_ballots(&self, vote: VoteId, tenths: usize) -> Result<()> {
        let roll = votes::queries::roll_people(self.app.store.read(), vote).await?;
        let voters: Vec<_> = roll.into_iter().enumerate().filter(|(n, _)| n % 10 < tenths).collect();
        for some in voters.chunks(200) {
            let some = some.to_vec();
            self.write(move |tx| {
                Box::pin(async move {
                    for (n, person) in some {
                        let choice = if n % 11 == 0 {
                            Choice::Against
                        } else if n % 17 == 0 {
                            Choice::Abstain
                        } else {
                            Choice::For
                        };
                        let ballot =
                            CastBallot { cast_id: Uuid::new_v4(), choice: Some(choice), choices: None, elector: None };
                        votes::commands::cast(tx, person, vote, Paper::open(vote, &ballot)).await?;
                    }
                    Ok(())
                })
            })
            .await?;
        }
        Ok(())
    }

    pub(super) async fn give_task(&self, key: &str, thread: &mut Thread) -> Result<()> {
        let actor = self.actor(CHAIR).await?;
        let owner = self.cast.person("01086")?;
        let input = parsed(json!({
            "area_code": VILLAGE, "matter_id": thread.matter, "owner_id": owner, "title": line(key, "task"), "working_days": 10,
        }))?;
        let task =
            self.write(move |tx| Box::pin(async move { tasks::commands::give(tx, &actor, input).await })).await?;
        thread.task = Some(task.id);
        Ok(())
    }

    pub(super) async fn finish_task(&self, key: &str, thread: &Thread) -> Result<()> {
        if key != "shelter" {
            return Ok(());
        }
        let id = thread.task.ok_or_else(|| Error::broken("no task"))?;
        for (by, kind, fen, label) in [
            (CHAIR, "budget", 3_800_000_i64, "demo-money-set-aside"),
            ("01086", "spent", 3_652_050, "demo-money-spent"),
        ] {
            let (keeper, line) =
                (self.actor(by).await?, parsed(json!({ "kind": kind, "fen": fen, "label": text::say(label) }))?);
            self.write(move |tx| Box::pin(async move { tasks::commands::note_money(tx, &keeper, (id, line)).await }))
                .await?;
        }
        let actor = self.actor("01086").await?;
        let photo = media::take_bytes(self.app, actor.clone(), PHOTO).await?;
        let input = parsed(json!({ "proof": text::say("demo-proof"), "photos": [photo.id] }))?;
        self.write(move |tx| Box::pin(async move { tasks::commands::finish(tx, &actor, (id, input)).await })).await?;
        Ok(())
    }

    pub(super) async fn rate(&self, key: &str, thread: &mut Thread) -> Result<()> {
        if key != "shelter" {
            return Ok(());
        }
        let matter = thread.matter.ok_or_else(|| Error::broken("no matter"))?;
        let clerk = self.actor(CLERK).await?;
        let form = self.open_form(&clerk, matter, Purpose::Rating, "rate").await?;
        thread.rating = Some(form);
        for (number, score) in [("00022", 5), ("00034", 4), ("00041", 5), ("00001", 4)] {
            let actor = self.actor(number).await?;
            let input = GiveAnswer { answers: parsed(json!({ "score": score }))?, person_id: None, is_on_paper: false };
            self.write(move |tx| Box::pin(async move { forms::commands::answer(tx, &actor, (form, input)).await }))
                .await?;
        }
        Ok(())
    }

    pub(super) async fn close(&self, key: &str, thread: &Thread) -> Result<()> {
        if key != "shelter" {
            return Ok(());
        }
        self.hold(thread.assembly, CHAIR, (&["00001"], None)).await?;
        self.close_form(thread.rating, CLERK).await?;
        let id = thread.matter.ok_or_else(|| Error::broken("no matter"))?;
        let (actor, input) = (self.actor(CLERK).await?, parsed(json!({ "text": text::say("demo-report") }))?);
        self.write(move |tx| Box::pin(async move { moves::write_report(tx, &actor, (id, input)).await })).await?;
        self.advance(thread.matter, SUPERVISION).await
    }
}
