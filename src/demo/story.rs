//! What happens: seven matters, each begun on a day of its own and walked as far as its days allow, and some voices.
use chrono::{DateTime, Duration, Utc};
use futures_util::future::BoxFuture;
use serde_json::json;
use uuid::Uuid;

use super::{VILLAGE, cast::Cast, settle};
use crate::{
    actor::Actor,
    app::App,
    clock,
    error::{Error, Result},
    forms::{
        self,
        commands::{GiveAnswer, OpenForm},
        rules::{Purpose, Question, QuestionKind},
    },
    ids::{FormId, MatterId, MeetingId, NoticeId, SuggestionId, TaskId, VoteId},
    matters::{self, commands as moves},
    meetings, notices,
    store::Tx,
    streams::{self, Side, StreamKind, commands::SendMessage},
    suggestions::{self, commands::SubmitSuggestion},
    text,
};

/// Key of its words, and the day on which it begins; day 40 is today.
const MATTERS: &[(&str, i64)] =
    &[("shelter", 0), ("pipes", 5), ("lamps", 15), ("hall", 26), ("bumps", 34), ("waste", 37), ("rail", 39)];
/// Authors of the three voices of each matter.
pub(super) const AUTHORS: &[&str] = &["00022", "00034", "00041"];
/// A voice without a matter on some days: key, author, kind is a suggestion.
const VOICES: &[(&str, &str, i64)] =
    &[("praise", "00060", 30), ("dog", "00063", 36), ("court", "00105", 38), ("dark", "00022", 40)];

pub(super) const CLERK: &str = "00405";
pub(super) const CHAIR: &str = "00358";
pub(super) const COUNCIL: &str = "02546";
const BRANCH: &str = "00294";
pub(super) const SUPERVISION: &str = "01163";

/// What has come of one matter.
#[derive(Default)]
pub(super) struct Thread {
    pub(super) matter: Option<MatterId>,
    /// Those of its authors, in their order.
    pub(super) voices: Vec<SuggestionId>,
    pub(super) survey: Option<FormId>,
    pub(super) meeting: Option<MeetingId>,
    /// Where in the discussion another way of doing it stands.
    pub(super) way: Option<i64>,
    pub(super) notice: Option<NoticeId>,
    pub(super) visits: Option<FormId>,
    pub(super) assembly: Option<MeetingId>,
    pub(super) vote: Option<VoteId>,
    pub(super) task: Option<TaskId>,
    pub(super) rating: Option<FormId>,
}

/// The story as far as it was told.
pub(super) struct Story<'a> {
    pub(super) app: &'a App,
    pub(super) cast: Cast,
    pub(super) threads: Vec<Thread>,
}

impl<'a> Story<'a> {
    pub(super) fn begin(app: &'a App, cast: Cast) -> Self {
        Self { app, cast, threads: MATTERS.iter().map(|_| Thread::default()).collect() }
    }

    /// One day in the village.
    pub(super) async fn day(&mut self, day: i64) -> Result<()> {
        for (key, author, on) in VOICES {
            if *on == day {
                self.speak(key, author).await?;
            }
        }
        for (at, (key, begins)) in MATTERS.iter().enumerate() {
            let mut thread = std::mem::take(self.threads.get_mut(at).ok_or_else(|| Error::broken("story"))?);
            let done = self.step(key, &mut thread, day - begins).await;
            if let Some(place) = self.threads.get_mut(at) {
                *place = thread;
            }
            done.map_err(|error| Error::broken(format!("demo: {key}, day {}: {error:?}", day - begins)))?;
        }
        self.law(day).await.map_err(|error| Error::broken(format!("demo: law, day {day}: {error:?}")))?;
        self.together(day).await.map_err(|error| Error::broken(format!("demo: together, day {day}: {error:?}")))
    }

    /// The matter of this key, once it was raised.
    pub(super) fn matter(&self, key: &str) -> Result<MatterId> {
        let at = MATTERS.iter().position(|(one, _)| *one == key);
        let thread = at.and_then(|at| self.threads.get(at));
        thread.and_then(|thread| thread.matter).ok_or_else(|| Error::broken("no matter"))
    }

