//! 事项: a public item on its way through the six stages 提 谋 亮 审 定 评.
//!
//! Always true: a stage is left only with its evidence, or skipped by somebody's named authority with a reason that
//! everybody sees; publicity, decision and evaluation are never skipped; of two moves at once exactly one is made; a matter
//! keeps the version of the template it began with; evidence counts only for the stay in which it came about, so a matter
//! sent back needs it anew (an answer to another way of doing it is given once, and stands); while a vote about it is open nothing but the result moves it; voices join a matter and stay
//! whole; the text of a matter does not change once it is raised; the short path is only for what the village's own rules
//! allow, and never for what the law reserves to the assembly, which needs a legal officer's note (one that finds any matter unlawful
//! is overridden only as any stage is skipped: by name, with a reason, for everybody to see) and which the representatives
//! decide only where the assembly let them, for that item and that long; a village's own path never lacks being raised,
//! published and evaluated; a plan is never changed, only followed by its next version, and not while it hangs out; the
//! supervision committee holds up a stay once, three days at most, and never a vote that is open; which households are visited
//! is drawn, not chosen; what it may cost is fixed with the plan, and whoever changes that or the seat that answers for it does
//! so by name; bodies are invited by name to deliberate, and who sits in one from elsewhere, also since later, speaks in the
//! discussion for as long as that stage lasts, the seat is held and nobody who leads the body declined; one that goes on in another takes its voices
//! along, whole, and what was done in it stays.
//! Tables owned: `templates`, `charters`, `authorisations`, `matters`, `stage_records`, `evidences`, `halts`, `plans`,
//! `invitations`. Events recorded: `charter.adopted`, `charter.ended`, `authorisation.recorded`, `authorisation.ended`, `matter.raised`,
//! `matter.evidence_attached`, `matter.plan_written`, `matter.sample_drawn`, `matter.halted`, `matter.halt_ended`,
//! `matter.body_invited`, `matter.invitation_declined`, `matter.stage_entered`, `matter.stage_skipped`,
//! `matter.stage_overdue`, `matter.ended`, `matter.merged`, `matter.closed`.
//!
//! # Why
//! The gate asks the forms, meetings, notices and tasks themselves, not the evidence rows: those follow by reactions, and
//! a clerk who closes a survey may go on at once. The rows are the lasting record of what was there.
//! Votes stand above matters: a vote tells its matter that it is open and how it ended, both as evidence of the decide
//! stage; matters know nothing else of it.
pub mod commands;
mod http;
pub mod queries;
mod reactions;
mod rows;
pub mod rules;

pub use self::{
    commands::{
        AdoptCharter, AdvanceMatter, AnswerAlternative, DeclineInvitation, DescribeMatter, DrawSample, GiveOpinion,
        HaltMatter, InviteBodies, JoinSuggestion, LiftHalt, MarkReserved, NoteLegality, RaiseMatter,
        RecordAuthorisation, ReturnMatter, SkipStage, Verdict, WithdrawMatter, WritePlan, WriteReport,
    },
    http::routes,
    queries::{
        ActorView, AuthorisationView, Budget, CharterView, EvidenceView, HaltView, InvitationView, MatterSummary,
        MatterView, MattersQuery, PathStage, PlanView, Reserved, Responsible, StageState, StageView, Voice, Voices,
    },
    reactions::{REACTIONS, tell, tell_followers},
    rules::{
        ReservedItem, Stage, State, TemplateKey,
        changes::{Change, Fate},
        gate::Missing,
        own::{OwnPath, OwnStage},
    },
};
