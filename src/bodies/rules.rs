//! What a body may be, who may sit in it, and what excludes what: pure.
use chrono::{NaiveDate, TimeDelta};
use sea_orm::{DeriveActiveEnum, EnumIter, sea_query::StringLen};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{actor::covers, areas::Level, calendar::Calendar};

/// What a mandate can be given for.
pub const MANDATE_SCOPES: &[&str] = &["publish_notice"];

/// Declares an open word: an enum whose names are stable in JSON, in the table and in sentences' keys.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$word:meta])* $variant:ident $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema, EnumIter, DeriveActiveEnum)]
        #[sea_orm(rs_type = "String", db_type = "String(StringLen::None)")]
        #[serde(rename_all = "snake_case")]
        pub enum $name {
            $($(#[$word])* #[serde(rename = $text)] #[sea_orm(string_value = $text)] $variant),+
        }

        impl $name {
            /// The stable word.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }
    };
}

words! {
    /// What kind of body.
    BodyKind {
        /// 县级主管部门
        CountyOffice "county_office",
        /// 乡镇政府、街道办事处
        TownOffice "town_office",
        /// 村民委员会、居民委员会
        VillageCommittee "village_committee",
        /// 党支部、党总支
        PartyBranch "party_branch",
        /// 村务监督委员会
        SupervisionCommittee "supervision_committee",
        /// 村民代表
        Representatives "representatives",
        /// 农村集体经济组织（村经济合作社）
        Collective "collective",
        /// 集体经济组织的成员代表
        CollectiveReps "collective_reps",
        /// 集体经济组织的理事会
        CollectiveBoard "collective_board",
        /// 乡贤参事会
        Council "council",
        /// 参事会联合会
        Federation "federation",
        /// 秘书长联席会议
        JointMeeting "joint_meeting",
        /// 幸福邻里中心运营方
        CentreOperator "centre_operator",
        /// 社会组织
        SocialOrganisation "social_organisation",
        /// 县级部门
        Department "department",
        /// 第三方评估机构
        Evaluator "evaluator",
    }
}

words! {
    /// For what a council stands together.
    BodyForm {
        /// 单村
        SingleVillage "single_village",
        /// 跨村联建
        JointVillages "joint_villages",
        /// 村企片区
        VillageEnterprise "village_enterprise",
        /// 农村社区
        RuralCommunity "rural_community",
    }
}

impl BodyForm {
    /// Can a body of this kind that covers so many areas have it? Of a council alone; one village is one, joined ones are several.
    #[must_use]
    pub fn fits(self, kind: BodyKind, areas: usize) -> bool {
        let is_so_many = match self {
            Self::SingleVillage => areas == 1,
            Self::JointVillages => areas > 1,
            Self::VillageEnterprise | Self::RuralCommunity => true,
        };
        kind == BodyKind::Council && is_so_many
    }
}

words! {
    /// One of the six functions of a council (六方面职能).
    CouncilFunction {
        /// 推进乡风文明
        Customs "customs",
        /// 带领帮扶致富
        Prosperity "prosperity",
        /// 助推农村发展
        Development "development",
        /// 提供决策咨询
        Advice "advice",
        /// 维护公序良俗
        Order "order",
        /// 了解村情民意
        Opinions "opinions",
    }
}

impl CouncilFunction {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Customs, Self::Prosperity, Self::Development, Self::Advice, Self::Order, Self::Opinions];
}

words! {
    /// What somebody is in a body.
    Role {
        /// 负责人
        Chair "chair",
        /// 副职
        ViceChair "vice_chair",
        /// 秘书长
        Secretary "secretary",
        /// 文书、工作人员
        Clerk "clerk",
        /// 成员
        Member "member",
        /// 网格员
        GridWorker "grid_worker",
        /// 法律顾问
        LegalOfficer "legal_officer",
        /// 社工
        SocialWorker "social_worker",
    }
}

words! {
    /// Where a council's member comes from.
    SeatKind {
        /// 本土
        Native "native",
        /// 外出
        Away "away",
        /// 外来
        Incoming "incoming",
    }
}

words! {
    /// How a council's member came to the seat.
    SeatRoute {
        /// 个人荐
        SelfNominated "self_nominated",
        /// 群众推
        Recommended "recommended",
        /// 组织选
        Selected "selected",
    }
}

words! {
    /// What became of a recommendation for a council.
    RecommendationState {
        /// 待审核
        Waiting "waiting",
        /// 审核通过
        Fit "fit",
        /// 审核没有通过
        Unfit "unfit",
        /// 已经任职
        Seated "seated",
        /// 没有选上
        NotElected "not_elected",
        /// 本人撤回
        Withdrawn "withdrawn",
    }
}