    /// What happens to a matter on its own day `n`.
    async fn step(&self, key: &str, thread: &mut Thread, n: i64) -> Result<()> {
        match n {
            0 => self.raise(key, thread).await,
            2 => self.deliberate(key, thread).await,
            3 if key == "lamps" => self.answer_way(key, thread).await,
            4 => self.publicise(key, thread).await,
            5 => self.object(key, thread).await,
            6 if key != "bumps" => self.answer_objection(key, thread).await,
            7 => self.answer_voices(thread).await,
            8 => self.rate_answers(key, thread).await,
            13 => self.visit(key, thread).await,
            15 => self.review(key, thread).await,
            // the law's ten days between calling the assembly and voting are full on day 25
            25 => self.vote(key, thread).await,
            // the result hangs for seven days before it stands, counted from the day after the count on day 26
            34 => self.give_task(key, thread).await,
            36 => self.finish_task(key, thread).await,
            37 => self.rate(key, thread).await,
            40 => self.close(key, thread).await,
            _ => Ok(()),
        }
    }

    pub(super) async fn write<T, F>(&self, unit: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'t> FnOnce(&'t Tx) -> BoxFuture<'t, Result<T>> + Send + 'static,
    {
        self.app.store.write(unit).await
    }

    pub(super) async fn actor(&self, number: &str) -> Result<Actor> {
        self.cast.actor(self.app, number).await
    }

    pub(super) async fn speak(&self, key: &str, author: &str) -> Result<SuggestionId> {
        let actor = self.actor(author).await?;
        let kind = match key {
            "praise" => "praise",
            "law" => "consult",
            _ => "suggestion",
        };
        let input: SubmitSuggestion = parsed(json!({
            "kind": kind,
            "visibility": "public",
            "text": line(key, "voice"),
            "place": line(key, "place"),
        }))?;
        let voice = self
            .write(move |tx| Box::pin(async move { suggestions::commands::submit(tx, &actor, input).await }))
            .await?;
        Ok(voice.id)
    }

    async fn raise(&self, key: &str, thread: &mut Thread) -> Result<()> {
        let clerk = self.actor(CLERK).await?;
        let mut voices = Vec::new();
        for (n, author) in AUTHORS.iter().enumerate() {
            let id = self.speak(&format!("{key}-{}", n + 1), author).await?;
            let clerk = clerk.clone();
            self.write(move |tx| Box::pin(async move { suggestions::commands::accept(tx, &clerk, id).await })).await?;
            voices.push(id);
        }
        thread.voices.clone_from(&voices);
        let input = parsed(
            json!({ "area_code": VILLAGE, "title": line(key, "title"), "summary": line(key, "summary"), "suggestion_ids": voices }),
        )?;
        let raising = clerk.clone();
        let matter =
            self.write(move |tx| Box::pin(async move { matters::commands::raise(tx, &raising, input).await })).await?;
        let matter = matter.head.id;
        thread.matter = Some(matter);
        thread.survey = Some(self.open_form(&clerk, matter, Purpose::Survey, "survey").await?);
        for number in AUTHORS.iter().chain(&["00001", "00047", "00081", "00131", "00185", "00236"]) {
            self.answer(thread.survey, number, None).await?;
        }
        Ok(())
    }

    pub(super) async fn open_form(&self, by: &Actor, matter: MatterId, purpose: Purpose, key: &str) -> Result<FormId> {
        let by = by.clone();
        let question = if purpose == Purpose::Rating {
            Question {
                id: "score".into(),
                title: line(key, "question"),
                kind: QuestionKind::Scale,
                options: vec![],
                required: true,
            }
        } else {
            let options = vec![text::say("demo-yes"), text::say("demo-no")];
            Question {
                id: "wish".into(),
                title: line(key, "question"),
                kind: QuestionKind::Choice,
                options,
                required: true,
            }
        };
        let input = OpenForm {
            subject_id: matter.0,
            area_code: VILLAGE.to_owned(),
            purpose,
            title: line(key, "form"),
            questions: vec![question],
            closes_at: None,
        };
        let form =
            self.write(move |tx| Box::pin(async move { forms::commands::open_form(tx, &by, input).await })).await?;
        Ok(form.id)
    }

    /// `for_whom`: somebody visited; the one with `number` writes it down.
    pub(super) async fn answer(&self, form: Option<FormId>, number: &str, for_whom: Option<&str>) -> Result<()> {
        let form = form.ok_or_else(|| Error::broken("no form"))?;
        let actor = self.actor(number).await?;
        let person_id = for_whom.map(|number| self.cast.person(number)).transpose()?;
        let answers = parsed(json!({ "wish": text::say("demo-yes") }))?;
        let input = GiveAnswer { answers, person_id, is_on_paper: false };
        self.write(move |tx| Box::pin(async move { forms::commands::answer(tx, &actor, (form, input)).await })).await?;
        Ok(())
    }

