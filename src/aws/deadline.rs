//! When an invocation has to stop working.

use std::time::{Duration, SystemTime};

use tokio::time::Instant;

/// The time that is reserved for the report. Logging and returning a thousand registrations takes a
/// small part of it, even on the CPU share of the smallest function.
const REPORTING: Duration = Duration::from_secs(1);

/// Lambda's own limit on a function's timeout.
const LONGEST_INVOCATION: Duration = Duration::from_secs(900);

/// When work has to stop so that a report still reaches Lambda before Lambda ends the process.
#[derive(Clone, Copy, Debug)]
pub struct Deadline(Instant);

impl Deadline {
    /// The deadline of an invocation that Lambda ends at `end`, where it is `now`.
    pub fn before(end: SystemTime, now: SystemTime) -> Self {
        let left = left_until(end, now);
        Self(Instant::now() + left.saturating_sub(REPORTING))
    }

    /// The time left until then.
    pub fn left(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    /// Runs `work` until the deadline; `None` if it was not done by then, or could not begin before.
    pub async fn cut<T>(self, work: impl Future<Output = T>) -> Option<T> {
        if self.left().is_zero() {
            return None;
        }
        tokio::time::timeout_at(self.0, work).await.ok()
    }
}

/// Where Lambda sends the time at which an invocation ends, `cargo lambda` sends its length.
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
