//! One contract for every broker: what the trait promises holds in memory and, with `LSTEST_REDIS_URL`, on Redis.
mod outages;

use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::{StreamExt, stream::BoxStream};
use liusheng::{
    broker::{Bell, Broker, Job, Memory, Redis},
    ids::StreamId,
};
use tokio::time::timeout;
use uuid::Uuid;

use crate::support::{OwnCluster, is_full_run, redis_url};

const SOON: Duration = Duration::from_secs(5);

/// Two processes that share one broker, and a queue that nobody else uses.
struct Shared {
    one: Arc<dyn Broker>,
    other: Arc<dyn Broker>,
    queue: String,
}

fn in_memory() -> Shared {
    let broker: Arc<dyn Broker> = Arc::new(Memory::new());
    Shared { one: Arc::clone(&broker), other: broker, queue: fresh_queue() }
}

fn on_redis(url: &str) -> Shared {
    let open = || -> Arc<dyn Broker> { Arc::new(Redis::open(url).unwrap()) };
    Shared { one: open(), other: open(), queue: fresh_queue() }
}

fn fresh_queue() -> String {
    format!("test-{}", Uuid::now_v7().simple())
}

fn some_ids(count: usize) -> Vec<String> {
    (0..count).map(|_| Uuid::now_v7().to_string()).collect()
}

fn tickets(jobs: &[Job]) -> Vec<String> {
    jobs.iter().map(|job| job.ticket.clone()).collect()
}

/// Takes until so many jobs have come. The first take on a fresh queue may come back empty.
async fn take_all(broker: &dyn Broker, queue: &str, count: usize) -> Vec<Job> {
    let mut jobs = Vec::new();
    let taking = async {
        while jobs.len() < count {
            jobs.extend(broker.take(queue, 10, 200).await.unwrap());
        }
    };
    timeout(SOON, taking).await.expect("the jobs in time");
    jobs
}

async fn nothing_left(broker: &dyn Broker, queue: &str) {
    for _ in 0..3 {
        assert_eq!(broker.take(queue, 10, 50).await.unwrap(), Vec::new());
    }
}

async fn each_job_is_taken_once(shared: &Shared) {
    let ids = some_ids(7);
    shared.one.push(&shared.queue, &ids).await.unwrap();
    let jobs = take_all(shared.one.as_ref(), &shared.queue, 7).await;
    assert_eq!(
        jobs.iter().map(|job| &job.id).collect::<Vec<_>>(),
        ids.iter().collect::<Vec<_>>(),
        "in the order pushed"
    );
    assert_eq!(tickets(&jobs).into_iter().collect::<BTreeSet<_>>().len(), 7, "each with a ticket of its own");
    // taken and not done: nobody else gets them before a minute has passed
    nothing_left(shared.one.as_ref(), &shared.queue).await;
    nothing_left(shared.other.as_ref(), &shared.queue).await;
    shared.one.done(&shared.queue, &tickets(&jobs)).await.unwrap();
    nothing_left(shared.other.as_ref(), &shared.queue).await;
    // done twice, or done with nothing, is no error
    shared.one.done(&shared.queue, &tickets(&jobs)).await.unwrap();
    shared.one.done(&shared.queue, &[]).await.unwrap();
    shared.one.push(&shared.queue, &[]).await.unwrap();
    nothing_left(shared.one.as_ref(), &shared.queue).await;
}

