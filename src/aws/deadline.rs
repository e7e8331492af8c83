//! The time that an invocation has left.

use std::time::{Duration, SystemTime};

use tokio::time::Instant;

/// What is kept back of an invocation's time to write the report: logging and answering a thousand
/// registrations takes a small part of it, even on the CPU share of the smallest function.
const REPORTING: Duration = Duration::from_secs(1);

/// Lambda's own limit on a function's timeout.
const LONGEST_INVOCATION: Duration = Duration::from_secs(900);

/// When work has to stop so that a report still reaches Lambda before Lambda ends the process.
#[derive(Clone, Copy, Debug)]
pub struct Deadline(Instant);

impl Deadline {
    /// The deadline for an invocation that Lambda ends at `end`.
    pub fn before(end: SystemTime) -> Self {
        let left = left_until(end, SystemTime::now());
        Self(Instant::now() + left.saturating_sub(REPORTING))
    }

    /// What is left of it.
    pub fn left(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    /// Runs `work` until the deadline; `None` when it was not done by then, or would only begin
    /// after it.
    pub async fn cut<T>(self, work: impl Future<Output = T>) -> Option<T> {
        if self.left().is_zero() {
            return None;
        }
        tokio::time::timeout_at(self.0, work).await.ok()
    }
}

/// `cargo lambda` gives the length of an invocation where Lambda gives the time of its end.
fn left_until(end: SystemTime, now: SystemTime) -> Duration {
    match end.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(length) if length <= LONGEST_INVOCATION => length,
        _ => end.duration_since(now).unwrap_or(Duration::ZERO),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_a_time_or_else_a_length() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        for (end, left) in [
            (now + Duration::from_secs(30), 30),
            (now, 0),
            (now - Duration::from_secs(30), 0),
            (SystemTime::UNIX_EPOCH + Duration::from_secs(600), 600),
            (SystemTime::UNIX_EPOCH + Duration::from_secs(901), 0),
        ] {
            assert_eq!(left_until(end, now), Duration::from_secs(left), "{end:?}");
        }
    }
}
