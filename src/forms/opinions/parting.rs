//! Parting people by their answers: laid along the two main directions, then around two to five middles.

/// People without whom nothing is drawn.
const PEOPLE: usize = 30;
/// Groups at most.
const GROUPS: usize = 5;
/// People in a group at least.
const LEAST: usize = 5;
/// Rounds of looking for directions and middles.
const ROUNDS: usize = 40;

/// Answers to statements: 1, -1 and 0, nothing where none was given.
pub(super) type Row = Vec<Option<f64>>;

/// People parted around middles.
pub(super) struct Parted {
    /// Around which one, for each.
    pub(super) labels: Vec<usize>,
    pub(super) middles: Vec<[f64; 2]>,
    /// How far the next middle is beside the own one: 1 where all stand on theirs, 0 where it makes no difference.
    clarity: f64,
}

/// In as many groups as have the clearest edges; `None` of few, and where all are alike.
pub(super) fn clearest(rows: &[Row]) -> Option<Parted> {
    if rows.len() < PEOPLE {
        return None;
    }
    let places = laid_out(rows);
    let ways = (2..=GROUPS).filter_map(|count| parted(&places, count));
    ways.max_by(|one, other| one.clarity.total_cmp(&other.clarity))
}

/// Everybody along the two main directions. Who answered little stands no nearer to the middle for that.
fn laid_out(rows: &[Row]) -> Vec<[f64; 2]> {
    let width = rows.first().map_or(0, Vec::len);
    let mean = |at: usize| {
        let given: Vec<f64> = rows.iter().filter_map(|row| row[at]).collect();
        given.iter().sum::<f64>() / given.len().max(1) as f64
    };
    let means: Vec<f64> = (0..width).map(mean).collect();
    let centred = |row: &Row| -> Vec<f64> {
        row.iter().zip(&means).map(|(one, mean)| one.map_or(0.0, |one| one - mean)).collect()
    };
    let centred: Vec<Vec<f64>> = rows.iter().map(centred).collect();
    let first = direction(&centred, None);
    let second = direction(&centred, Some(&first));
    let place = |(row, given): (&Vec<f64>, &Row)| {
        let answered = given.iter().flatten().count().max(1);
        let stretch = (width as f64 / answered as f64).sqrt();
        [dot(row, &first) * stretch, dot(row, &second) * stretch]
    };
    centred.iter().zip(rows).map(place).collect()
}

/// The direction in which the rows differ most, across the one before.
fn direction(rows: &[Vec<f64>], before: Option<&[f64]>) -> Vec<f64> {
    let width = rows.first().map_or(0, Vec::len);
    let mut along: Vec<f64> = (0..width).map(|at| 1.0 + at as f64 / 100.0).collect();
    for _ in 0..ROUNDS {
        across(&mut along, before);
        let mut next = vec![0.0; width];
        for row in rows {
            let weight = dot(row, &along);
            next.iter_mut().zip(row).for_each(|(sum, one)| *sum += weight * one);
        }
        across(&mut next, before);
        let length = dot(&next, &next).sqrt();
        if length <= f64::EPSILON {
            return vec![0.0; width];
        }
        along = next.into_iter().map(|one| one / length).collect();
    }
    along
}

fn across(along: &mut [f64], before: Option<&[f64]>) {
    let Some(before) = before else { return };
    let shared = dot(along, before);
    along.iter_mut().zip(before).for_each(|(one, other)| *one -= shared * other);
}

fn dot(one: &[f64], other: &[f64]) -> f64 {
    one.iter().zip(other).map(|(a, b)| a * b).sum()
}

