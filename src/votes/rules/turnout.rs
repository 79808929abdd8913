//! Turnout by channel: how many took part by phone, household, proxy and paper, without telling of a few; pure.

/// Fewer than so many are not told: one could find out who they are.
pub const FEW: u64 = 10;

/// What of these numbers may be told beside their sum: none of 1 to 9, and where that leaves one number hidden alone,
/// which the sum would tell, the smallest of the others neither. Nobody is always told.
#[must_use]
pub fn told(groups: &[u64]) -> Vec<Option<u64>> {
    let mut hidden: Vec<bool> = groups.iter().map(|n| (1..FEW).contains(n)).collect();
    if hidden.iter().filter(|is| **is).count() == 1 {
        let others = groups.iter().enumerate().filter(|(at, n)| **n > 0 && hidden.get(*at) == Some(&false));
        let smallest = others.min_by_key(|(_, n)| **n).map(|(at, _)| at);
        if let Some(place) = smallest.and_then(|at| hidden.get_mut(at)) {
            *place = true;
        }
    }
    groups.iter().zip(hidden).map(|(n, is_hidden)| (!is_hidden).then_some(*n)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_few_are_not_told_nor_found_out_by_the_sum() {
        assert_eq!(told(&[90, 10, 0, 20]), [Some(90), Some(10), Some(0), Some(20)]);
        assert_eq!(told(&[90, 9, 0, 20]), [Some(90), None, Some(0), None], "119 minus 90 would not tell 9");
        assert_eq!(told(&[90, 9, 1, 20]), [Some(90), None, None, Some(20)]);
        assert_eq!(told(&[3, 0, 0, 0]), [None, Some(0), Some(0), Some(0)], "they are all who took part");
        assert_eq!(told(&[0, 0]), [Some(0), Some(0)]);
    }

    proptest! {
        #[test]
        fn what_is_hidden_is_never_the_only_unknown(groups in prop::collection::vec(0_u64..24, 1..5)) {
            let shown = told(&groups);
            let hidden = shown.iter().filter(|one| one.is_none()).count();
            let many = groups.iter().filter(|n| **n > 0).count();
            prop_assert!(hidden != 1 || many == 1);
            for (n, shown) in groups.iter().zip(&shown) {
                prop_assert!(shown.is_none_or(|told| told == *n && !(1..FEW).contains(n)));
            }
        }
    }
}
