//! Runs the rounds of all registrations of an invocation.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::Semaphore;
use tokio::time::sleep;

use crate::aws::call::{Calls, backoff};
use crate::model::registration::Listed;
use crate::model::update::STORED;
use crate::reconcile::aws_services::AwsServices;
use crate::reconcile::job::Job;
use crate::reconcile::outcome::ConnectorResult;
use crate::reconcile::progress::{Next, Pause, Progress};
use crate::reconcile::recent::until_listed;
use crate::reconcile::round::round;

/// The most registrations that work at the same time. It is enough that the connectors among a thousand
/// that an event is about are found in seconds (docs/performance.md). AppFlow's request rates are not
/// published, so it is a guess what they allow.
const SLOTS: usize = 16;
/// The first pause while a function is not ready; each pause is twice as long as the one before.
const FIRST_POLL: Duration = Duration::from_millis(250);
/// The longest pause, which is the most that waiting adds to the delay of an update.
const LONGEST_POLL: Duration = Duration::from_secs(20);
/// The same in a sweep, which may wait for many functions.
const LONGEST_POLL_OF_SWEEP: Duration = Duration::from_secs(60);
/// A pause before a function is read again ends this long before the deadline, so that there is time for
/// one more round.
const LAST_ROUND: Duration = Duration::from_secs(5);

/// Brings these registrations up to date. `finished` gets each result as soon as it is
/// known. Registrations that the job is not about have none.
pub async fn reconcile(
    job: &Job,
    listed: &[Listed],
    calls: &Calls<'_>,
    finished: impl Fn(&ConnectorResult),
) -> Vec<ConnectorResult> {
    let until_listed = until_listed(job, calls.now()).min(calls.left());
    // Even a timer that has run out costs up to a millisecond.
    if !until_listed.is_zero() {
        sleep(until_listed).await;
    }
    let slots = Semaphore::new(SLOTS);
    let registrations = listed.iter().map(
        async |Listed {
                   label,
                   owned_by_aws,
               }| {
            let services = AwsServices::new(calls, job, *owned_by_aws);
            let mut progress = Progress::default();
            let mut slot = slots.acquire().await;
            loop {
                // Boxed, so that a registration that waits does not hold the memory of a round.
                match Box::pin(round(job, label, progress, &services)).await {
                    Next::Done(result) => return result.inspect(&finished),
                    Next::Again(left, Pause::None) => progress = left,
                    Next::Again(left, pause) => {
                        progress = left;
                        drop(slot);
                        sleep(until_next_round(pause, job.is_sweep(), calls.left())).await;
                        slot = slots.acquire().await;
                    }
                }
            }
        },
    );
    join_all(registrations)
        .await
        .into_iter()
        .flatten()
        .collect()
}

/// The time until the next round. At the deadline, the next round reports what it waited for.
fn until_next_round(pause: Pause, is_sweep: bool, left: Duration) -> Duration {
    let pause = match pause {
        Pause::None => Duration::ZERO,
        Pause::Poll(polls) => {
            let longest = if is_sweep {
                LONGEST_POLL_OF_SWEEP
            } else {
                LONGEST_POLL
            };
            let pause = (FIRST_POLL * 2_u32.pow(polls.into())).min(longest);
            match left.checked_sub(LAST_ROUND) {
                Some(left) if !left.is_zero() => pause.min(left),
                _ => pause,
            }
        }
        Pause::Retry(tries) => backoff(tries.into()),
        Pause::Unanswered => STORED,
    };
    pause.min(left)
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::time::SystemTime;

    use aws_config::{BehaviorVersion, SdkConfig};

    use super::*;
    use crate::aws::clients::Aws;
    use crate::aws::deadline::Deadline;
    use crate::reconcile::job::tests::job;
    use crate::reconcile::progress::LAST_POLL;

    #[tokio::test]
    async fn each_registration_of_a_sweep_has_a_result_even_without_credentials() {
        let latest = BehaviorVersion::latest();
        let config = SdkConfig::builder().behavior_version(latest).build();
        let aws = Aws::new(&config).await;
        let now = SystemTime::now();
        let calls = aws.until(Deadline::before(now + Duration::from_secs(60), now));
        let labels = ["acme-crm", "acme-erp"];
        let listed = labels.map(|label| Listed {
            label: label.parse().unwrap(),
            owned_by_aws: false,
        });
        let finished = RefCell::new(Vec::new());
        let finish = |result: &ConnectorResult| finished.borrow_mut().push(result.label.clone());
        let results = reconcile(&job(), &listed, &calls, finish).await;
        let named: Vec<_> = results.iter().map(|result| &result.label).collect();
        assert_eq!(named, labels);
        assert_eq!(finished.into_inner(), labels);
    }

    #[test]
    fn polls_back_off_to_twenty_seconds_and_in_a_sweep_to_a_minute() {
        let long = Duration::from_secs(900);
        let pauses = |is_sweep| -> Vec<u128> {
            (0..=LAST_POLL)
                .map(|polls| until_next_round(Pause::Poll(polls), is_sweep, long).as_millis())
                .collect()
        };
        let event = [250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 20_000, 20_000];
        assert_eq!(pauses(false), event);
        let sweep = [250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000];
        assert_eq!(pauses(true), sweep);
    }

    #[test]
    fn a_pause_for_a_function_leaves_time_for_one_more_round() {
        let poll = |left| until_next_round(Pause::Poll(8), false, Duration::from_secs(left));
        for (left, pause) in [(30, 20), (25, 20), (24, 19), (6, 1), (5, 5), (3, 3), (0, 0)] {
            assert_eq!(poll(left), Duration::from_secs(pause), "{left}");
        }
        // Until AppFlow has stored what it may have read, there is nothing to do.
        let unanswered =
            |left| until_next_round(Pause::Unanswered, false, Duration::from_secs(left));
        assert_eq!(unanswered(30), Duration::from_secs(12));
        assert_eq!(unanswered(10), Duration::from_secs(10));
        assert_eq!(
            until_next_round(Pause::None, false, Duration::from_secs(9)),
            Duration::ZERO
        );
    }

    #[test]
    fn a_pause_before_a_retry_is_half_fixed_and_half_random() {
        let long = Duration::from_secs(900);
        for (tries, longest) in [(1, 1.0), (2, 2.0), (3, 4.0), (4, 8.0), (5, 8.0), (200, 8.0)] {
            for _ in 0..100 {
                let pause = until_next_round(Pause::Retry(tries), false, long).as_secs_f64();
                assert!(
                    (longest / 2.0..=longest).contains(&pause),
                    "{tries}: {pause}"
                );
            }
        }
    }
}