async fn two_consumers_share(shared: &Shared) {
    let queue = fresh_queue();
    let ids = some_ids(200);
    let consume = |broker: Arc<dyn Broker>| {
        let queue = queue.clone();
        tokio::spawn(async move {
            let mut mine = Vec::new();
            let mut empty = 0;
            while empty < 4 {
                let jobs = broker.take(&queue, 5, 300).await.unwrap();
                empty = if jobs.is_empty() { empty + 1 } else { 0 };
                broker.done(&queue, &tickets(&jobs)).await.unwrap();
                mine.extend(jobs.into_iter().map(|job| job.id));
                // work takes a while, so that the other one gets some
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            mine
        })
    };
    let (left, right) = (consume(Arc::clone(&shared.one)), consume(Arc::clone(&shared.other)));
    for some in ids.chunks(20) {
        shared.other.push(&queue, some).await.unwrap();
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let (left, right) = (left.await.unwrap(), right.await.unwrap());
    assert!(!left.is_empty() && !right.is_empty(), "{} and {}", left.len(), right.len());
    let mut all = [left, right].concat();
    all.sort();
    let mut wanted = ids;
    wanted.sort();
    assert_eq!(all, wanted, "every job once, to one of the two");
}

async fn a_take_waits_for_a_push(shared: &Shared) {
    let queue = fresh_queue();
    // makes the queue known, so that the wait below is a wait
    shared.one.take(&queue, 1, 0).await.unwrap();
    let (broker, name) = (Arc::clone(&shared.one), queue.clone());
    let waiting = tokio::spawn(async move { broker.take(&name, 1, 4000).await.unwrap() });
    tokio::time::sleep(Duration::from_millis(150)).await;
    // the waiting consumer must not hold up what else goes over the same broker
    timeout(Duration::from_secs(1), shared.one.ring(&[Bell::Deliveries]))
        .await
        .expect("a ring goes past a wait")
        .unwrap();
    let ids = some_ids(1);
    timeout(Duration::from_secs(1), shared.one.push(&queue, &ids)).await.expect("a push goes past a wait").unwrap();
    let jobs = timeout(Duration::from_secs(2), waiting).await.expect("the wait ends with the push").unwrap();
    assert_eq!(jobs.into_iter().map(|job| job.id).collect::<Vec<_>>(), ids);
}

/// A process waits for several queues at once.
async fn a_wait_for_one_queue_holds_up_no_other(shared: &Shared) {
    let (quiet, busy) = (fresh_queue(), fresh_queue());
    for queue in [&quiet, &busy] {
        shared.one.take(queue, 1, 0).await.unwrap();
    }
    let broker = Arc::clone(&shared.one);
    let waiting = tokio::spawn(async move { broker.take(&quiet, 1, 4000).await.unwrap() });
    tokio::time::sleep(Duration::from_millis(150)).await;
    let ids = some_ids(1);
    shared.one.push(&busy, &ids).await.unwrap();
    let taken = timeout(Duration::from_secs(1), shared.one.take(&busy, 1, 4000)).await;
    let jobs = taken.expect("a take goes past a wait for another queue").unwrap();
    assert_eq!(jobs.into_iter().map(|job| job.id).collect::<Vec<_>>(), ids);
    waiting.abort();
}

fn bell(number: i64) -> Bell {
    Bell::Stream { id: StreamId(Uuid::from_u128(0x11d)), seq: number }
}

/// Rings until the listener hears; a listener may need a moment to be there.
async fn hears(ringing: &dyn Broker, listener: &mut BoxStream<'static, Bell>, number: i64) -> bool {
    for _ in 0..50 {
        // while Redis is away this fails, which is what the callers expect of it
        drop(ringing.ring(&[bell(number)]).await);
        let wait = async { while listener.next().await.expect("the bells go on") != bell(number) {} };
        if timeout(Duration::from_millis(200), wait).await.is_ok() {
            return true;
        }
    }
    false
}

async fn bells_reach_every_listener(shared: &Shared) {
    let mut listeners = vec![shared.one.bells(), shared.one.bells(), shared.other.bells()];
    for listener in &mut listeners {
        // a process hears itself before it hears the others
        assert!(hears(shared.one.as_ref(), listener, 1).await && hears(shared.other.as_ref(), listener, 2).await);
    }
    let rung: Vec<Bell> = (100..140).map(bell).collect();
    let ours = StreamId(Uuid::from_u128(0x11d));
    shared.one.ring(&rung[..20]).await.unwrap();
    shared.other.ring(&rung[20..]).await.unwrap();
    for listener in &mut listeners {
        let mut heard = BTreeSet::new();
        let hearing = async {
            while heard.len() < 40 {
                match listener.next().await.expect("the bells go on") {
                    // servers of other tests ring on the same Redis
                    Bell::Stream { id, seq } if id == ours && seq >= 100 => {
                        assert!(heard.insert(seq), "bell {seq} rang twice");
                    }
                    _ => {}
                }
            }
        };
        timeout(SOON, hearing).await.expect("every bell, at every listener");
    }
}

/// Streams lie in many partitions; every process hears each of them, once.
async fn bells_of_all_streams_are_heard(shared: &Shared) {
    let (mut here, mut there) = (shared.one.bells(), shared.other.bells());
    assert!(hears(shared.one.as_ref(), &mut here, 1).await && hears(shared.one.as_ref(), &mut there, 1).await);
    let rung: BTreeSet<StreamId> = (0..300).map(|_| StreamId(Uuid::now_v7())).collect();
    let bells: Vec<Bell> = rung.iter().map(|id| Bell::Stream { id: *id, seq: 7 }).collect();
    // not too many at once: who does not answer in a quarter of a second is left alone
    for some in bells.chunks(25) {
        shared.one.ring(some).await.unwrap();
    }
    for listener in [&mut here, &mut there] {
        let mut heard = BTreeSet::new();
        let hearing = async {
            while heard.len() < rung.len() {
                if let Some(Bell::Stream { id, seq: 7 }) = listener.next().await
                    && rung.contains(&id)
                {
                    assert!(heard.insert(id), "rang twice");
                }
            }
        };
        timeout(SOON, hearing).await.expect("the bells of all streams");
    }
}

/// What all together may begin in a second is not what each of them may; what was not begun is free for the others.
async fn a_pace_is_of_all_together(shared: &Shared) {
    let what = fresh_queue();
    assert_eq!(shared.one.allow(&what, 0, 100).await, 0);
    let first = Instant::now();
    let mut begun = 0;
    while first.elapsed() < Duration::from_secs(2) {
        begun += shared.one.allow(&what, 40, 100).await + shared.other.allow(&what, 40, 100).await;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    // a second's worth at once, and then as time goes by
    let most = 102 + usize::try_from(first.elapsed().as_millis() / 10).unwrap();
    assert!((150..=most).contains(&begun), "more than all may begin, or too few: {begun} of {most}");
    let what = fresh_queue();
    assert_eq!(shared.one.allow(&what, 500, 100).await, 100);
    shared.one.spare(&what, 90, 100).await;
    assert_eq!(shared.other.allow(&what, 80, 100).await, 80, "what one did not begin");
}

async fn contract(shared: Shared) {
    assert!(shared.one.ready().await);
    each_job_is_taken_once(&shared).await;
    two_consumers_share(&shared).await;
    a_take_waits_for_a_push(&shared).await;
    a_wait_for_one_queue_holds_up_no_other(&shared).await;
    bells_reach_every_listener(&shared).await;
    bells_of_all_streams_are_heard(&shared).await;
    a_pace_is_of_all_together(&shared).await;
}

#[tokio::test]
async fn the_contract_holds_in_memory() {
    contract(in_memory()).await;
}

#[tokio::test]
async fn the_contract_holds_on_redis() {
    let Some(url) = redis_url("broker: the contract") else { return };
    contract(on_redis(&url)).await;
}

/// Two installations on one Redis, whose channels know no databases.
#[tokio::test]
async fn what_rings_in_another_database_is_not_heard() {
    let (Some(ours), Some(theirs)) = (redis_url("broker: two installations"), redis_url("broker: the other")) else {
        return;
    };
    let (ours, theirs) = (on_redis(&ours), on_redis(&theirs));
    let mut listener = ours.one.bells();
    assert!(hears(ours.other.as_ref(), &mut listener, 1).await && theirs.one.ready().await);
    theirs.one.ring(&[bell(7)]).await.unwrap();
    ours.other.ring(&[bell(8)]).await.unwrap();
    let hearing = async {
        loop {
            let heard = listener.next().await.expect("the bells go on");
            if [bell(7), bell(8)].contains(&heard) {
                return heard;
            }
        }
    };
    assert_eq!(timeout(SOON, hearing).await.expect("the bell of the own database"), bell(8));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_contract_holds_on_a_cluster() {
    let Some(_) = redis_url("broker: the contract on a cluster") else { return };
    let Some(cluster) = OwnCluster::start() else { return };
    contract(on_redis(&cluster.url)).await;
    let shared = on_redis(&cluster.url);
    let mut listener = shared.one.bells();
    assert!(hears(shared.other.as_ref(), &mut listener, 1).await);
    let listeners = cluster.listeners();
    println!("partitions on each node: {listeners:?}");
    assert_eq!(listeners.iter().sum::<usize>(), 64);
    assert!(listeners.iter().all(|count| *count >= 15), "every node rings its share");
}

/// The minute is a minute here; only the full run has it.
#[tokio::test]
async fn in_memory_a_job_that_is_not_done_is_offered_again_after_a_minute() {
    if !is_full_run() {
        eprintln!("skipped, because LSTEST_FULL is not 1: broker: the minute of a job in memory");
        return;
    }
    let Shared { one, queue, .. } = in_memory();
    one.push(&queue, &some_ids(2)).await.unwrap();
    let first = one.take(&queue, 2, 0).await.unwrap();
    one.done(&queue, &tickets(&first[..1])).await.unwrap();
    tokio::time::sleep(Duration::from_secs(55)).await;
    assert_eq!(one.take(&queue, 2, 0).await.unwrap(), Vec::new());
    tokio::time::sleep(Duration::from_secs(6)).await;
    let again = one.take(&queue, 2, 0).await.unwrap();
    assert_eq!(again.iter().map(|job| &job.id).collect::<Vec<_>>(), [&first[1].id]);
    // the first ticket is void: whoever was given up on must not finish the second try
    one.done(&queue, &tickets(&first)).await.unwrap();
    tokio::time::sleep(Duration::from_secs(61)).await;
    assert_eq!(one.take(&queue, 2, 0).await.unwrap().len(), 1);
}

/// A worker that died holds its jobs for a minute. The minute is Redis's own, so the entry is made older than it is.
#[tokio::test]
async fn on_redis_the_job_of_a_dead_worker_is_offered_to_another() {
    let Some(url) = redis_url("broker: a dead worker") else { return };
    let Shared { one, other, queue } = on_redis(&url);
    let ids = some_ids(3);
    one.push(&queue, &ids).await.unwrap();
    let held = take_all(one.as_ref(), &queue, 3).await;
    one.done(&queue, &tickets(&held[..1])).await.unwrap();
    drop(one);
    nothing_left(other.as_ref(), &queue).await;

    let mut redis = raw(&url).await;
    let key = format!("ls:queue:{queue}");
    let pending: Vec<(String, String, u64, u64)> = redis::cmd("XPENDING")
        .arg(&key)
        .arg("workers")
        .arg("-")
        .arg("+")
        .arg(10)
        .query_async(&mut redis)
        .await
        .unwrap();
    assert_eq!(pending.len(), 2, "two are held, one is done");
    for (entry, consumer, _, _) in &pending {
        let mut age = redis::cmd("XCLAIM");
        age.arg(&key).arg("workers").arg(consumer).arg(0).arg(entry).arg("IDLE").arg(60_001).arg("JUSTID");
        let _: Vec<String> = age.query_async(&mut redis).await.unwrap();
    }
    let again = take_all(other.as_ref(), &queue, 2).await;
    assert_eq!(again.iter().map(|job| &job.id).collect::<Vec<_>>(), ids[1..].iter().collect::<Vec<_>>());
    other.done(&queue, &tickets(&again)).await.unwrap();
    let left: u64 = redis::cmd("XLEN").arg(&key).query_async(&mut redis).await.unwrap();
    assert_eq!(left, 0, "what is done does not stay in Redis");
}

async fn raw(url: &str) -> redis::aio::MultiplexedConnection {
    redis::Client::open(url).unwrap().get_multiplexed_async_connection().await.unwrap()
}

/// Consumers of a queue, and how much is pending for each.
async fn consumers(url: &str, queue: &str) -> Vec<usize> {
    let mut line = redis::Client::open(url).unwrap().get_multiplexed_async_connection().await.unwrap();
    let key = format!("ls:queue:{queue}");
    let info: redis::streams::StreamInfoConsumersReply =
        redis::cmd("XINFO").arg("CONSUMERS").arg(key).arg("workers").query_async(&mut line).await.unwrap();
    info.consumers.iter().map(|one| one.pending).collect()
}

#[tokio::test]
async fn a_process_that_stopped_in_order_is_forgotten_and_its_open_jobs_are_not() {
    let Some(url) = redis_url("consumers that stop") else { return };
    let shared = on_redis(&url);
    shared.one.push(&shared.queue, &some_ids(2)).await.unwrap();
    let jobs = take_all(shared.one.as_ref(), &shared.queue, 2).await;
    shared.other.take(&shared.queue, 1, 0).await.unwrap();
    shared.one.done(&shared.queue, &tickets(&jobs[..1])).await.unwrap();
    shared.other.leave().await.unwrap();
    assert_eq!(consumers(&url, &shared.queue).await, [1], "the one has a job that is not done");
    shared.one.leave().await.unwrap();
    assert_eq!(consumers(&url, &shared.queue).await, [1], "which is offered to another after a minute");
    shared.one.done(&shared.queue, &tickets(&jobs)).await.unwrap();
    shared.one.take(&shared.queue, 1, 0).await.unwrap();
    shared.one.leave().await.unwrap();
    assert_eq!(consumers(&url, &shared.queue).await, Vec::<usize>::new());
    // nothing to leave, and a queue that is not known
    shared.one.leave().await.unwrap();
}
