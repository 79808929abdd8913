//! Faults without end, by seed, against the real server: whatever happens on the way, every device ends with what the
//! server holds. Each rule is switched off once, to see that it is needed.
//!
//! # Why
//! Between the real hub and the devices lies a net that loses, doubles, delays and reorders; requests and answers get
//! lost; phones are off for a while; people come and go; the database is put back to what it was. Everything follows from
//! a seed but the moment at which the hub notices a restore. What is judged at the end is in `judge`; a group is played first,
//! and what is filled in another way (`place`) after it.
use std::{collections::BTreeSet, time::Instant};

use futures_util::future::join_all;
use serde_json::json;

pub(crate) mod device;
mod history;
pub(crate) mod judge;
mod place;
mod run;
pub(crate) mod seeds;
mod tap;
pub(crate) mod truth;

use self::{
    device::Rules,
    place::Kind,
    run::{Plan, Run, Scene},
    seeds::{any_seed, given_seed},
};
pub(crate) use self::{history::Kept, run::fetch};
use crate::support::{Somebody, TestApp, Village, is_done_before, is_full_run, person_of};

/// Runs at the same time, each with four villagers of its own.
const SLOTS: usize = 8;
/// Who sits nowhere and is of age.
const VILLAGERS: [u32; 32] = [
    2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 14, 15, 16, 17, 18, 20, 21, 23, 24, 26, 27, 29, 30, 31, 32, 33, 35, 36, 37, 38,
    39, 41,
];

/// A village in which runs are played.
struct Theatre {
    app: TestApp,
    village: Village,
    /// A third one who answers for the office.
    member: Somebody,
}

impl Theatre {
    async fn open() -> Self {
        let (app, village) = Village::start().await;
        let person = person_of(&app.app, &village.area, "00044").await;
        let seat = json!({ "person_id": person, "role": "member" });
        village.town.post(&format!("/v1/bodies/{}/seats", village.committee), seat).await.ok();
        app.settle().await;
        let member = Somebody::signed_in(&app, person).await;
        Self { app, village, member }
    }

    /// Who takes part; the villagers are another slot's nowhere.
    async fn cast(&self, kind: Kind, slot: usize) -> Vec<Somebody> {
        let mut people = Vec::new();
        for number in &VILLAGERS[slot * 4..slot * 4 + 4] {
            people.push(self.village.villager(&self.app, &format!("{number:05}")).await);
        }
        let (clerk, chair) = (self.village.clerk.clone(), self.village.chair.clone());
        let council = [&self.village.council_chair, &self.village.secretary, &self.village.member];
        match kind {
            Kind::Group => people,
            Kind::Channel => vec![clerk, chair, people.swap_remove(0), people.swap_remove(0)],
            Kind::Letter | Kind::Thread => vec![people.swap_remove(0), clerk, chair, self.member.clone()],
            Kind::Mailbox => vec![people.swap_remove(0)],
            Kind::Discussion => people.into_iter().take(3).chain([chair]).collect(),
            Kind::Forum => council.map(Somebody::clone).into(),
            Kind::Office => vec![clerk, chair, self.member.clone()],
        }
    }

    /// So many runs with consecutive seeds; what went wrong, by seed.
    async fn play(&self, first: Plan, runs: usize) -> Vec<(u64, String)> {
        let all = first.kind.slots(SLOTS);
        let slots = (0..all).map(|slot| async move {
            let people = self.cast(first.kind, slot).await;
            let scene = Scene { app: &self.app, village: &self.village, people };
            let mut wrong = Vec::new();
            for number in (slot..runs).step_by(all) {
                let seed = first.seed + u64::try_from(number).unwrap();
                let mut run = Run::begin(&scene, Plan { seed, ..first }).await;
                run.play().await;
                wrong.extend(run.judge().await.err().map(|what| (seed, what)));
            }
            wrong
        });
        join_all(slots).await.into_iter().flatten().collect()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn i4_every_device_ends_with_what_the_server_holds() {
    let (runs, steps) = if is_full_run() { (400, 400) } else { (8, 120) };
    // the first half of a run with a restore is one without
    let is_second = is_done_before("groups without a restore");
    for restores in [false, true].into_iter().filter(|restores| *restores || !is_second) {
        let plan =
            Plan { kind: Kind::Group, rules: Rules::ALL, seed: given_seed().unwrap_or_else(any_seed), steps, restores };
        let (began, mut wrong) = (Instant::now(), Vec::new());
        // a list shows 128 streams, and so a village does not see more runs than that
        for hundred in (0..runs).step_by(96) {
            let theatre = Theatre::open().await;
            let from = Plan { seed: plan.seed + u64::try_from(hundred).unwrap(), ..plan };
            wrong.extend(theatre.play(from, (runs - hundred).min(96)).await);
            theatre.app.stop().await;
        }
        let (count, took) = (wrong.len(), began.elapsed());
        let from = format!("{runs} runs of {steps} steps from LSTEST_SEED={}, restores: {restores}", plan.seed);
        println!("{from}: {count} end wrong, {took:?}");
        assert!(wrong.is_empty(), "{from}: {wrong:#?}");
    }
}

/// What is no group: letters to the office and voices are sealed, a channel shows cards that are shown anew, and a mailbox is
/// written by what happens elsewhere. With one rule missing each of them ends wrong, so that the judge is awake here, too.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn i4_letters_voices_a_channel_and_mailboxes_end_with_what_the_server_holds() {
    let all = Rules::ALL;
    let kinds = [
        (Kind::Letter, Rules { hears_recalls: false, ..all }),
        (Kind::Thread, Rules { hears_recalls: false, ..all }),
        (Kind::Channel, Rules { sees_gaps: false, ..all }),
        (Kind::Mailbox, Rules { sees_gaps: false, ..all }),
    ];
    for (kind, less) in kinds {
        play_kind(kind, less).await;
    }
}

/// The others: what everybody says of a matter between the cards of its stages, what a council says to itself, and the cards
/// of an office, to which nobody says anything.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn i4_discussions_a_forum_and_an_office_end_with_what_the_server_holds() {
    let all = Rules::ALL;
    let kinds = [
        (Kind::Discussion, Rules { hears_recalls: false, ..all }),
        (Kind::Forum, Rules { hears_recalls: false, ..all }),
        (Kind::Office, Rules { sees_gaps: false, ..all }),
    ];
    for (kind, less) in kinds {
        play_kind(kind, less).await;
    }
}