    pub(super) async fn close_form(&self, form: Option<FormId>, number: &str) -> Result<()> {
        let (form, actor) = (form.ok_or_else(|| Error::broken("no form"))?, self.actor(number).await?);
        self.write(move |tx| Box::pin(async move { forms::commands::close_form(tx, &actor, form).await })).await?;
        Ok(())
    }

    pub(super) async fn advance(&self, matter: Option<MatterId>, number: &str) -> Result<()> {
        settle(self.app).await?;
        let (id, actor) = (matter.ok_or_else(|| Error::broken("no matter"))?, self.actor(number).await?);
        let input = parsed(json!({}))?;
        self.write(move |tx| Box::pin(async move { moves::advance(tx, &actor, (id, input)).await })).await?;
        Ok(())
    }

    async fn deliberate(&self, key: &str, thread: &mut Thread) -> Result<()> {
        self.close_form(thread.survey, CLERK).await?;
        self.advance(thread.matter, CLERK).await?;
        let starts_at = next_sitting(self.app.now());
        thread.meeting = Some(self.call((COUNCIL, "council", "members"), thread.matter, key, starts_at).await?);
        if key == "lamps" { self.propose(key, thread).await } else { Ok(()) }
    }

    /// Somebody puts another way of doing it beside the plan.
    async fn propose(&self, key: &str, thread: &mut Thread) -> Result<()> {
        let id = thread.matter.ok_or_else(|| Error::broken("no matter"))?;
        let talk = streams::queries::find(self.app.store.read(), StreamKind::Discussion, &id.to_string()).await?;
        let talk = talk.ok_or_else(|| Error::broken("no discussion"))?;
        let actor = self.actor("00126").await?;
        let words = SendMessage::words(Uuid::new_v4(), line(key, "way"));
        let message = SendMessage { side: Some(Side::Alternative), ..words };
        let sent = self
            .write(move |tx| Box::pin(async move { streams::commands::send(tx, &actor, (talk, message)).await }))
            .await?;
        thread.way = Some(sent.seq);
        Ok(())
    }

    /// The council says what becomes of it.
    async fn answer_way(&self, key: &str, thread: &Thread) -> Result<()> {
        let (id, seq) = thread.matter.zip(thread.way).ok_or_else(|| Error::broken("no other way"))?;
        let actor = self.actor(COUNCIL).await?;
        let input = parsed(json!({ "seq": seq, "is_taken": true, "text": line(key, "way-answer") }))?;
        self.write(move |tx| Box::pin(async move { moves::answer_alternative(tx, &actor, (id, input)).await })).await?;
        Ok(())
    }

    /// Called by whom, in the name of which body, for whom.
    async fn call(
        &self,
        (by, body, audience): (&str, &str, &str),
        matter: Option<MatterId>,
        key: &str,
        starts_at: DateTime<Utc>,
    ) -> Result<MeetingId> {
        let actor = self.actor(by).await?;
        let input = parsed(json!({
            "area_code": VILLAGE, "body_id": self.cast.body(body)?, "audience": audience, "matter_id": matter,
            "title": line(key, "title"), "agenda": line(key, "summary"), "place": text::say("demo-hall"), "starts_at": starts_at,
        }))?;
        let meeting =
            self.write(move |tx| Box::pin(async move { meetings::commands::call(tx, &actor, input).await })).await?;
        Ok(meeting.id)
    }

    /// With minutes; those present raise their hands for what is carried, if anything is put to them.
    pub(super) async fn hold(
        &self,
        meeting: Option<MeetingId>,
        by: &str,
        (present, carried): (&[&str], Option<&str>),
    ) -> Result<()> {
        let id = meeting.ok_or_else(|| Error::broken("no meeting"))?;
        let convener = self.actor(by).await?;
        for number in present {
            let (actor, input) =
                (convener.clone(), parsed(json!({ "person_id": self.cast.person(number)?, "via": "paper" }))?);
            self.write(move |tx| Box::pin(async move { meetings::commands::sign_in(tx, &actor, (id, input)).await }))
                .await?;
        }
        let resolved = carried
            .map(|key| json!({ "text": text::say(key), "votes_for": present.len(), "votes_against": 0 }))
            .into_iter()
            .collect::<Vec<_>>();
        let input = parsed(json!({ "minutes": text::say("demo-minutes"), "resolutions": resolved }))?;
        self.write(move |tx| {
            Box::pin(async move { meetings::commands::take_minutes(tx, &convener, (id, input)).await })
        })
        .await?;
        Ok(())
    }

