//! Calls that a service refuses because there are too many are made until it takes them.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::service_error::ServiceError;

/// The pause after the SDK's own retries were all refused, as long as the last of its pauses. With
/// sixteen registrations at work, that is two calls a second at most.
const PAUSE: Duration = Duration::from_secs(8);
/// How long one call is refused before that is an error: a service that is only busy takes it much
/// sooner, and the invocation has fifteen minutes.
const PATIENCE: Duration = Duration::from_secs(300);

/// Makes a call, and makes it again for as long as the service refuses it for coming too fast.
///
/// The SDK gives a call a few tries. When a sweep of many registrations shares a low rate, some calls
/// lose every time, though the service is well.
///
/// # Errors
/// The call's error, if it is another one or if it has not stopped.
pub async fn patiently<T>(
    call: impl AsyncFn() -> Result<T, ServiceError>,
) -> Result<T, ServiceError> {
    let end = Instant::now() + PATIENCE;
    loop {
        match call().await {
            Err(error) if error.is_throttling() && Instant::now() < end => {
                tracing::warn!("the service takes no more calls at the moment: {error}");
                sleep(PAUSE).await;
            }
            done => return done,
        }
    }
}
