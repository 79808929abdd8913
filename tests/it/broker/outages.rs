//! A Redis that hangs, is wiped, hangs up or is away: nobody waits for it, and what it held is all that is lost.
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::{StreamExt, stream::BoxStream};
use liusheng::broker::Bell;
use tokio::time::timeout;

use super::{SOON, Shared, bell, hears, on_redis, raw, some_ids, take_all, tickets};
use crate::support::{OwnRedis, redis_url};

/// Waits for one of these bells.
async fn until(listener: &mut BoxStream<'static, Bell>, wanted: Bell) {
    let hearing = async { while listener.next().await.expect("the bells go on") != wanted {} };
    timeout(SOON, hearing).await.unwrap_or_else(|_| panic!("{wanted:?} in time"));
}

/// Nobody waits for a Redis that does not answer: the own process hears at once, the first to ring waits a quarter of a
/// second, the next not at all.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_does_not_answer_is_left_alone_for_a_while() {
    let Some(_) = redis_url("broker: Redis frozen") else { return };
    let Some(server) = OwnRedis::start() else { return };
    let Shared { one, other, queue } = on_redis(&server.url);
    let (mut here, mut there) = (one.bells(), other.bells());
    until(&mut there, Bell::Missed).await;
    assert!(hears(one.as_ref(), &mut there, 1).await);
    server.signal("STOP");
    let began = Instant::now();
    assert!(one.ring(&[bell(2)]).await.is_err());
    let first = began.elapsed();
    until(&mut here, bell(2)).await;
    let began = Instant::now();
    assert!(one.ring(&[bell(3)]).await.is_err());
    assert!(one.push(&queue, &some_ids(1)).await.is_err() && one.take(&queue, 1, 0).await.is_err());
    let then = began.elapsed();
    until(&mut here, bell(3)).await;
    println!("the first waited {first:?}, three more {then:?}");
    // each that waited would take as long as the first
    assert!(first < Duration::from_millis(900) && then < Duration::from_millis(450));
    // nor for one that takes a connection and says nothing on it
    while began.elapsed() < Duration::from_millis(3500) {
        let ringing = Instant::now();
        assert!(one.ring(&[bell(3)]).await.is_err());
        assert!(ringing.elapsed() < Duration::from_millis(900), "{:?}", ringing.elapsed());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    server.signal("CONT");
    assert!(hears(one.as_ref(), &mut there, 4).await, "answers again, is used again");
}

/// A wiped Redis costs what was in it and nothing else: the next take answers, the next push arrives.
#[tokio::test]
async fn a_wiped_redis_loses_what_it_held_and_goes_on() {
    let Some(_) = redis_url("broker: FLUSHALL") else { return };
    // a Redis of its own: this one forgets the jobs of everybody
    let Some(server) = OwnRedis::start() else { return };
    let Shared { one, other, queue } = on_redis(&server.url);
    let mut redis = raw(&server.url).await;

    one.push(&queue, &some_ids(3)).await.unwrap();
    take_all(other.as_ref(), &queue, 3).await;
    one.push(&queue, &some_ids(3)).await.unwrap();
    let _: () = redis::cmd("FLUSHALL").query_async(&mut redis).await.unwrap();
    for broker in [&one, &other] {
        assert_eq!(broker.take(&queue, 10, 50).await.unwrap(), Vec::new(), "lost, and no error");
    }
    let ids = some_ids(2);
    one.push(&queue, &ids).await.unwrap();
    let jobs = take_all(other.as_ref(), &queue, 2).await;
    assert_eq!(jobs.into_iter().map(|job| job.id).collect::<Vec<_>>(), ids);

    // wiped between a push and the first take: the group is made so that it sees what was pushed before it
    let _: () = redis::cmd("FLUSHALL").query_async(&mut redis).await.unwrap();
    let ids = some_ids(1);
    one.push(&queue, &ids).await.unwrap();
    assert_eq!(take_all(other.as_ref(), &queue, 1).await[0].id, ids[0]);
}

/// The usual moment: a worker has nothing to do and waits when Redis is wiped.
#[tokio::test]
async fn a_wipe_during_a_wait_is_no_error_to_the_waiting_worker() {
    let Some(_) = redis_url("broker: FLUSHALL during a wait") else { return };
    let Some(server) = OwnRedis::start() else { return };
    let Shared { one, other, queue } = on_redis(&server.url);
    let mut redis = raw(&server.url).await;
    one.push(&queue, &some_ids(1)).await.unwrap();
    let first = take_all(one.as_ref(), &queue, 1).await;
    one.done(&queue, &tickets(&first)).await.unwrap();

    let (broker, name) = (Arc::clone(&one), queue.clone());
    let waiting = tokio::spawn(async move { broker.take(&name, 1, 4000).await });
    tokio::time::sleep(Duration::from_millis(200)).await;
    let _: () = redis::cmd("FLUSHALL").query_async(&mut redis).await.unwrap();
    let answer = timeout(SOON, waiting).await.expect("the wait ends").unwrap();
    assert_eq!(answer.map_err(|error| error.to_string()), Ok(Vec::new()));
    let ids = some_ids(1);
    other.push(&queue, &ids).await.unwrap();
    assert_eq!(take_all(one.as_ref(), &queue, 1).await[0].id, ids[0]);
}