    async fn publicise(&self, key: &str, thread: &mut Thread) -> Result<()> {
        let there = &["02607", "02642", "02344", "01399"];
        self.hold(thread.meeting, COUNCIL, (there, Some("demo-resolution"))).await?;
        self.advance(thread.matter, COUNCIL).await?;
        let actor = self.actor(CHAIR).await?;
        let input = parsed(
            json!({ "area_code": VILLAGE, "matter_id": thread.matter, "title": line(key, "title"), "text": line(key, "notice") }),
        )?;
        let notice =
            self.write(move |tx| Box::pin(async move { notices::commands::publish(tx, &actor, input).await })).await?;
        thread.notice = Some(notice.notice.id);
        Ok(())
    }

    async fn object(&self, key: &str, thread: &Thread) -> Result<()> {
        if !matches!(key, "lamps" | "bumps") {
            return Ok(());
        }
        let id = thread.notice.ok_or_else(|| Error::broken("no notice"))?;
        let (actor, input) = (self.actor("00126").await?, parsed(json!({ "text": line(key, "objection") }))?);
        self.write(move |tx| Box::pin(async move { notices::commands::object(tx, &actor, (id, input)).await })).await?;
        Ok(())
    }

    async fn answer_objection(&self, key: &str, thread: &Thread) -> Result<()> {
        if key != "lamps" {
            return Ok(());
        }
        let id = thread.notice.ok_or_else(|| Error::broken("no notice"))?;
        let clerk = self.actor(CLERK).await?;
        let open = notices::queries::objections(self.app.store.read(), &clerk, id).await?;
        for objection in open {
            let (actor, input) = (clerk.clone(), parsed(json!({ "answer": line(key, "answer") }))?);
            self.write(move |tx| {
                Box::pin(async move { notices::commands::answer_objection(tx, &actor, (objection.id, input)).await })
            })
            .await?;
        }
        Ok(())
    }

    async fn visit(&self, key: &str, thread: &mut Thread) -> Result<()> {
        let matter = thread.matter.ok_or_else(|| Error::broken("no matter"))?;
        let council = self.actor(COUNCIL).await?;
        thread.visits = Some(self.open_form(&council, matter, Purpose::Visit, "visit").await?);
        let visited: &[&str] = if key == "lamps" { &["00126", "00103", "00112"] } else { &["00103", "00112"] };
        for person in visited {
            self.answer(thread.visits, "02607", Some(person)).await?;
        }
        Ok(())
    }

    async fn review(&self, key: &str, thread: &mut Thread) -> Result<()> {
        self.close_form(thread.visits, COUNCIL).await?;
        let id = thread.matter.ok_or_else(|| Error::broken("no matter"))?;
        let (actor, input) =
            (self.actor(BRANCH).await?, parsed(json!({ "agree": true, "text": text::say("demo-opinion") }))?);
        self.write(move |tx| Box::pin(async move { moves::give_opinion(tx, &actor, (id, input)).await })).await?;
        self.advance(thread.matter, CLERK).await?;
        let starts_at = self.app.now() + Duration::days(10) + Duration::minutes(1);
        thread.assembly = Some(self.call((CHAIR, "committee", "villagers"), thread.matter, key, starts_at).await?);
        Ok(())
    }
}

/// A morning or an evening, a day ahead at least and two at most.
fn next_sitting(now: DateTime<Utc>) -> DateTime<Utc> {
    let soonest = now + Duration::hours(26);
    let day = clock::start_of_day(clock::local_date(soonest));
    let hours = [9 * 60, 19 * 60 + 30].map(|minutes| day + Duration::minutes(minutes));
    hours.into_iter().find(|at| *at >= soonest).unwrap_or(day + Duration::hours(33))
}

pub(super) fn line(key: &str, what: &str) -> String {
    let key = format!("demo-{key}-{what}");
    debug_assert!(text::knows(&key), "the story lacks {key}");
    text::say(&key)
}

pub(super) fn parsed<T: serde::de::DeserializeOwned>(value: serde_json::Value) -> Result<T> {
    serde_json::from_value(value).map_err(|error| Error::broken(format!("demo: {error}")))
}
