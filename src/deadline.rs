//! The time that an invocation has left.

use std::time::{Duration, SystemTime};

use tokio::time::Instant;

/// What is kept back of an invocation's time to write the report: logging and answering a thousand
/// registrations takes a small part of it, even on the CPU share of the smallest function.
const REPORTING: Duration = Duration::from_secs(1);

/// When work has to stop so that a report still reaches Lambda before Lambda ends the process.
#[derive(Clone, Copy, Debug)]
pub struct Deadline(Instant);

impl Deadline {
    /// The deadline for an invocation that Lambda ends at `end`.
    pub fn before(end: SystemTime) -> Self {
        let left = end
            .duration_since(SystemTime::now())
            .unwrap_or(Duration::ZERO);
        Self(Instant::now() + left.saturating_sub(REPORTING))
    }

    /// What is left.
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
