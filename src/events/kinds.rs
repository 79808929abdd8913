//! Every kind of event, in one table: what the log may say.

/// Declares the kinds with their stable names.
macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident $text:literal,)+) => {
        /// What happened. Names are stable: they are in the chain for ever.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Kind { $($(#[$doc])* $name),+ }

        impl Kind {
            /// All kinds.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The stable name.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text),+ }
            }

            /// The kind of this name.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$name),)+ _ => None }
            }
        }
    };
}

kinds! {
    /// A roster was imported; data: counts and the file's digest.
    RosterImported "roster.imported",
    /// A roster or a register gave identity numbers that the county knows under another name, or of people of another roster; data:
    /// area, count, whose they are (fifty at most), body, refused. For the county.
    NumberDisputed "number.disputed",
    /// A body was founded.
    BodyFounded "body.founded",
    /// A term was opened; data: body.
    TermOpened "term.opened",
    /// A term ended before its time, because the body was elected anew; data: body, vote.
    TermEnded "term.ended",
    /// A person took a seat; data: body, person.
    SeatTaken "seat.taken",
    /// A seat ended; data: body, person.
    SeatEnded "seat.ended",
    /// The number of its registration was written down, its form, its grant, its charter, or the service group of a seat; data:
    /// which of these.
    BodyRegistered "body.registered",
    /// Where somebody of a body listens, when, or who is there was said anew; data: which of these.
    RoomChanged "room.changed",
    /// Somebody was recommended for a council, who is not named; data: body.
    RecommendationMade "recommendation.made",
    /// It was checked, or the seat was filled or not; data: body, outcome.
    RecommendationDecided "recommendation.decided",
    /// It was taken back by who made it; data: body.
    RecommendationWithdrawn "recommendation.withdrawn",
    /// What a council did was written down; data: body.
    ServiceRecorded "service.recorded",
    /// It was taken back; data: body.
    ServiceWithdrawn "service.withdrawn",
    /// The days of the election that follows a term were drafted; data: body.
    ElectionDrafted "election.drafted",
    /// They were moved, or a step was said to be done; data: body.
    ElectionChanged "election.changed",
    /// A mandate was recorded; data: from, to, scope.
    MandateGiven "mandate.given",
    /// It was ended before its time; data: the same.
    MandateEnded "mandate.ended",
    /// Somebody was entered as belonging to a body without a seat; data: count, of a register which of its changes. Never whom.
    MemberEntered "member.entered",
    /// And is not any more; data: the same.
    MemberStruck "member.struck",
    /// Somebody's speaking in public was suspended; data: body, person, until.
    SpeakingSuspended "speaking.suspended",
    /// A suspension was lifted before its time; data: body, person.
    SpeakingRestored "speaking.restored",
    /// Messages in a conversation are looked at first, or no longer; data: on.
    ReviewChanged "review.changed",
    /// A message waits until somebody has looked at it; data: stream, reason.
    MessageHeld "message.held",
    /// It was shown; data: stream, seq.
    MessageApproved "message.approved",
    /// It was refused; data: stream.
    MessageRefused "message.refused",
    /// Its author objected; data: stream.
    MessageAppealed "message.appealed",
    /// Another person decided about the appeal; data: stream, outcome.
    MessageAppealDecided "message.appeal_decided",
    /// Somebody signed in; data: session.
    SignedIn "session.started",
    /// A log-in ended; data: why.
    SessionEnded "session.ended",
    /// Somebody set up the password and the second factor of the desk; data: none.
    DeskPasswordSet "desk_password.set",
    /// Somebody asked for a phone to be bound to a person; data: how, person.
    ClaimAsked "claim.asked",
    /// It was approved, and the phone is bound; data: how, person.
    ClaimApproved "claim.approved",
    /// It was refused, or nobody decided in time; data: how, person, why.
    ClaimRefused "claim.refused",
    /// An account of WeChat was bound to a person; data: app.
    WechatBound "wechat.bound",
    /// And is not any more; data: why.
    WechatUnbound "wechat.unbound",
    /// Somebody gave or withdrew a consent; data: purpose, given.
    ConsentChanged "consent.changed",
    /// Somebody asked for something to be put right; data: field.
    CorrectionAsked "correction.asked",
    /// The office decided about it; data: field, state.
    CorrectionDecided "correction.decided",
    /// Somebody wants the account closed; data: none.
    ClosingAsked "account.closing_asked",
    /// And does not want it any more, or cannot; data: why.
    ClosingEnded "account.closing_ended",
    /// The account was closed and its keys destroyed; data: how many voices and files became unreadable.
    AccountClosed "account.closed",
    /// A voice was left; data: body.
    SuggestionSubmitted "suggestion.submitted",
    /// It was accepted; data: body.
    SuggestionAccepted "suggestion.accepted",
    /// Somebody was given it; data: person.
    SuggestionAssigned "suggestion.assigned",
    /// It was answered.
    SuggestionAnswered "suggestion.answered",
    /// A clip says the answer, in place of the one before; data: answer.
    AnswerSpoken "suggestion.answer_spoken",
    /// Its author rated the answer, or said what it is worth when called back; data: rating, rated_answer, reopened,
    /// escalated, called_back.
    SuggestionRated "suggestion.rated",
    /// Its author took it back: nobody is to deal with it any more; data: body.
    SuggestionWithdrawn "suggestion.withdrawn",
    /// It joined a matter; data: matter.
    SuggestionJoined "suggestion.joined",
    /// A handler opened a voice that is not public, or its author one that was taken down; data: the day.
    SuggestionRead "suggestion.read",
    /// Somebody of the county opened a voice that is not public, with a reason; data: the day.
    SuggestionInspected "suggestion.inspected",
    /// A deadline of a voice passed; data: which, and of which body.
    SuggestionOverdue "suggestion.overdue",
    /// Somebody says that it is theirs, too, or no longer.
    SuggestionCosigned "suggestion.cosigned",
    /// Those who stand behind it are as many as the law asks for to call a meeting; data: threshold.
    SuggestionThreshold "suggestion.threshold_reached",
    /// A deadline is near.
    SuggestionDueSoon "suggestion.due_soon",
    /// It presses, and who is to take it is told at once; data: body, unless it is about somebody.
    SuggestionPressing "suggestion.pressing",
    /// It was called urgent, and whoever answers it made it ordinary; data: body, office.
    SuggestionMadeOrdinary "suggestion.made_ordinary",
    /// It is late and an office above is told to see to it.
    SuggestionSupervised "suggestion.supervised",
    /// It was not solved twice, and the next office up is responsible.
    SuggestionEscalated "suggestion.escalated",
    /// A village's own rules allow a path; data: template, body.
    CharterAdopted "charter.adopted",
    /// And do not any more; data: template, body.
    CharterEnded "charter.ended",
    /// The assembly let its representatives decide one of the reserved items; data: item, until, body.
    AuthorisationRecorded "authorisation.recorded",
    /// And does not any more; data: item, body.
    AuthorisationEnded "authorisation.ended",
    /// Another body was asked for its part; data: assist, to.
    SuggestionAssistAsked "suggestion.assist_asked",
    /// It said what it did; data: assist, to.
    SuggestionAssistGiven "suggestion.assist_given",
    /// The voice was answered before it said anything; data: assist, to.
    SuggestionAssistEnded "suggestion.assist_ended",
    /// A public voice, or its photos and its clip alone (`media`), are hidden, by a body or until somebody has looked (`held`);
    /// data: body, held, media.
    SuggestionHidden "suggestion.hidden",
    /// Everybody in the village sees it again, or its photos and its clip; data: whether an office that was asked said so, media.
    SuggestionShown "suggestion.shown",
    /// Its author objects to its being hidden; data: office.
    SuggestionHidingAppealed "suggestion.hiding_appealed",
    /// The office that was asked leaves it hidden; data: office, media.
    SuggestionHidingUpheld "suggestion.hiding_upheld",
    /// More days were asked for; data: extension, office.
    SuggestionExtensionAsked "suggestion.extension_asked",
    /// The office above gave them; data: extension, office.
    SuggestionExtended "suggestion.extended",
    /// It did not; data: extension, office.
    SuggestionExtensionRefused "suggestion.extension_refused",
    /// The county says who answers what is about something in an area; data: category, body.
    SuggestionRouteChanged "suggestion.route_changed",
    /// Photos and clips of public voices of an area are looked at first, or no longer; data: on.
    SuggestionMediaReviewChanged "suggestion.media_review_changed",
    /// The body responsible wants to pass it on; it stays responsible until the other takes it; data: referral, to.
    SuggestionReferralOffered "suggestion.referral_offered",
    /// The other took it and is responsible from now on; data: referral, from, to.
    SuggestionReferred "suggestion.referred",
    /// The other did not take it and named who should; data: referral, to, next.
    SuggestionReferralRefused "suggestion.referral_refused",
    /// The body responsible keeps it after all; data: referral, to.
    SuggestionReferralEnded "suggestion.referral_ended",
    /// A matter was raised.
    MatterRaised "matter.raised",
    /// A piece of evidence was attached; data: stage, kind.
    EvidenceAttached "matter.evidence_attached",
    /// A matter entered a stage; data: stage, from, why.
    StageEntered "matter.stage_entered",
    /// A stage was skipped; data: stage, authority.
    StageSkipped "matter.stage_skipped",
    /// The plan of a matter has a new version; data: version, body.
    PlanWritten "matter.plan_written",
    /// The supervision committee holds up a step; data: stage, ordinal, until, body.
    MatterHalted "matter.halted",
    /// It goes on; data: stage, ordinal, lifted.
    MatterHaltEnded "matter.halt_ended",
    /// A body was invited by name to deliberate a matter; data: body, ordinal, until.
    BodyInvited "matter.body_invited",
    /// Who leads it declined, with a reason that stands at the matter; data: body, ordinal.
    InvitationDeclined "matter.invitation_declined",
    /// Households were drawn for call-back visits; data: form, count.
    SampleDrawn "matter.sample_drawn",
    /// A matter left the path: withdrawn, not passed; data: state.
    MatterEnded "matter.ended",
    /// A matter that was taken back goes on in another; data: into.
    MatterMerged "matter.merged",
    /// A matter was evaluated and closed.
    MatterClosed "matter.closed",
    /// A stage's due date passed; data: stage.
    StageOverdue "matter.stage_overdue",
    /// A form was opened; data: purpose, subject.
    FormOpened "form.opened",
    /// A form was closed; data: purpose, subject, answers.
    FormClosed "form.closed",
    /// Somebody's answer on paper was typed in, or a visit was written down; data: person.
    AnswerTyped "form.answer_typed",
    /// A second person typed in the same, and it counts; data: person, first.
    AnswerChecked "form.answer_checked",
    /// A meeting was called; data: matter.
    MeetingCalled "meeting.called",
    /// A meeting was held and its minutes were taken; data: matter, present.
    MeetingHeld "meeting.held",
    /// Somebody came on the list of a meeting or left it after it was called; data: matter, body, number. Never whom.
    MeetingListChanged "meeting.list_changed",
    /// A meeting was called off; data: matter.
    MeetingCancelled "meeting.cancelled",
    /// A notice was published; data: version, matter.
    NoticePublished "notice.published",
    /// A notice was changed; its period starts again; data: version, matter.
    NoticeRevised "notice.revised",
    /// A notice was withdrawn; data: matter.
    NoticeWithdrawn "notice.withdrawn",
    /// The period of a notice is over and every objection is answered; data: matter.
    NoticeConcluded "notice.concluded",
    /// The period of a notice is over, but objections are not answered; data: matter.
    NoticeHeldUp "notice.held_up",
    /// Who was asked to confirm a notice and has not is to be reminded; data: version, step.
    NoticeReminderDue "notice.reminder_due",
    /// Somebody confirmed a notice for somebody else; data: version, person, via.
    NoticeConfirmedFor "notice.confirmed_for",
    /// Such a confirmation was taken back; data: version, person, via, by.
    NoticeConfirmationUndone "notice.confirmation_undone",
    /// Somebody was told at the door of a meeting's call or of a vote; data: about, person.
    DoorTold "door.told",
    /// That was taken back; data: about, person, by.
    DoorTakenBack "door.taken_back",
    /// A second person let the script of an emergency go to the loudspeaker by night; data: area.
    BroadcastReleased "notice.broadcast_released",
    /// Somebody objected; data: notice.
    ObjectionRaised "objection.raised",
    /// An objection was answered; data: notice.
    ObjectionAnswered "objection.answered",
    /// One that somebody wrote down for another was withdrawn; data: notice, matter.
    ObjectionWithdrawn "objection.withdrawn",
    /// A clip says a notice, a vote, a matter or a form aloud; data: about, version, media, machine.
    ClipRecorded "clip.recorded",
    /// It was taken away; data: about, version.
    ClipRemoved "clip.removed",
    /// A vote was opened and its roll frozen; data: matter, preset, count.
    VoteOpened "vote.opened",
    /// The roll of a vote was posted before its opening; data: matter, count, until when.
    RollPosted "vote.roll_posted",
    /// The fingerprint of the board of an open vote was told, every evening; data: entries, fingerprint.
    BoardShown "vote.board_shown",
    /// Somebody objected to a roll; data: vote, kind.
    RollObjected "vote.roll_objected",
    /// The office did not decide it in its days, and others may; data: vote.
    RollObjectionPassedOn "vote.roll_objection_passed_on",
    /// The office decided about it, two people of it, or nobody did in time; data: vote, outcome.
    RollObjectionDecided "vote.roll_objection_decided",
    /// An elector was added to a frozen roll or struck from it; data: op, number, person.
    RollAmended "vote.roll_amended",
    /// A vote closes within a day; data: none.
    VoteClosingSoon "vote.closing_soon",
    /// A vote was closed and counted, or annulled; data: matter, outcome.
    VoteClosed "vote.closed",
    /// A vote that came out of a backup goes on, because its board is the one that was published last; data: entries, fingerprint.
    VoteConfirmed "vote.restored_confirmed",
    /// A sheet of paper was handed out; data: number, serial, person.
    SheetIssued "vote.sheet_issued",
    /// It is in no box; data: number, serial, outcome, person.
    SheetEnded "vote.sheet_ended",
    /// A vote is over and its paper waits to be counted; data: none.
    PaperWaits "vote.paper_waits",
    /// Two people replaced somebody who was to count a box; data: box.
    CounterReplaced "vote.counter_replaced",
    /// What was in the boxes was signed; data: issued, counted.
    PaperSigned "vote.paper_signed",
    /// A result stands, or was overturned; data: matter, settlement.
    VoteSettled "vote.settled",
    /// An elector challenged a result; data: vote.
    VoteChallenged "vote.challenged",
    /// The office did not answer it in its days, and others may; data: vote.
    ChallengePassedOn "vote.challenge_passed_on",
    /// It was answered, or nobody answered it in time; data: vote, outcome.
    ChallengeAnswered "vote.challenge_answered",
    /// A secret vote is over and waits for two of its three keys.
    VoteBoxClosed "vote.box_closed",
    /// An elector named a proxy; data: number, elector, agent.
    ProxyNamed "vote.proxy_named",
    /// A second person checked it, and it is published; data: number, elector, agent.
    ProxyChecked "vote.proxy_checked",
    /// It holds no more; data: number, elector, agent, why.
    ProxyEnded "vote.proxy_ended",
    /// Somebody cast for another, who is told; data: number, person, how.
    VoteCastFor "vote.cast_for",
    /// A household named who casts for it; data: none.
    HouseholdAgentsNamed "household.agents_named",
    /// A task was given; data: matter, owner.
    TaskGiven "task.given",
    /// A task was done, with proof; data: matter.
    TaskDone "task.done",
    /// A task was put off; data: matter, owner, number, until.
    TaskDelayed "task.delayed",
    /// Money was set aside or spent for a task, or such a line was reversed; data: matter, owner, kind, line.
    TaskMoneyNoted "task.money_noted",
    /// A task is overdue; data: matter.
    TaskOverdue "task.overdue",
    /// A contract was sent to the legal officers; data: body, matter.
    ContractReviewAsked "contract.review_asked",
    /// Nobody said in time what is to be said of it; data: body, matter.
    ContractOverdue "contract.overdue",
    /// One of them said what is to be said of it; data: body, matter, outcome.
    ContractReviewed "contract.reviewed",
    /// Another leads a joint meeting; data: person.
    JointChairChanged "joint.chair_changed",
    /// A matter was put on its agenda; data: matter.
    JointItemProposed "joint.item_proposed",
    /// A matter was taken off its agenda; data: matter.
    JointItemWithdrawn "joint.item_withdrawn",
    /// What it carried became tasks in villages; data: meeting, number.
    JointTasksGiven "joint.tasks_given",
    /// Somebody said what one can do, or for what it may be found; data: none.
    SkillsChanged "skills.changed",
    /// A need was posted; data: body.
    NeedPosted "need.posted",
    /// Somebody took it; data: body, person.
    NeedTaken "need.taken",
    /// It was given back, done or withdrawn; data: body, person, outcome.
    NeedEnded "need.ended",
    /// Everything was restored from a backup; data: events in it, log-ins ended.
    Restored "log.restored",
    /// A webhook was set up or removed; data: area.
    WebhookChanged "webhook.changed",
    /// Somebody wants to see whether a webhook is reached: it alone is told of it.
    WebhookTested "webhook.tested",
    /// Somebody of the county had failed work done again; data: which.
    WorkRedriven "work.redriven",
}
