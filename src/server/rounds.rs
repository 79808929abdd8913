//! Work that goes on until we end: what panics is named in the log, counted, and begun anew.
use std::{panic::AssertUnwindSafe, time::Duration};

use futures_util::FutureExt;
use tokio_util::sync::CancellationToken;

/// What lasts is begun anew so long after it panicked.
const ANEW: Duration = Duration::from_secs(1);
const PANICS: &str = "task_panics_total";

/// Does some work again and again until we end. A round that panics is not the last one: deadlines would stand still until
/// somebody starts the server anew.
pub(super) async fn every<F, Fut>((task, period): (&'static str, Duration), stop: CancellationToken, work: F)
where
    F: Fn() -> Fut,
    Fut: Future<Output = ()>,
{
    metrics::counter!(PANICS, "task" => task).increment(0);
    let mut ticks = tokio::time::interval(period);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {
                ends_well(task, work()).await;
            }
            () = stop.cancelled() => return,
        }
    }
}

/// Does what goes on by itself until we end.
pub(super) async fn lasting<F, Fut>(task: &'static str, stop: CancellationToken, work: F)
where
    F: Fn() -> Fut,
    Fut: Future<Output = ()>,
{
    metrics::counter!(PANICS, "task" => task).increment(0);
    while !ends_well(task, work()).await {
        tokio::select! {
            () = tokio::time::sleep(ANEW) => {}
            () = stop.cancelled() => return,
        }
    }
}

async fn ends_well(task: &'static str, work: impl Future<Output = ()>) -> bool {
    let is_well = AssertUnwindSafe(work).catch_unwind().await.is_ok();
    if !is_well {
        tracing::error!(task, "a task panicked");
        metrics::counter!(PANICS, "task" => task).increment(1);
    }
    is_well
}

/// What has no end of its own is left where it is when we are to end: its units of work are done, or not at all.
pub(super) async fn until(stop: CancellationToken, work: impl Future<Output = ()>) {
    tokio::select! {
        () = work => {}
        () = stop.cancelled() => {}
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    use metrics_exporter_prometheus::PrometheusBuilder;

    use super::*;

    /// Work whose first time panics, and which ends us the second time.
    fn panics_first(
        stop: &CancellationToken,
    ) -> (Arc<AtomicUsize>, impl Fn() -> futures_util::future::BoxFuture<'static, ()>) {
        let (rounds, ends) = (Arc::new(AtomicUsize::new(0)), stop.clone());
        let counted = Arc::clone(&rounds);
        let work = move || {
            let (number, ends) = (counted.fetch_add(1, Ordering::SeqCst), ends.clone());
            async move {
                assert!(number > 0, "the first one panics");
                ends.cancel();
            }
            .boxed()
        };
        (rounds, work)
    }

    #[test]
    fn what_panics_is_named_counted_and_begun_anew() {
        let recorder = PrometheusBuilder::new().build_recorder();
        let figures = recorder.handle();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        metrics::with_local_recorder(&recorder, || {
            runtime.block_on(async {
                let stop = CancellationToken::new();
                let (rounds, work) = panics_first(&stop);
                every(("boards", Duration::from_millis(1)), stop.clone(), work).await;
                assert!(rounds.load(Ordering::SeqCst) > 1);
                let stop = CancellationToken::new();
                let (rounds, work) = panics_first(&stop);
                lasting("relay", stop.clone(), work).await;
                assert_eq!(rounds.load(Ordering::SeqCst), 2);
            });
        });
        let told = figures.render();
        for task in ["boards", "relay"] {
            assert!(told.contains(&format!("task_panics_total{{task=\"{task}\"}} 1")), "{told}");
        }
    }

    #[tokio::test]
    async fn what_has_no_end_is_left_when_we_are_to_end() {
        let stop = CancellationToken::new();
        let work = tokio::spawn(until(stop.clone(), std::future::pending()));
        tokio::task::yield_now().await;
        assert!(!work.is_finished());
        stop.cancel();
        tokio::time::timeout(Duration::from_secs(5), work).await.unwrap().unwrap();
    }
}
