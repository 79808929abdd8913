//! Bytes for parsers, in tests only: good ones bent again and again for a second, or for a minute with `LSTEST_FULL=1`.
//!
//! # Why
//! cargo-fuzz wants another compiler than ours. This bends blindly, without seeing which lines it reached, but it runs with
//! every test, and what it found stays a seed. `LSTEST_SEED` repeats a run.
use std::{
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

const NUMBERS: [u32; 9] = [0, 1, 7, 0x7f, 0xff, 0xffff, 0x7fff_ffff, 0x8000_0000, u32::MAX];
/// No parser may think about one input for longer, even unoptimised on a busy machine.
const SLOW: Duration = Duration::from_secs(10);

/// What a parser is fed with.
pub(crate) struct Food<'a> {
    /// What is being tested, for the report.
    pub(crate) name: &'a str,
    /// Good inputs, and bad ones that once hurt.
    pub(crate) seeds: Vec<Vec<u8>>,
    /// Words that the format knows.
    pub(crate) words: &'a [&'a str],
    /// How long an input may become.
    pub(crate) longest: usize,
}

/// A small generator of numbers (xorshift), so that a run can be repeated.
struct Dice(u64);

impl Dice {
    fn throw(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.throw() % (bound.max(1) as u64)).unwrap()
    }
}

/// Calls `parse` with the seeds and with bent copies of them until the time is over; `parse` panics on what is wrong.
pub(crate) fn feed(food: &Food<'_>, parse: impl Fn(&[u8])) {
    let is_full = std::env::var("LSTEST_FULL").is_ok_and(|full| full == "1");
    let time = Duration::from_millis(if is_full { 60_000 } else { 1_000 });
    #[expect(clippy::disallowed_methods, reason = "another seed each time")]
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
    let seed = std::env::var("LSTEST_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or(u64::try_from(now % u128::from(u64::MAX)).unwrap() | 1);
    let (mut dice, mut count) = (Dice(seed), 0);
    for good in &food.seeds {
        watched(food.name, seed, good, &parse);
    }
    // the seeds alone take a second where others work beside this
    let began = Instant::now();
    while began.elapsed() < time {
        watched(food.name, seed, &bent(food, &mut dice), &parse);
        count += 1;
    }
    println!("{}: {count} inputs in {time:?}", food.name);
    assert!(count > 3, "{}: only {count} inputs", food.name);
}

fn watched(name: &str, seed: u64, input: &[u8], parse: &impl Fn(&[u8])) {
    let began = Instant::now();
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| parse(input))) {
        let file = std::env::temp_dir().join(format!("liusheng-fuzz-{}-{seed}", name.replace(' ', "-")));
        std::fs::write(&file, input).unwrap();
        println!(
            "{name}: seed {seed}, {} bytes, kept as {}: {:?}",
            input.len(),
            file.display(),
            &input[..input.len().min(200)]
        );
        resume_unwind(panic);
    }
    assert!(began.elapsed() < SLOW, "{name}: {:?} for {} bytes, seed {seed}", began.elapsed(), input.len());
}

fn bent(food: &Food<'_>, dice: &mut Dice) -> Vec<u8> {
    let mut bytes = food.seeds[dice.below(food.seeds.len())].clone();
    for _ in 0..=dice.below(8) {
        let at = dice.below(bytes.len() + 1);
        let span = at..(at + 1 + dice.below(16)).min(bytes.len()).max(at);
        match dice.below(10) {
            0 | 1 => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1 << (dice.throw() % 8)),
            2 => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte = dice.throw().to_le_bytes()[0]),
            3 => drop(bytes.drain(span)),
            4 => bytes.truncate(at),
            5 => {
                let again = bytes[span].repeat(1 + dice.below(20));
                bytes.splice(at..at, again);
            }
            6 => {
                let number = NUMBERS[dice.below(NUMBERS.len())];
                let written = if dice.below(2) == 0 { number.to_be_bytes() } else { number.to_le_bytes() };
                bytes.iter_mut().skip(at).zip(written).for_each(|(byte, new)| *byte = new);
            }
            7 => {
                let other = &food.seeds[dice.below(food.seeds.len())];
                let from = dice.below(other.len() + 1);
                bytes.truncate(at);
                bytes.extend_from_slice(&other[from..]);
            }
            8 if !food.words.is_empty() => {
                let word = food.words[dice.below(food.words.len())];
                bytes.splice(at..at, word.bytes());
            }
            _ => {
                let new: Vec<u8> = (0..dice.below(12)).map(|_| dice.throw().to_le_bytes()[0]).collect();
                bytes.splice(at..at, new);
            }
        }
        bytes.truncate(food.longest);
    }
    bytes
}
