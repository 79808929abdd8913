//! What the village's legal officer does meanwhile: is there, answers a question, looks at contracts, mediates, notes hours.
use serde_json::json;

use super::{
    VILLAGE,
    story::{CLERK, Story, line, parsed},
};
use crate::{
    clock,
    error::{Error, Result},
    ids::{ContractReviewId, MatterId},
    legal::{contracts, hours, mediations, officers},
    suggestions::commands::{accept, answer, assign},
};

/// The legal officer, by number on the roster.
const OFFICER: &str = "00036";

impl Story<'_> {
    /// What of it happens on this day.
    pub(super) async fn law(&self, day: i64) -> Result<()> {
        match day {
            1 => self.say_when().await,
            19 | 26 => self.note_hours("duty", 150).await,
            30 => self.advise().await,
            35 => self.look_at_contract().await,
            37 => self.mediate().await,
            39 => self.send_contract("lease", None).await.map(drop),
            _ => Ok(()),
        }
    }

    async fn say_when(&self) -> Result<()> {
        let officer = self.actor(OFFICER).await?;
        let seat = officer.seats.first().map(|seat| seat.seat_id).ok_or_else(|| Error::broken("no legal officer"))?;
        let input = parsed(json!({ "place": line("law", "room"), "hours": line("law", "hours") }))?;
        self.write(move |tx| Box::pin(async move { officers::set(tx, &officer, (seat, input)).await })).await?;
        Ok(())
    }

    async fn note_hours(&self, work: &str, minutes: i32) -> Result<()> {
        let officer = self.actor(OFFICER).await?;
        let day = clock::local_date(self.app.now());
        let input = parsed(json!({ "area_code": VILLAGE, "day": day, "work": work, "minutes": minutes }))?;
        self.write(move |tx| Box::pin(async move { hours::note(tx, &officer, input).await })).await?;
        Ok(())
    }

    /// A question that everybody may read, with its answer.
    async fn advise(&self) -> Result<()> {
        let voice = self.speak("law", "00105").await?;
        let (clerk, officer) = (self.actor(CLERK).await?, self.actor(OFFICER).await?);
        let to = parsed(json!({ "person_id": officer.person }))?;
        let said = parsed(json!({ "text": line("law", "answer") }))?;
        self.write(move |tx| {
            Box::pin(async move {
                accept(tx, &clerk, voice).await?;
                assign(tx, &clerk, (voice, to)).await?;
                answer(tx, &officer, (voice, said)).await
            })
        })
        .await?;
        self.note_hours("consultation", 40).await
    }

    async fn send_contract(&self, key: &str, matter: Option<MatterId>) -> Result<ContractReviewId> {
        let clerk = self.actor(CLERK).await?;
        let input = parsed(json!({
            "area_code": VILLAGE, "body_id": self.cast.body("committee")?, "matter_id": matter,
            "title": line(key, "contract"), "text": line(key, "terms"),
        }))?;
        let sent = self.write(move |tx| Box::pin(async move { contracts::ask(tx, &clerk, input).await })).await?;
        Ok(sent.id)
    }

    /// That of the first matter, which everybody finds beside it.
    async fn look_at_contract(&self) -> Result<()> {
        let matter = self.threads.first().and_then(|thread| thread.matter);
        let (id, officer) = (self.send_contract("shelter", matter).await?, self.actor(OFFICER).await?);
        let input = parsed(json!({ "outcome": "to_change", "text": line("shelter", "advice") }))?;
        self.write(move |tx| Box::pin(async move { contracts::give_opinion(tx, &officer, (id, input)).await })).await?;
        self.note_hours("contract", 90).await
    }

    /// One that goes on, with a party whom the greeting names.
    async fn mediate(&self) -> Result<()> {
        let (officer, party) = (self.actor(OFFICER).await?, self.actor("00022").await?);
        let parties = json!([{ "person_id": party.person, "name": party.name }, { "name": line("law", "party") }]);
        let input = parsed(json!({ "area_code": VILLAGE, "about": line("law", "quarrel"), "parties": parties }))?;
        self.write(move |tx| Box::pin(async move { mediations::open(tx, &officer, input).await })).await?;
        Ok(())
    }
}
