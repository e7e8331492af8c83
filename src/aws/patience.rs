//! Calls that a service refuses because there are too many are made until it takes them.

use std::time::Duration;

use tokio::time::sleep;

use crate::aws::deadline::Deadline;
use crate::aws::service_error::ServiceError;

/// The pause after the SDK's tries were all refused: as long as the longest of the pauses between them.
const PAUSE: Duration = Duration::from_secs(8);
/// What has to be left of the invocation for one more round: the pause, and the SDK's tries with the
/// pauses between them, which are 15 seconds at most. With less, the refusal itself is what to report.
const ROUND: Duration = Duration::from_secs(25);

/// Makes a call, and makes it again for as long as the service refuses it for coming too fast and there
/// is time before `deadline`.
///
/// The SDK gives a call a few tries. When a sweep of many registrations shares a low rate, some calls
/// lose every time, though the service is well.
///
/// # Errors
/// The call's error, if it is another one or if it has not stopped.
pub async fn patiently<T>(
    deadline: Deadline,
    call: impl AsyncFn() -> Result<T, ServiceError>,
) -> Result<T, ServiceError> {
    loop {
        match call().await {
            Err(error) if error.is_throttling() && deadline.left() > ROUND => {
                tracing::warn!("the service takes no more calls at the moment: {error}");
                sleep(PAUSE).await;
            }
            done => return done,
        }
    }
}
