//! Makes the calls that the steps of an invocation ask for. Only this part of `reconcile` awaits.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::LocalBoxFuture;
use futures_util::stream::FuturesUnordered;
use tokio::time::{Instant, sleep};

use crate::aws::call::{Calls, THROTTLED_ROUND, throttled_pause};
use crate::model::readiness::Readiness;
use crate::model::registration::Undescribed;
use crate::model::service_error::{ErrorKind, ServiceError};
use crate::reconcile::outcome::Connector;
use crate::reconcile::steps::{Answer, Call, Of, Pause, Steps, Timing, Why};

/// The most calls in flight at the same time: enough that a thousand registrations take seconds
/// (docs/performance.md). AppFlow's request rates are not published, so it is a guess what they allow.
/// Waiting for a function does not count, but the SDK's pauses between the attempts of a call do.
const IN_FLIGHT: usize = 16;
/// A call that took longer was retried or throttled, or waited for a connector or its turn: what was
/// described before it may be outdated.
const DELAY: Duration = Duration::from_secs(2);
/// The longest pause before a failed call is retried; the first is up to one second.
const LONGEST_BACKOFF: Duration = Duration::from_secs(8);
/// When an update's response was lost, AppFlow is assumed to have stored the update by then, or not to
/// store it at all: it gives a connector 10 seconds to respond (Amazon AppFlow user guide, custom
/// connectors). How long storing takes is not documented.
const STORED: Duration = Duration::from_secs(12);

/// Runs the steps to their end, and returns each registration with its outcome, in the order of the
/// labels. `finished` gets each as soon as it is known.
pub async fn run(
    mut steps: Steps,
    aws: &Calls<'_>,
    finished: impl Fn(&Connector),
) -> Vec<Connector> {
    let mut connectors = Vec::new();
    let mut waiting: Vec<Asked> = Vec::new();
    let mut running = FuturesUnordered::<LocalBoxFuture<'_, Next>>::new();
    let mut in_flight = 0;
    loop {
        for connector in steps.finished() {
            finished(&connector);
            connectors.push(connector);
        }
        for overdue in waiting.extract_if(.., |asked| asked.is_overdue()) {
            steps.overdue(&overdue.call);
        }
        for call in steps.calls() {
            log_call(&call);
            let pause = pause_before(&call);
            let at = Instant::now();
            let asked = Asked { call, at };
            match pause {
                None => waiting.push(asked),
                Some(pause) => running.push(Box::pin(paused(asked, pause, aws))),
            }
        }
        if steps.is_done() {
            break;
        }
        // The most urgent are at the end.
        waiting.sort_by_key(|asked| asked.call.urgency());
        while in_flight < IN_FLIGHT
            && let Some(asked) = waiting.pop()
        {
            in_flight += 1;
            running.push(Box::pin(make(asked, aws)));
        }
        match running.next().await {
            // This is a bug, and must not look like success.
            None => panic!("nothing is under way, and a registration is not done"),
            // It is not a call, so it does not wait for a turn.
            Some(Next::Make(Asked {
                call: Call::Linger { target, pause },
                ..
            })) => steps.answer(
                Answer::Lingered(target, pause),
                Timing {
                    delayed: false,
                    time_left: true,
                },
            ),
            Some(Next::Make(asked)) => waiting.push(asked),
            Some(Next::Answered(asked, answer, timing)) => {
                in_flight -= 1;
                let call = &asked.call;
                // The steps themselves retry an update, after they have observed again.
                match error(&answer) {
                    Some(error)
                        if error.kind == ErrorKind::Throttled
                            && timing.time_left
                            && !matches!(call, Call::Update { .. }) =>
                    {
                        tracing::warn!("{} throttled; retrying", error.operation.name());
                        running.push(Box::pin(paused(asked, throttled_pause(), aws)));
                    }
                    _ => {
                        log_answer(call, &answer);
                        steps.answer(*answer, timing);
                    }
                }
            }
        }
    }
    connectors.sort_by(|a, b| a.label.cmp(&b.label));
    connectors
}

/// A call, and when the steps asked for it. Since then it may have waited for its turn, or was
/// throttled.
struct Asked {
    call: Call,
    at: Instant,
}

impl Asked {
    /// Whether it is an update that has waited for its turn for so long that its plan may be outdated.
    fn is_overdue(&self) -> bool {
        matches!(self.call, Call::Update { .. }) && self.at.elapsed() > DELAY
    }
}

/// What happens next in a run.
enum Next {
    /// A pause is over.
    Make(Asked),
    /// A call was answered.
    Answered(Asked, Box<Answer>, Timing),
}

/// Waits before a call, but not beyond the deadline: then the call itself returns the error.
async fn paused(asked: Asked, pause: Duration, aws: &Calls<'_>) -> Next {
    sleep(pause.min(aws.left())).await;
    Next::Make(asked)
}