words! {
    /// Does a seat still stand?
    SeatState {
        /// It stands, within its days.
        Active "active",
        /// It was ended.
        Ended "ended",
    }
}

words! {
    /// A step of the election that follows a term.
    ElectionStep {
        /// 推荐报名
        Nominations "nominations",
        /// 村党组织审核
        Check "check",
        /// 公示
        Publicity "publicity",
        /// 选举
        Election "election",
        /// 首次会议
        FirstMeeting "first_meeting",
    }
}

impl ElectionStep {
    /// All of them, in the order in which they follow.
    pub const ALL: [Self; 5] = [Self::Nominations, Self::Check, Self::Publicity, Self::Election, Self::FirstMeeting];
}

/// Days before the end of a term on which its election is drafted.
pub const DRAFTED_DAYS: i64 = 90;
/// Until how many working days before the end of the term each step is done; the last one is after it.
const STEPS: [(ElectionStep, Option<u32>); 5] = [
    (ElectionStep::Nominations, Some(25)),
    (ElectionStep::Check, Some(20)),
    (ElectionStep::Publicity, Some(15)),
    (ElectionStep::Election, Some(5)),
    (ElectionStep::FirstMeeting, None),
];
/// Working days that an election has when the term is over already.
const WORKING_DAYS_LEFT: u32 = 30;

/// Until when each step of an election is done: counted back from the last day of the term in working days, the first meeting
/// on the first one after it. What would lie before today is today's, or the next working day's.
#[must_use]
pub fn election_days(calendar: &Calendar, (ends_on, today): (NaiveDate, NaiveDate)) -> [(ElectionStep, NaiveDate); 5] {
    let working_day = |day: NaiveDate, n: u32, step: i64| {
        let (mut day, mut left) = (day, n);
        while left > 0 {
            day += TimeDelta::days(step);
            left -= u32::from(calendar.is_working_day(day));
        }
        day
    };
    let end = if ends_on < today { working_day(today, WORKING_DAYS_LEFT, 1) } else { ends_on };
    let first = working_day(today - TimeDelta::days(1), 1, 1);
    STEPS.map(|(step, before)| {
        let day = before.map_or_else(|| working_day(end, 1, 1), |n| working_day(end, n, -1));
        (step, day.max(first))
    })
}

/// Can a body of this kind cover an area of this level? A village's rights must not reach over a county by a slip.
#[must_use]
pub fn fits_level(kind: BodyKind, level: Level) -> bool {
    match kind {
        BodyKind::CountyOffice | BodyKind::Department => level == Level::County,
        BodyKind::TownOffice => level == Level::Town,
        BodyKind::VillageCommittee
        | BodyKind::SupervisionCommittee
        | BodyKind::Representatives
        | BodyKind::Collective
        | BodyKind::CollectiveReps
        | BodyKind::CollectiveBoard
        | BodyKind::Council => level.is_village(),
        BodyKind::Federation | BodyKind::JointMeeting => {
            matches!(level, Level::County | Level::Town) || level.is_village()
        }
        BodyKind::PartyBranch | BodyKind::CentreOperator | BodyKind::SocialOrganisation | BodyKind::Evaluator => true,
    }
}

/// Is there such a role in a body of this kind?
#[must_use]
pub fn fits_role(kind: BodyKind, role: Role) -> bool {
    use Role::{Chair, Clerk, GridWorker, LegalOfficer, Member, Secretary, SocialWorker, ViceChair};
    let roles: &[Role] = match kind {
        BodyKind::CountyOffice | BodyKind::TownOffice | BodyKind::Department => {
            &[Chair, ViceChair, Clerk, Member, LegalOfficer, SocialWorker]
        }
        BodyKind::VillageCommittee => &[Chair, ViceChair, Clerk, Member, GridWorker, LegalOfficer, SocialWorker],
        // its members stand on its register
        BodyKind::Collective => &[Chair, ViceChair, Clerk],
        BodyKind::PartyBranch | BodyKind::CollectiveBoard => &[Chair, ViceChair, Member],
        BodyKind::SupervisionCommittee | BodyKind::Representatives | BodyKind::CollectiveReps | BodyKind::Evaluator => {
            &[Chair, Member]
        }
        BodyKind::Council | BodyKind::Federation | BodyKind::JointMeeting => &[Chair, ViceChair, Secretary, Member],
        BodyKind::CentreOperator | BodyKind::SocialOrganisation => &[Chair, Clerk, Member, SocialWorker],
    };
    roles.contains(&role)
}