/// By all rules nothing ends wrong, with restores and without; by `less` something does.
async fn play_kind(kind: Kind, less: Rules) {
    let all = Rules::ALL;
    let slots = kind.slots(SLOTS);
    let (most, steps) = if is_full_run() { (slots * 8, 400) } else { (slots.max(3), 100) };
    let theatre = Theatre::open().await;
    // what is said bears the seed, and a letter goes on from run to run
    let seeds = (given_seed().unwrap_or_else(any_seed)..).step_by(1000);
    // the first half of a run with a restore is one without; what a device does without a rule is the same on either database
    let plays = [(all, false), (all, true), (less, false)];
    let is_second = is_done_before("devices without a restore, devices without a rule");
    let plays = if is_second { &plays[1..2] } else { &plays[..] };
    for (&(rules, restores), seed) in plays.iter().zip(seeds) {
        let began = Instant::now();
        let is_whole = rules.hears_recalls && rules.sees_gaps;
        // one that ends wrong is looked for among all, a few at a time
        let (runs, few) = match (is_full_run(), is_whole) {
            (true, _) => (most, most),
            (false, true) => (2, 2),
            (false, false) => (most, slots.min(2)),
        };
        let mut wrong = Vec::new();
        for first in (0..runs).step_by(few) {
            let from = seed + u64::try_from(first).unwrap();
            wrong.extend(theatre.play(Plan { kind, rules, seed: from, steps, restores }, few.min(runs - first)).await);
            if !wrong.is_empty() {
                break;
            }
        }
        let what = format!("{kind:?}: {runs} runs of {steps} steps from LSTEST_SEED={seed}, restores: {restores}");
        println!("{what}: {} end wrong, {:?}", wrong.len(), began.elapsed());
        assert_eq!(wrong.is_empty(), is_whole, "{what}, {rules:?}: {wrong:#?}");
    }
    theatre.app.stop().await;
}

/// A rule that is missing, and how it shows.
struct Ablation {
    name: &'static str,
    rules: Rules,
    restores: bool,
    runs: usize,
    /// In CI; 400 in a full run.
    steps: usize,
    /// Of so many runs at least one ends wrong.
    of: usize,
}

/// Without any one of the rules some runs end wrong, so each of them is needed, and the judge is awake. The seeds are always
/// the same: what is counted here is no matter of luck.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn i4_without_any_one_rule_devices_differ() {
    let all = Rules::ALL;
    let usual = Ablation { name: "", rules: all, restores: false, runs: 8, steps: 100, of: 2 };
    let missing = [
        Ablation { name: "client_id kept", rules: Rules { keeps_client_id: false, ..all }, ..usual },
        Ablation { name: "gaps seen", rules: Rules { sees_gaps: false, ..all }, ..usual },
        Ablation { name: "known skipped", rules: Rules { skips_known: false, ..all }, of: 8, ..usual },
        Ablation { name: "recall in the log", rules: Rules { hears_recalls: false, ..all }, ..usual },
        Ablation {
            name: "heads compared",
            rules: Rules { compares_heads: false, ..all },
            runs: 32,
            steps: 30,
            of: 16,
            ..usual
        },
        Ablation { name: "epochs compared", rules: Rules { compares_epochs: false, ..all }, restores: true, ..usual },
        Ablation { name: "epoch bumped", rules: Rules { bumps_epoch: false, ..all }, restores: true, ..usual },
    ];
    let mut theatre = Theatre::open().await;
    let (began, mut harmless) = (Instant::now(), Vec::new());
    for Ablation { name, rules, restores, runs, steps, of } in missing {
        let (runs, steps) = if is_full_run() { (runs * 12, 400) } else { (runs, steps) };
        let runs = runs.min(96);
        if is_full_run() {
            // a village does not see more runs than that
            std::mem::replace(&mut theatre, Theatre::open().await).app.stop().await;
        }
        let plan = Plan { kind: Kind::Group, rules, seed: given_seed().unwrap_or(1), steps, restores };
        let wrong = theatre.play(plan, runs).await;
        let kinds: BTreeSet<_> = wrong.iter().filter_map(|(_, what)| what.split(':').next()).collect();
        println!("without {name}: {} of {runs} runs of {steps} steps end wrong {kinds:?}", wrong.len());
        if wrong.len() * of < runs {
            harmless.push(format!("{name}: {} of {runs}", wrong.len()));
        }
    }
    theatre.app.stop().await;
    println!("{:?}", began.elapsed());
    assert!(harmless.is_empty(), "{harmless:#?}");
}