fn pause_before(call: &Call) -> Option<Duration> {
    match call {
        Call::Look {
            wait: Some(wait), ..
        } => Some(wait.pause),
        Call::Linger { pause, .. } => Some(*pause),
        Call::Describe { pause, .. } | Call::Grant { pause, .. } => {
            pause.map(|pause| match pause {
                Pause::Failed(tries) => {
                    let longest = Duration::from_secs(1) * 2_u32.saturating_pow(tries - 1);
                    // Full jitter: calls that failed together are not retried together.
                    longest.min(LONGEST_BACKOFF).mul_f64(fastrand::f64())
                }
                Pause::Unanswered => STORED,
            })
        }
        _ => None,
    }
}

/// Makes one call.
async fn make(asked: Asked, aws: &Calls<'_>) -> Next {
    let answer = match &asked.call {
        Call::Describe { id, label, why, .. } => {
            Answer::Described(*id, *why, aws.describe(label).await)
        }
        Call::Versions { function, of } => {
            Answer::Versions(function.clone(), of.clone(), aws.versions(function).await)
        }
        Call::Exists(registered) => {
            let look = aws.look(registered).await;
            Answer::Exists(registered.clone(), look.map(drop))
        }
        Call::Look {
            target, at, check, ..
        } => Answer::Looked(target.clone(), *check, aws.look(at).await),
        Call::Grant { target, source, .. } => {
            Answer::Granted(target.clone(), aws.allow_appflow(target, source).await)
        }
        Call::Update { id, plan, .. } => Answer::Updated(*id, aws.update(plan).await),
        Call::Linger { target, pause } => Answer::Lingered(target.clone(), *pause),
    };
    let timing = Timing {
        delayed: asked.at.elapsed() > DELAY,
        time_left: aws.left() > THROTTLED_ROUND,
    };
    Next::Answered(asked, Box::new(answer), timing)
}

fn error(answer: &Answer) -> Option<&ServiceError> {
    match answer {
        Answer::Described(_, _, Err(Undescribed::Call(error)))
        | Answer::Versions(_, _, Err(error))
        | Answer::Exists(_, Err(error))
        | Answer::Looked(_, _, Err(error))
        | Answer::Granted(_, Err(error))
        | Answer::Updated(_, Err(error)) => Some(error),
        _ => None,
    }
}

/// Logs what a call shows before it is made: that a function is waited for, and that a description is
/// left out.
fn log_call(call: &Call) {
    match call {
        Call::Look {
            target,
            wait: Some(wait),
            ..
        } if wait.first => {
            tracing::info!(functionArn = %target, state = wait.state, "waiting for the function");
        }
        Call::Look {
            target,
            wait: Some(wait),
            ..
        } => {
            tracing::debug!(functionArn = %target, state = wait.state, "waiting for the function");
        }
        Call::Update {
            plan,
            left_out: Some(reason),
            ..
        } => {
            tracing::warn!(
                connectorLabel = plan.label.as_str(),
                "the connector's description is left out of the update: {reason}"
            );
        }
        _ => {}
    }
}

/// Logs what an answer shows that the registration's own log line does not have.
fn log_answer(call: &Call, answer: &Answer) {
    let denied = |error: &ServiceError| error.kind == ErrorKind::AccessDenied;
    match (call, answer) {
        (Call::Look { target, .. }, Answer::Looked(_, false, Ok(look))) => {
            if let Readiness::ReadyAsBefore(reason) = &look.readiness {
                tracing::warn!(
                    functionArn = %target,
                    "the function's last update failed; AppFlow reads the code from before it: {reason}"
                );
            }
        }
        (Call::Look { target, .. }, Answer::Looked(_, _, Err(error))) if denied(error) => {
            tracing::warn!(
                functionArn = %target,
                "not authorized to check whether the function is ready; continuing: {error}"
            );
        }
        (Call::Exists(registered), Answer::Exists(_, Err(error))) if denied(error) => {
            tracing::warn!(
                registeredArn = %registered,
                "not authorized to check whether the registered version still exists: {error}"
            );
        }
        (Call::Versions { function, of }, Answer::Versions(_, _, Err(error)))
            if denied(error) || matches!(of, Of::Description(_)) =>
        {
            tracing::warn!(
                functionArn = %function,
                "cannot look up the function's versions: {error}"
            );
        }
        (Call::Grant { target, .. }, Answer::Granted(_, Err(error)))
            if error.kind != ErrorKind::Conflict =>
        {
            tracing::warn!(
                targetArn = %target,
                "AppFlow was not granted permission to invoke the version; updating anyway: {error}"
            );
        }
        (
            Call::Describe { label, .. },
            Answer::Described(_, _, Err(Undescribed::NoFunction(why))),
        ) => {
            tracing::warn!(connectorLabel = label.as_str(), "{why}");
        }
        (
            Call::Describe { label, .. },
            Answer::Described(_, Why::Evidence(_), Err(Undescribed::Call(error))),
        ) => {
            tracing::warn!(
                connectorLabel = label.as_str(),
                "updated, but what the update changed is unknown: {error}"
            );
        }
        (Call::Update { plan, .. }, Answer::Updated(_, Err(error)))
            if error.kind.is_transient() =>
        {
            tracing::warn!(
                connectorLabel = plan.label.as_str(),
                code = error.code,
                "the update failed with a transient error: {error}"
            );
        }
        _ => {}
    }
}
