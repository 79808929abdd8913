//! What the forms of a matter's page do: each runs the same command as the API, then the page is shown again.
use axum::{extract::State, response::Response};

use super::{
    agenda,
    frame::{Clerk, Draft},
    matter::shown,
    meetings, notices, sheets,
};
use crate::{
    app::{App, Path},
    error::{Checks, Code, Result},
    forms::Purpose,
    ids::MatterId,
    matters::{
        AdvanceMatter, AnswerAlternative, DescribeMatter, GiveOpinion, HaltMatter, InviteBodies, LiftHalt,
        MarkReserved, NoteLegality, ReturnMatter, SkipStage, WithdrawMatter, WritePlan, WriteReport,
        commands::{
            advance, answer_alternative, describe as describe_matter, give_opinion, halt, invite, lift_halt,
            mark_reserved, note_legality, return_to, skip, withdraw, write_plan, write_report,
        },
        queries::area_of,
    },
    pages::{
        fields::{Fields, Form, Sent, with_files},
        layout::see,
    },
    tasks::{GiveTask, commands::give, rules::fen_of},
};

/// One of the forms of the page was sent.
pub(super) async fn act(
    State(app): State<App>,
    clerk: Clerk,
    Path((id, form)): Path<(MatterId, String)>,
    fields: Fields,
) -> Result<Response> {
    match run(&app, &clerk, id, (&form, &fields)).await {
        Ok(()) => Ok(see(&format!("/desk/matters/{id}"))),
        Err(error) => shown(&app, &clerk, id, Draft::refused(&form, fields, error)?).await,
    }
}

/// Who answers for it, what it may cost, and photos.
pub(super) async fn describe(
    State(app): State<App>,
    clerk: Clerk,
    Path(id): Path<MatterId>,
    form: Form,
) -> Result<Response> {
    let mut sent = with_files(&app, &clerk.actor, form).await?;
    match particulars(&app, &clerk, id, &mut sent).await {
        Ok(()) => Ok(see(&format!("/desk/matters/{id}"))),
        Err(error) => shown(&app, &clerk, id, Draft::refused("particulars", sent.fields, error)?).await,
    }
}

async fn particulars(app: &App, clerk: &Clerk, id: MatterId, sent: &mut Sent) -> Result<()> {
    sent.whole()?;
    let fields = &sent.fields;
    let budget = fields.given("budget_fen").map(fen_of);
    let mut checks = Checks::default();
    checks.require(budget != Some(None), "budget_fen", "not_money");
    checks.done()?;
    let input = DescribeMatter {
        responsible_seat_id: fields.optional("responsible_seat_id")?,
        budget_fen: budget.flatten(),
        budget_source: fields.given("budget_source").map(str::to_owned),
        media: sent.media(),
    };
    let describe = app.once(clerk.actor.clone(), fields.key(), "describe_matter", (id, input), |tx, actor, input| {
        Box::pin(describe_matter(tx, actor, input))
    });
    describe.await.map(drop)
}

async fn run(app: &App, clerk: &Clerk, id: MatterId, (form, fields): (&str, &Fields)) -> Result<()> {
    let area = area_of(app.store.read(), id).await?;
    match form {
        "survey" => sheets::open(app, clerk, (id.0, area), (Purpose::Survey, fields)).await,
        "visit" => sheets::open(app, clerk, (id.0, area), (Purpose::Visit, fields)).await,
        "rating" => sheets::open(app, clerk, (id.0, area), (Purpose::Rating, fields)).await,
        "call" => meetings::call(app, clerk, (area, Some(id)), fields).await,
        "publish" => notices::publish(app, clerk, (area, Some(id)), fields).await.map(drop),
        "opinion" => opinion(app, clerk, id, fields).await,
        "legality" => legality(app, clerk, id, fields).await,
        "alternative" => alternative(app, clerk, id, fields).await,
        "invite" => ask(app, clerk, id, fields).await,
        "reserved" => reserved(app, clerk, id, fields).await,
        "vote" => vote(app, clerk, id, fields).await,
        "task" => task(app, clerk, (id, area), fields).await,
        "report" => report(app, clerk, id, fields).await,
        "plan" => plan(app, clerk, id, fields).await,
        "halt" => hold_up(app, clerk, id, fields).await,
        "lift" => let_go(app, clerk, id, fields).await,
        "advance" => move_on(app, clerk, id, fields).await,
        "return" => send_back(app, clerk, id, fields).await,
        "skip" => leave_out(app, clerk, id, fields).await,
        "withdraw" => take_back(app, clerk, id, fields).await,
        _ => Err(Code::NotFound.into()),
    }
}