/// May nobody hold both, where the areas meet? Members and the clerk of a village committee do not supervise it; its
/// grid workers are employed and may.
#[must_use]
pub fn exclude(one: (BodyKind, Role), other: (BodyKind, Role)) -> bool {
    let governs = |(kind, role): (BodyKind, Role)| {
        kind == BodyKind::VillageCommittee && matches!(role, Role::Chair | Role::ViceChair | Role::Member | Role::Clerk)
    };
    let supervises = |(kind, _): (BodyKind, Role)| kind == BodyKind::SupervisionCommittee;
    (governs(one) && supervises(other)) || (supervises(one) && governs(other))
}

/// Is there an area that both cover, in whole or in part?
#[must_use]
pub fn meet(some: &[String], others: &[String]) -> bool {
    some.iter().any(|one| others.iter().any(|other| covers(one, other) || covers(other, one)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_governs_does_not_supervise() {
        let supervisor = (BodyKind::SupervisionCommittee, Role::Member);
        for role in [Role::Chair, Role::ViceChair, Role::Member, Role::Clerk] {
            assert!(exclude((BodyKind::VillageCommittee, role), supervisor), "{role:?}");
            assert!(exclude(supervisor, (BodyKind::VillageCommittee, role)), "{role:?}");
        }
        assert!(!exclude((BodyKind::VillageCommittee, Role::GridWorker), supervisor));
        assert!(!exclude((BodyKind::Council, Role::Chair), supervisor));
        assert!(!exclude(supervisor, supervisor));
    }

    #[test]
    fn a_village_committee_covers_a_village_only() {
        assert!(fits_level(BodyKind::VillageCommittee, Level::Community));
        for level in [Level::County, Level::Town, Level::Group] {
            assert!(!fits_level(BodyKind::VillageCommittee, level));
        }
        assert!(!fits_level(BodyKind::CountyOffice, Level::Village));
    }

    #[test]
    fn a_council_of_one_village_covers_one() {
        let fits = |form: BodyForm, areas: usize| form.fits(BodyKind::Council, areas);
        assert!(fits(BodyForm::SingleVillage, 1) && !fits(BodyForm::SingleVillage, 2));
        assert!(!fits(BodyForm::JointVillages, 1) && fits(BodyForm::JointVillages, 2));
        assert!(fits(BodyForm::VillageEnterprise, 1) && fits(BodyForm::RuralCommunity, 2));
        assert!(!BodyForm::SingleVillage.fits(BodyKind::VillageCommittee, 1));
    }

    #[test]
    fn roles_belong_to_kinds() {
        assert!(fits_role(BodyKind::VillageCommittee, Role::GridWorker));
        assert!(!fits_role(BodyKind::Council, Role::Clerk));
        assert!(fits_role(BodyKind::Collective, Role::Clerk) && !fits_role(BodyKind::Collective, Role::Member));
        assert!(!fits_role(BodyKind::SupervisionCommittee, Role::Secretary));
    }

    #[test]
    fn an_election_is_counted_back_in_working_days() {
        let calendar = Calendar::load(None).unwrap();
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let days = |ends: &str, today: &str| {
            let days = election_days(&calendar, (day(ends), day(today)));
            days.map(|(step, day)| format!("{} {day}", step.as_str()))
        };
        // over the seven days of National Day, Mid-Autumn, and the two on which they are worked off
        let wanted = [
            "nominations 2026-09-01",
            "check 2026-09-08",
            "publicity 2026-09-15",
            "election 2026-09-29",
            "first_meeting 2026-10-12",
        ];
        assert_eq!(days("2026-10-11", "2026-07-20"), wanted);
        let late = election_days(&calendar, (day("2026-10-11"), day("2026-09-19")));
        assert!(late.iter().all(|(_, day)| calendar.is_working_day(*day)) && late[0].1 >= day("2026-09-19"));
        let over = election_days(&calendar, (day("2026-01-31"), day("2026-11-02")));
        assert!(over.is_sorted_by_key(|(_, day)| *day) && over[0].1 >= day("2026-11-02"), "{over:?}");
    }

    #[test]
    fn areas_meet_when_one_is_within_the_other() {
        let of = |codes: &[&str]| codes.iter().map(|code| (*code).to_owned()).collect::<Vec<_>>();
        assert!(meet(&of(&["330521103"]), &of(&["330521103202"])));
        assert!(meet(&of(&["330521103202"]), &of(&["330521", "330522"])));
        assert!(!meet(&of(&["330521103202"]), &of(&["330521103203"])));
    }
}
