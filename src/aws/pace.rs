//! Limits the requests to Lambda.
//!
//! Lambda's control plane allows 15 requests a second for the whole account and Region, deployments of
//! other teams included, and the quota cannot be raised
//! ([Lambda quotas](https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html)). So an
//! invocation makes a burst of 10, which is more than an event about a few connectors needs, and then 5 a
//! second, the SDK's retries included.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector,
    http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use tokio::time::{Instant, sleep_until, timeout};

/// The requests that an invocation can make at once.
const BURST: u32 = 10;
/// The time after which there can be one more.
const INTERVAL: Duration = Duration::from_millis(200);

/// When requests to Lambda are due, first come, first served.
#[derive(Clone, Debug, Default)]
pub(super) struct Pace(Arc<Mutex<Option<Instant>>>);

impl Pace {
    /// Allows a burst again.
    pub(super) fn begin_invocation(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// An HTTP client whose requests wait until they are due. The wait does not count as the attempt's
    /// time, which is limited to `attempt`.
    pub(super) fn client(&self, client: &SharedHttpClient, attempt: Duration) -> SharedHttpClient {
        let (client, pace) = (client.clone(), self.clone());
        http_client_fn(move |settings, components| {
            SharedHttpConnector::new(PacedConnector {
                connector: client.http_connector(settings, components),
                pace: pace.clone(),
                attempt,
            })
        })
    }

    /// When the next request is due. Each call is for one request.
    fn next(&self) -> Instant {
        let now = Instant::now();
        let mut paced = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // When it would be due without a burst.
        let due = paced.map_or(now, |paced| paced.max(now));
        *paced = Some(due + INTERVAL);
        due.checked_sub(INTERVAL * (BURST - 1))
            .map_or(now, |due| due.max(now))
    }
}

/// Makes requests when they are due.
#[derive(Debug)]
struct PacedConnector {
    connector: SharedHttpConnector,
    pace: Pace,
    attempt: Duration,
}

impl HttpConnector for PacedConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let due = self.pace.next();
        let (connector, attempt) = (self.connector.clone(), self.attempt);
        HttpConnectorFuture::new(async move {
            // Even a timer that has run out costs up to a millisecond.
            if due > Instant::now() {
                sleep_until(due).await;
            }
            let answer = timeout(attempt, connector.call(request)).await;
            answer.unwrap_or_else(|elapsed| Err(ConnectorError::timeout(elapsed.into())))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn after_a_burst_of_ten_five_requests_a_second_are_due() {
        let pace = Pace::default();
        let start = Instant::now();
        let due = |pace: &Pace| (pace.next() - start).as_millis();
        for _ in 0..10 {
            assert_eq!(due(&pace), 0);
        }
        assert_eq!([due(&pace), due(&pace), due(&pace)], [200, 400, 600]);
        // Those that are waited for count too.
        sleep_until(start + Duration::from_secs(2)).await;
        let later: Vec<_> = (0..9).map(|_| due(&pace)).collect();
        assert_eq!(
            later,
            [2000, 2000, 2000, 2000, 2000, 2000, 2000, 2200, 2400]
        );
        pace.begin_invocation();
        assert_eq!(due(&pace), 2000);
    }
}