/// Around so many middles, beginning with as many equal parts of the first direction; `None` where a group would be too small.
fn parted(places: &[[f64; 2]], count: usize) -> Option<Parted> {
    let mut order: Vec<usize> = (0..places.len()).collect();
    order.sort_by(|one, other| places[*one][0].total_cmp(&places[*other][0]));
    let mut labels = vec![0; places.len()];
    for (rank, at) in order.into_iter().enumerate() {
        labels[at] = rank * count / places.len();
    }
    let mut middles = middles_of(places, &labels, count)?;
    for _ in 0..ROUNDS {
        let next: Vec<usize> = places.iter().map(|place| nearest(place, &middles)).collect();
        if next == labels {
            break;
        }
        labels = next;
        middles = middles_of(places, &labels, count)?;
    }
    let is_large = |label: usize| labels.iter().filter(|one| **one == label).count() >= LEAST;
    if !(0..count).all(is_large) {
        return None;
    }
    let clear = |(place, label): (&[f64; 2], &usize)| {
        let own = distance(place, &middles[*label]);
        let others = middles.iter().enumerate().filter(|(at, _)| at != label);
        let next = others.map(|(_, middle)| distance(place, middle)).fold(f64::INFINITY, f64::min);
        (next - own) / next.max(own).max(f64::EPSILON)
    };
    let clarity = places.iter().zip(&labels).map(clear).sum::<f64>() / places.len() as f64;
    Some(Parted { labels, middles, clarity })
}

fn middles_of(places: &[[f64; 2]], labels: &[usize], count: usize) -> Option<Vec<[f64; 2]>> {
    let mut sums = vec![([0.0, 0.0], 0_usize); count];
    for (place, label) in places.iter().zip(labels) {
        let (sum, number) = &mut sums[*label];
        sum[0] += place[0];
        sum[1] += place[1];
        *number += 1;
    }
    let middle =
        |(sum, number): ([f64; 2], usize)| (number > 0).then(|| [sum[0] / number as f64, sum[1] / number as f64]);
    sums.into_iter().map(middle).collect()
}

fn nearest(place: &[f64; 2], middles: &[[f64; 2]]) -> usize {
    let by_distance = middles
        .iter()
        .enumerate()
        .min_by(|(_, one), (_, other)| distance(place, one).total_cmp(&distance(place, other)));
    by_distance.map_or(0, |(at, _)| at)
}

fn distance(one: &[f64; 2], other: &[f64; 2]) -> f64 {
    (one[0] - other[0]).hypot(one[1] - other[1])
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    /// Whoever answered so many of the statements is looked at.
    const ENOUGH: usize = 7;

    /// Adjusted Rand index: 1 for the same groups, 0 for chance.
    fn likeness(one: &[usize], other: &[usize]) -> f64 {
        let pairs = |count: usize| (count * count.saturating_sub(1) / 2) as f64;
        let (mut both, mut left, mut right) = (HashMap::new(), HashMap::new(), HashMap::new());
        for (a, b) in one.iter().zip(other) {
            *both.entry((a, b)).or_insert(0_usize) += 1;
            *left.entry(a).or_insert(0_usize) += 1;
            *right.entry(b).or_insert(0_usize) += 1;
        }
        let same: f64 = both.values().map(|count| pairs(*count)).sum();
        let (by_left, by_right): (f64, f64) =
            (left.values().map(|count| pairs(*count)).sum(), right.values().map(|count| pairs(*count)).sum());
        let by_chance = by_left * by_right / pairs(one.len());
        (same - by_chance) / ((by_left + by_right) / 2.0 - by_chance)
    }

    /// Polis told 1,218 people apart by hand of its own; plain methods reach 0.749 of its groups.
    #[test]
    fn the_groups_of_a_real_survey_are_found() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data/polis/vtaiwan.uberx/participants-votes.csv");
        let Ok(mut file) = csv::Reader::from_path(path) else {
            eprintln!("skipped: {path} is not here");
            return;
        };
        let (mut rows, mut theirs) = (Vec::new(), Vec::new());
        for line in file.records() {
            let line = line.unwrap();
            let row: Row = line.iter().skip(6).map(|vote| vote.parse().ok()).collect();
            if row.iter().flatten().count() >= ENOUGH {
                theirs.push(line[1].parse::<usize>().ok());
                rows.push(row);
            }
        }
        let parted = clearest(&rows).unwrap();
        let told = theirs.iter().zip(&parted.labels).filter_map(|(group, label)| Some(((*group)?, *label)));
        let (theirs, ours): (Vec<usize>, Vec<usize>) = told.unzip();
        let likeness = likeness(&theirs, &ours);
        assert!(theirs.len() > 1_200 && likeness >= 0.74, "{likeness} of {}", theirs.len());
    }
}
