//! The wall clock of the services.

use std::time::SystemTime;

use tokio::time::Instant;

/// A wall clock that goes as tokio's clock does, so that it stands still where a test pauses that.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    started: SystemTime,
    at: Instant,
}

impl Clock {
    /// A clock that shows this time now.
    pub(crate) fn showing(time: SystemTime) -> Self {
        Self {
            started: time,
            at: Instant::now(),
        }
    }

    /// The time that it shows.
    pub(crate) fn now(self) -> SystemTime {
        self.started + self.at.elapsed()
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::showing(SystemTime::now())
    }
}

/// A time as Lambda and EventBridge write it, in UTC.
pub(crate) fn text(time: SystemTime, format: &str) -> String {
    let time = jiff::Timestamp::try_from(time).unwrap_or_default();
    time.strftime(format).to_string()
}