#[tokio::test]
async fn a_listener_survives_a_wipe_and_the_end_of_its_connection() {
    let Some(_) = redis_url("broker: a listener's connection") else { return };
    let Some(server) = OwnRedis::start() else { return };
    let Shared { one, other, queue } = on_redis(&server.url);
    let (mut listener, _second) = (one.bells(), one.bells());
    assert!(hears(other.as_ref(), &mut listener, 1).await);
    let mut redis = raw(&server.url).await;
    let _: () = redis::cmd("FLUSHALL").query_async(&mut redis).await.unwrap();
    assert!(hears(other.as_ref(), &mut listener, 2).await, "after FLUSHALL");

    let killed: i64 = redis::cmd("CLIENT").arg("KILL").arg("TYPE").arg("pubsub").query_async(&mut redis).await.unwrap();
    assert_eq!(killed, 1, "one connection to hear by, however many listen, and no other");
    until(&mut listener, Bell::Missed).await;
    assert!(hears(other.as_ref(), &mut listener, 3).await, "after its connection was killed");
    assert!(hears(one.as_ref(), &mut listener, 4).await, "from its own process, too");

    let _: i64 = redis::cmd("CLIENT").arg("KILL").arg("TYPE").arg("normal").query_async(&mut redis).await.unwrap();
    assert!(hears(one.as_ref(), &mut listener, 5).await, "after the shared connection was killed");
    let ids = some_ids(1);
    let pushing = async { while one.push(&queue, &ids).await.is_err() {} };
    timeout(SOON, pushing).await.expect("a push goes through again");
    let taking = async {
        loop {
            if let Ok(jobs) = other.take(&queue, 1, 100).await {
                if !jobs.is_empty() {
                    return jobs;
                }
            }
        }
    };
    assert_eq!(timeout(SOON, taking).await.expect("and so does a take")[0].id, ids[0]);
}

/// A Redis that is away at the start, and one that comes back, cost time and no restart.
#[tokio::test]
async fn a_redis_that_comes_back_is_used_again() {
    let Some(_) = redis_url("broker: Redis away and back") else { return };
    let Some(mut server) = OwnRedis::start() else { return };
    server.kill();
    let Shared { one, other, queue } = on_redis(&server.url);
    assert!(!one.ready().await);
    let refused = timeout(Duration::from_secs(3), one.push(&queue, &some_ids(1))).await.expect("an answer, not a hang");
    assert!(refused.is_err());
    assert!(timeout(Duration::from_secs(3), one.take(&queue, 1, 100)).await.expect("an answer, not a hang").is_err());
    let mut listener = one.bells();
    server.revive();
    assert!(hears(other.as_ref(), &mut listener, 1).await, "a listener that began while Redis was away");
    assert!(one.ready().await);
    let ids = some_ids(1);
    one.push(&queue, &ids).await.unwrap();
    assert_eq!(take_all(other.as_ref(), &queue, 1).await[0].id, ids[0]);
    server.kill();
    assert!(!timeout(Duration::from_secs(3), one.ready()).await.expect("an answer, not a hang"));
    server.revive();
    until(&mut listener, Bell::Missed).await;
    assert!(hears(other.as_ref(), &mut listener, 2).await, "a listener that lost its Redis");
}

/// Who cannot ask the others keeps the pace alone, and waits no longer for it than for a bell.
#[tokio::test]
async fn a_pace_is_kept_by_each_while_redis_is_away() {
    let Some(_) = redis_url("broker: a pace without Redis") else { return };
    let Some(mut server) = OwnRedis::start() else { return };
    let Shared { one, other, queue } = on_redis(&server.url);
    // the bucket fills from here on, also while the server dies
    let began = Instant::now();
    assert_eq!(one.allow(&queue, 100, 100).await, 100);
    server.kill();
    let mut begun = [0, 0];
    while began.elapsed() < Duration::from_secs(1) {
        for (broker, begun) in [&one, &other].into_iter().zip(&mut begun) {
            *begun += broker.allow(&queue, 1000, 100).await;
            broker.spare(&queue, 0, 100).await;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let grown = usize::try_from(began.elapsed().as_millis() / 10).unwrap() + 2;
    println!("begun by each without Redis: {begun:?}, at most {grown} and a second's worth");
    assert!(begun[0] > 0 && begun[0] <= grown, "its second's worth was begun before: {begun:?}");
    assert!((100..=100 + grown).contains(&begun[1]), "{begun:?}");
    assert!(began.elapsed() < Duration::from_secs(3), "nobody waits: {:?}", began.elapsed());
    server.revive();
    assert!(one.ready().await);
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(one.allow(&queue, 10, 100).await + other.allow(&queue, 10, 100).await > 0);
}
