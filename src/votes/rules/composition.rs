//! Of whom a representatives' meeting consists (组织法, article 29): representatives by four fifths, women among these by a third
//! of all; pure.

/// 五分之四以上: the rest are members of the village committee.
#[must_use]
pub fn are_representatives_enough(representatives: u64, all: u64) -> bool {
    u128::from(representatives) * 5 >= u128::from(all) * 4
}

/// 三分之一以上 of all who meet.
#[must_use]
pub fn are_women_enough(women: u64, all: u64) -> bool {
    u128::from(women) * 3 >= u128::from(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_the_share_is_enough() {
        for (part, all, is_enough) in [(5, 6, true), (4, 5, true), (7, 9, false), (8, 10, true), (79, 100, false)] {
            assert_eq!(are_representatives_enough(part, all), is_enough, "{part} of {all}");
        }
        for (part, all, is_enough) in [(2, 6, true), (2, 7, false), (0, 6, false), (34, 100, true), (33, 100, false)] {
            assert_eq!(are_women_enough(part, all), is_enough, "{part} of {all}");
        }
    }
}
