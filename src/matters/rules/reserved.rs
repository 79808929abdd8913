//! What the law reserves to the villagers' assembly: ten items (浙江省实施《村民委员会组织法》办法 2020, 第十五条).
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One of the ten items.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReservedItem {
    /// （一）本村建设规划，经济和社会发展规划、年度计划
    Planning,
    /// （二）本村公益事业的兴办和筹资筹劳方案及建设承包方案
    PublicWorks,
    /// （三）本村享受误工补贴的人员及补贴标准
    LostWorkPay,
    /// （四）从村集体经济所得收益的使用方案
    CollectiveIncome,
    /// （五）土地承包经营方案
    LandContracts,
    /// （六）村集体经济项目的立项、承包方案
    CollectiveProjects,
    /// （七）宅基地的使用方案
    Homesteads,
    /// （八）征地补偿费的使用、分配方案
    LandCompensation,
    /// （九）以借贷、租赁、抵押或者其他方式处分村集体财产
    CollectiveProperty,
    /// （十）村民会议认为应当由村民会议讨论决定的涉及村民利益的其他事项
    AskedByAssembly,
}

impl ReservedItem {
    /// In the law's order.
    pub const ALL: [Self; 10] = [
        Self::Planning,
        Self::PublicWorks,
        Self::LostWorkPay,
        Self::CollectiveIncome,
        Self::LandContracts,
        Self::CollectiveProjects,
        Self::Homesteads,
        Self::LandCompensation,
        Self::CollectiveProperty,
        Self::AskedByAssembly,
    ];

    /// The stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Planning => "planning",
            Self::PublicWorks => "public_works",
            Self::LostWorkPay => "lost_work_pay",
            Self::CollectiveIncome => "collective_income",
            Self::LandContracts => "land_contracts",
            Self::CollectiveProjects => "collective_projects",
            Self::Homesteads => "homesteads",
            Self::LandCompensation => "land_compensation",
            Self::CollectiveProperty => "collective_property",
            Self::AskedByAssembly => "asked_by_assembly",
        }
    }

    /// The one of this name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|item| item.as_str() == text)
    }

    /// Where other law on the collective's property and its members' rights comes first (same article, last paragraph).
    #[must_use]
    pub fn is_the_collectives(self) -> bool {
        matches!(
            self,
            Self::LandContracts | Self::CollectiveProjects | Self::LandCompensation | Self::CollectiveProperty
        )
    }
}
