//! I1 to I10 and I12 with real processes: a conversation of residents and clerks on several devices, while servers are
//! killed and drained, Redis is wiped, stopped and frozen, PostgreSQL is killed, phones do not read and the net is unkind.
//!
//! # Why
//! Two servers stand on a PostgreSQL and a Redis of their own, or one on SQLite. A blow strikes while everybody speaks, and
//! when it is over both servers, every device, the database and the logs are compared with what was acknowledged. Under the
//! blows people say, take back, pin and read; the other operations of I8 are in `every_operation`, the figures of I10 in
//! `memory`, and I11, for which a copy is put back under servers that stand still, is in `restored`.
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use tokio_util::sync::CancellationToken;

use super::phone::Phone;
use crate::{
    simulation::seeds::{Seeded, any_seed, given_seed},
    support::{Harm, OwnRedis, is_full_run},
};

mod people;
mod verdict;
mod world;

use self::{
    people::{Known, speak},
    verdict::Verdict,
    world::World,
};

/// What is done to the servers and what they stand on; the net is part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Blow {
    /// `kill -9`, and started again.
    Kill(usize),
    /// SIGTERM: it says goodbye to its phones, and they go elsewhere.
    Drain(usize),
    Flush,
    /// Redis is gone for a while; meanwhile what is said on one server is heard on the other.
    NoRedis,
    /// Redis holds its lines and does not answer.
    FrozenRedis,
    KillPostgres,
    Net(usize, Harm),
    /// Phones that do not read, on the first server: they stay, and it is the server that ends them.
    Deaf,
}

/// One after the other; what stands together happens together. The first server is not killed after phones are deaf to it,
/// so that it has the time to end them.
const OF_TWO: &[&[Blow]] = &[
    &[Blow::Kill(1), Blow::Flush],
    &[Blow::FrozenRedis, Blow::Kill(0)],
    &[Blow::Net(0, Harm::Silence), Blow::Flush, Blow::Deaf],
    &[Blow::NoRedis, Blow::Net(1, Harm::Reset)],
    &[Blow::KillPostgres, Blow::Net(0, Harm::Cut)],
    &[Blow::Drain(1)],
    &[Blow::Net(0, Harm::Delay), Blow::Net(1, Harm::HalfClose)],
];
/// The only server takes the deaf ones with it.
const OF_ONE: &[&[Blow]] = &[
    &[Blow::Net(0, Harm::Silence), Blow::Deaf],
    &[Blow::Kill(0)],
    &[Blow::Net(0, Harm::Reset), Blow::Kill(0)],
    &[Blow::Drain(0)],
    &[Blow::Net(0, Harm::Delay)],
    &[Blow::Net(0, Harm::HalfClose)],
];

/// The list, and in a full run any two of it together, for five minutes.
fn blows(nodes: usize, chance: &mut Seeded) -> Vec<Vec<Blow>> {
    let list = if nodes == 2 { OF_TWO } else { OF_ONE };
    let mut blows: Vec<Vec<Blow>> = list.iter().map(|one| one.to_vec()).collect();
    let all: Vec<Blow> = blows.concat();
    for _ in 0..if is_full_run() { 60 } else { 0 } {
        let pair = vec![all[chance.below(all.len())], all[chance.below(all.len())]];
        // one server at least goes on, the second one while it is measured what it hears, the first while phones connect
        let is_hard = |blow: &Blow| !matches!(blow, Blow::Flush | Blow::Net(..));
        if pair.iter().filter(|blow| is_hard(blow)).count() < 2 {
            blows.push(pair);
        }
    }
    blows
}