async fn opinion(app: &App, clerk: &Clerk, id: MatterId, fields: &Fields) -> Result<()> {
    let agree: String = fields.required("agree")?;
    let input = (id, GiveOpinion { agree: agree == "yes", text: fields.text("text").to_owned() });
    let opinion = app.once(clerk.actor.clone(), fields.key(), "give_opinion", input, |tx, actor, input| {
        Box::pin(give_opinion(tx, actor, input))
    });
    opinion.await.map(drop)
}

async fn legality(app: &App, clerk: &Clerk, id: MatterId, fields: &Fields) -> Result<()> {
    let lawful: String = fields.required("lawful")?;
    let input = (id, NoteLegality { is_lawful: lawful == "yes", text: fields.text("text").to_owned() });
    let note = app.once(clerk.actor.clone(), fields.key(), "note_legality", input, |tx, actor, input| {
        Box::pin(note_legality(tx, actor, input))
    });
    note.await.map(drop)
}

async fn alternative(app: &App, clerk: &Clerk, id: MatterId, fields: &Fields) -> Result<()> {
    let taken: String = fields.required("taken")?;
    let input = AnswerAlternative {
        seq: fields.required("seq")?,
        is_taken: taken == "yes",
        text: fields.text("text").to_owned(),
    };
    let answer = app.once(clerk.actor.clone(), fields.key(), "answer_alternative", (id, input), |tx, actor, input| {
        Box::pin(answer_alternative(tx, actor, input))
    });
    answer.await.map(drop)
}

async fn ask(app: &App, clerk: &Clerk, id: MatterId, fields: &Fields) -> Result<()> {
    let body_ids = fields.all("body_ids").filter_map(|id| id.parse().ok()).collect();
    let (actor, input) = (clerk.actor.clone(), InviteBodies { body_ids, due_on: fields.required("due_on")? });
    let ask = app.store.write(move |tx| Box::pin(async move { invite(tx, &actor, (id, input)).await }));
    ask.await.map(drop)
}

async fn reserved(app: &App, clerk: &Clerk, id: MatterId, fields: &Fields) -> Result<()> {
    let input = (id, MarkReserved { item: fields.choice("item")?, reason: fields.text("reason").to_owned() });
    let mark = app.once(clerk.actor.clone(), fields.key(), "mark_reserved", input, |tx, actor, input| {
        Box::pin(mark_reserved(tx, actor, input))
    });
    mark.await.map(drop)
}

async fn vote(app: &App, clerk: &Clerk, id: MatterId, fields: &Fields) -> Result<()> {
    let input = agenda::asked(fields, (Some(id), fields.optional("meeting_id")?))?;
    agenda::open(app, clerk, input, fields).await
}

async fn task(app: &App, clerk: &Clerk, (id, area_code): (MatterId, String), fields: &Fields) -> Result<()> {
    let input = GiveTask {
        area_code,
        matter_id: Some(id),
        owner_id: fields.required("owner_id")?,
        title: fields.text("title").to_owned(),
        working_days: None,
        due_on: Some(fields.required("due_on")?),
    };
    let give = app.once(clerk.actor.clone(), fields.key(), "give_task", input, |tx, actor, input| {
        Box::pin(give(tx, actor, input))
    });
    give.await.map(drop)
}

