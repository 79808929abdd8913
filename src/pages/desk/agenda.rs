//! Votes from a form of the desk: about a matter, or of a meeting's own agenda, such as the election of a council's chair.
use super::{
    callers::holds,
    frame::{Clerk, moment_of},
    meetings::is_coming,
};
use crate::{
    app::App,
    bodies::{Right, SeatView},
    error::{Checks, Result},
    ids::{MatterId, MeetingId},
    meetings::{
        Audience, MeetingView,
        queries::{list, meetings_of},
    },
    page::PageQuery,
    pages::fields::Fields,
    votes::{
        OpenVote, PresetView, Secrecy, VoteView,
        commands::open_vote,
        queries::{committee, has_charter, is_inside, is_of_kind, is_recall, is_selection, presets, votes_at},
        rules::{self, CharterRule, CollectiveItem, MobileBox, MobileBoxes, RecallPetition},
    },
};

/// Of the meetings of an area, those that begin last.
const NEWEST: u64 = 100;
/// What is chosen in the form when nobody has chosen which share must agree.
const FIRST_SHARE: &str = "P>1/2";
/// The charter says that however few may decide.
const ANY_NUMBER: &str = "any";

/// The votes of a meeting, and the rules by which the clerk may open another.
pub(super) struct Agenda {
    pub(super) votes: Vec<VoteView>,
    pub(super) presets: Vec<PresetView>,
    /// Whom a recall may be about; nobody where none may be opened.
    pub(super) recallable: Vec<SeatView>,
}

impl Agenda {
    pub(super) async fn of(app: &App, clerk: &Clerk, meeting: &MeetingView) -> Result<Self> {
        let (db, presets) = (app.store.read(), fitting(clerk, meeting));
        let recallable = match presets.iter().any(|one| is_recall(&one.id)) {
            true => committee(db, &meeting.area_code, app.now()).await?,
            false => Vec::new(),
        };
        Ok(Self { votes: votes_at(db, meeting.id).await?, presets, recallable })
    }
}

/// Those that need no matter: inside a council or the collective, an election or a recall of the village committee, or the choice
/// of representatives.
fn fitting(clerk: &Clerk, meeting: &MeetingView) -> Vec<PresetView> {
    if meeting.matter_id.is_some() || !is_coming(meeting) {
        return Vec::new();
    }
    let all = presets().into_iter().filter(|one| one.is_votable);
    match meeting.audience {
        Audience::Members if holds(clerk, meeting.body_id, &meeting.area_code) => {
            let own = clerk.actor.seats.iter().find(|seat| seat.body_id == meeting.body_id);
            let kind = own.map(|seat| seat.body_kind.as_str()).unwrap_or_default();
            // of the bodies that vote by a charter councils alone
            let is_council = meeting.business.is_some();
            all.filter(|one| is_of_kind(&one.id, kind) && (is_council || !has_charter(&one.id))).collect()
        }
        Audience::Villagers if clerk.may(Right::OpenVote, &meeting.area_code) => {
            all.filter(|one| one.preset.paper_required || is_recall(&one.id) || is_selection(&one.id)).collect()
        }
        Audience::Group if clerk.may(Right::OpenVote, &meeting.area_code) => {
            all.filter(|one| is_selection(&one.id)).collect()
        }
        _ => Vec::new(),
    }
}

/// Meetings to come to which another vote in the place of this one may belong: about the same matter, or of the same body's
/// or village's own agenda.
///
/// # Errors
/// When the database cannot be read.
pub(super) async fn coming_for(app: &App, vote: &VoteView) -> Result<Vec<MeetingView>> {
    let db = app.store.read();
    let found = match vote.matter_id {
        Some(matter) => meetings_of(db, (matter, &vote.area_code)).await?,
        None => list(db, &vote.area_code, &PageQuery { limit: Some(NEWEST), ..PageQuery::default() }).await?.items,
    };
    let is_inside = is_inside(&vote.preset);
    let fits = |meeting: &MeetingView| {
        let is_ours = meeting.matter_id == vote.matter_id && (!is_inside || meeting.body_id == vote.body_id);
        is_ours && meeting.group_number == vote.group_number && is_coming(meeting)
    };
    Ok(found.into_iter().filter(fits).collect())
}