async fn play() -> Vec<String> {
    let seed = given_seed().unwrap_or_else(any_seed);
    let mut chance = Seeded(seed);
    let began = Instant::now();
    let Some((world, talks)) = World::open().await else { return Vec::new() };
    let (silent, over) = (CancellationToken::new(), CancellationToken::new());
    let mut verdict = Verdict::default();
    let mut phones = Vec::new();
    let mut speakers = Vec::new();
    let known: Vec<Arc<Known>> = talks.iter().map(|talk| Arc::new(Known::new(talk))).collect();
    for (talk, known) in talks.iter().zip(&known) {
        for (number, person) in talk.devices.iter().enumerate() {
            let phone = Phone::new(world.doors_of(&talk.people[*person], number), &talk.stream);
            known.follow(phone.place());
            phones.push((*person, talk.number, tokio::spawn(phone.live(over.clone()))));
        }
        for person in (0..talk.people.len()).filter(|_| !talk.devices.is_empty()) {
            let doors = world.doors_of(&talk.people[person], person);
            let seed = chance.below(usize::MAX / 2);
            speakers.push(tokio::spawn(speak((person, doors), Arc::clone(known), seed, silent.clone())));
        }
    }
    println!("{:?}: everybody is there", began.elapsed());
    tokio::time::sleep(Duration::from_millis(1500)).await;
    for together in blows(world.count(), &mut chance) {
        let at = Instant::now();
        let strikes = together.iter().map(|blow| strike(&world, *blow, [&known[0], &known[2]]));
        for wrong in join_all(strikes).await.into_iter().flatten() {
            verdict.add(wrong);
        }
        println!("{:?}: {together:?} took {:?}", began.elapsed(), at.elapsed());
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    println!("{:?}: silence", began.elapsed());
    silent.cancel();
    let again: usize = join_all(speakers).await.into_iter().map(Result::unwrap).sum();
    over.cancel();
    let mut held = Vec::new();
    for (person, talk, phone) in phones {
        held.push((person, talk, phone.await.unwrap()));
    }
    for talk in &talks {
        verdict.judge(&world, talk, &known[talk.number], &held).await;
    }
    let count: usize = known.iter().map(|known| known.count()).sum();
    let sum = |of: fn(&Phone) -> usize| held.iter().map(|(_, _, phone)| of(phone)).sum::<usize>();
    let connected = sum(|phone| phone.connected);
    println!("LSTEST_SEED={seed}: {count} messages, {again} asked again, {connected} connections");
    let pinned = known.iter().any(|known| !known.pinned().is_empty());
    if count < 60 || again == 0 || connected <= 2 * held.len() || !pinned {
        verdict.add("I12: the blows were not felt".to_owned());
    }
    verdict.close(&world, &known).await;
    println!("{:?}: searched", began.elapsed());
    verdict.wrong
}

/// Strikes, waits until it is repaired, and says what should not have been.
async fn strike(world: &World, blow: Blow, [known, quiet]: [&Known; 2]) -> Vec<String> {
    let second = Duration::from_secs(1);
    match blow {
        Blow::Kill(node) => world.kill(node).await,
        Blow::Drain(node) => return world.drain(node, known).await,
        Blow::Flush => world.redis(|redis| redis.flush()),
        Blow::NoRedis => {
            world.redis(OwnRedis::kill);
            let wrong = world.heard_elsewhere("without Redis", quiet).await;
            world.redis(OwnRedis::revive);
            return wrong;
        }
        Blow::FrozenRedis => {
            world.redis(|redis| redis.signal("STOP"));
            let wrong = world.heard_elsewhere("with a frozen Redis", quiet).await;
            tokio::time::sleep(second).await;
            world.redis(|redis| redis.signal("CONT"));
            return wrong;
        }
        Blow::KillPostgres => world.kill_postgres().await,
        Blow::Net(node, harm) => {
            world.net(node).set(harm);
            let lasting = if [Harm::Silence, Harm::Delay].contains(&harm) { 1500 } else { 60 };
            tokio::time::sleep(Duration::from_millis(lasting)).await;
            world.net(node).set(Harm::None);
        }
        // where no device reads: who missed so much at once would not fetch all of it
        Blow::Deaf => return world.deaf(quiet).await,
    }
    Vec::new()
}

/// One test for all of them, because it is one conversation: what is wrong is told with the number of what it breaks.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn i1_i2_i3_i4_i5_i6_i7_i8_i9_i10_i12_hold_through_all_blows() {
    let wrong = play().await;
    assert!(wrong.is_empty(), "{wrong:#?}");
}