async fn report(app: &App, clerk: &Clerk, id: MatterId, fields: &Fields) -> Result<()> {
    let input = (id, WriteReport { text: fields.text("text").to_owned() });
    let report = app.once(clerk.actor.clone(), fields.key(), "write_report", input, |tx, actor, input| {
        Box::pin(write_report(tx, actor, input))
    });
    report.await.map(drop)
}

async fn plan(app: &App, clerk: &Clerk, id: MatterId, fields: &Fields) -> Result<()> {
    let input = WritePlan {
        version: fields.optional("version")?.unwrap_or_default(),
        text: fields.text("text").replace("\r\n", "\n"),
        reason: fields.given("reason").map(str::to_owned),
    };
    let write = app.once(clerk.actor.clone(), fields.key(), "write_plan", (id, input), |tx, actor, input| {
        Box::pin(write_plan(tx, actor, input))
    });
    write.await.map(drop)
}

async fn hold_up(app: &App, clerk: &Clerk, id: MatterId, fields: &Fields) -> Result<()> {
    let input = (id, HaltMatter { days: fields.required("days")?, reason: fields.text("reason").to_owned() });
    let halt = app.once(clerk.actor.clone(), fields.key(), "halt_matter", input, |tx, actor, input| {
        Box::pin(halt(tx, actor, input))
    });
    halt.await.map(drop)
}

async fn let_go(app: &App, clerk: &Clerk, id: MatterId, fields: &Fields) -> Result<()> {
    let input = (id, LiftHalt { reason: fields.text("reason").to_owned() });
    let lift = app.once(clerk.actor.clone(), fields.key(), "lift_halt", input, |tx, actor, input| {
        Box::pin(lift_halt(tx, actor, input))
    });
    lift.await.map(drop)
}

async fn move_on(app: &App, clerk: &Clerk, id: MatterId, fields: &Fields) -> Result<()> {
    let input = (id, AdvanceMatter { rev: fields.optional("rev")? });
    let advance = app.once(clerk.actor.clone(), fields.key(), "advance_matter", input, |tx, actor, input| {
        Box::pin(advance(tx, actor, input))
    });
    advance.await.map(drop)
}

async fn send_back(app: &App, clerk: &Clerk, id: MatterId, fields: &Fields) -> Result<()> {
    let (reason, rev) = (fields.text("reason").to_owned(), fields.optional("rev")?);
    let input = (id, ReturnMatter { to: fields.choice("to")?, reason, rev });
    let back = app.once(clerk.actor.clone(), fields.key(), "return_matter", input, |tx, actor, input| {
        Box::pin(return_to(tx, actor, input))
    });
    back.await.map(drop)
}

async fn leave_out(app: &App, clerk: &Clerk, id: MatterId, fields: &Fields) -> Result<()> {
    let input = SkipStage {
        stage: fields.choice("stage")?,
        authority: fields.text("authority").to_owned(),
        reason: fields.text("reason").to_owned(),
        rev: fields.optional("rev")?,
    };
    let skip = app.once(clerk.actor.clone(), fields.key(), "skip_stage", (id, input), |tx, actor, input| {
        Box::pin(skip(tx, actor, input))
    });
    skip.await.map(drop)
}

async fn take_back(app: &App, clerk: &Clerk, id: MatterId, fields: &Fields) -> Result<()> {
    let input = WithdrawMatter {
        reason: fields.text("reason").to_owned(),
        merged_into: fields.optional("merged_into")?,
        rev: fields.optional("rev")?,
    };
    let withdraw = app.once(clerk.actor.clone(), fields.key(), "withdraw_matter", (id, input), |tx, actor, input| {
        Box::pin(withdraw(tx, actor, input))
    });
    withdraw.await.map(drop)
}