/// What the form asks.
pub(super) fn asked(
    fields: &Fields,
    (matter_id, meeting_id): (Option<MatterId>, Option<MeetingId>),
) -> Result<OpenVote> {
    let options = fields.text("options").lines().map(str::trim).filter(|line| !line.is_empty());
    Ok(OpenVote {
        matter_id,
        question: fields.text("question").to_owned(),
        options: options.map(str::to_owned).collect(),
        max_choices: fields.optional("max_choices")?,
        seats: fields.optional("seats")?,
        parent_vote_id: None,
        group_number: fields.optional("group_number")?,
        households: households(fields),
        has_paper: fields.text("has_paper") == "yes",
        challenge_days: fields.optional("challenge_days")?,
        roll_days: fields.optional("roll_days")?,
        preset: fields.required("preset")?,
        secrecy: if fields.given("secrecy").is_some() { fields.choice("secrecy")? } else { Secrecy::Open },
        allows_revote: fields.text("allows_revote") == "yes",
        closes_at: moment_of(fields, "closes_at")?,
        meeting_id,
        by_charter: by_charter(fields)?,
        collective_item: collective_item(fields)?,
        recall: recall(fields)?,
        mobile: mobile(fields)?,
    })
}

/// What the charter says, where the form names its article or asks for other shares than it begins with: those without an
/// article are refused, and not left out of a vote that nobody can change any more.
fn by_charter(fields: &Fields) -> Result<Option<CharterRule>> {
    let is_changed = fields.given("by_charter.quorum").is_some()
        || fields.given("by_charter.passing").is_some_and(|share| share != FIRST_SHARE);
    let article = fields.text("by_charter.article").trim();
    if article.is_empty() && !is_changed {
        return Ok(None);
    }
    let quorum = match fields.given("by_charter.quorum") {
        // a charter that speaks of the majority alone takes no quorum away
        None => rules::preset(fields.text("preset")).and_then(|preset| preset.quorum),
        Some(ANY_NUMBER) => None,
        Some(_) => fields.optional("by_charter.quorum")?,
    };
    Ok(Some(CharterRule { article: article.to_owned(), quorum, passing: fields.required("by_charter.passing")? }))
}

/// Which item of article 26 the form names.
fn collective_item(fields: &Fields) -> Result<Option<CollectiveItem>> {
    let number: Option<u8> = fields.optional("collective_item.number")?;
    let discussed = fields.text("collective_item.discussed").to_owned();
    Ok(number.map(|number| CollectiveItem { number, discussed }))
}

/// The numbers stand in the form with anything between them that is no part of one.
fn households(fields: &Fields) -> Vec<String> {
    let numbers = fields.text("households").split(|c: char| c.is_whitespace() || ",，、;；".contains(c));
    numbers.filter(|number| !number.is_empty()).map(str::to_owned).collect()
}

/// Who asked for the recall, where the form names whom.
fn recall(fields: &Fields) -> Result<Option<RecallPetition>> {
    let Some(member_id) = fields.optional("recall.member_id")? else { return Ok(None) };
    Ok(Some(RecallPetition {
        member_id,
        signed_by: fields.choice("recall.signed_by")?,
        signatures: fields.required("recall.signatures")?,
        received_on: fields.required("recall.received_on")?,
        cause: fields.text("recall.cause").to_owned(),
        defence: fields.text("recall.defence").to_owned(),
        differs: fields.given("recall.differs").map(str::to_owned),
    }))
}

/// Which boxes are carried, one a line: its number, then the names of those who go with it.
fn mobile(fields: &Fields) -> Result<Option<MobileBoxes>> {
    let lines = fields.text("mobile.boxes").lines().map(str::trim).filter(|line| !line.is_empty());
    let boxes: Option<Vec<MobileBox>> = lines.map(carried).collect();
    let Some(boxes) = boxes else {
        let mut checks = Checks::default();
        checks.wrong("mobile.boxes", "mobile_line");
        return checks.done().map(|()| None);
    };
    let approved = fields.text("mobile.approved").to_owned();
    Ok((!boxes.is_empty()).then_some(MobileBoxes { approved, boxes }))
}

fn carried(line: &str) -> Option<MobileBox> {
    let mut words = line.split_whitespace();
    let number = words.next()?.parse().ok()?;
    Some(MobileBox { number, watchers: words.map(str::to_owned).collect() })
}

/// Opens it.
pub(super) async fn open(app: &App, clerk: &Clerk, input: OpenVote, fields: &Fields) -> Result<()> {
    let open = app.once(clerk.actor.clone(), fields.key(), "open_vote", input, |tx, actor, input| {
        Box::pin(open_vote(tx, actor, input))
    });
    open.await.map(drop)
}
