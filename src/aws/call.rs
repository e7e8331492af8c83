//! The calls of one invocation: each ends by the invocation's deadline, a call that is cut off returns an
//! error like any other, and a call that is throttled is retried while there is time.

use std::time::{Duration, SystemTime};

use aws_sdk_appflow::config::http::HttpResponse;
use aws_sdk_appflow::config::retry::{RetryPartition, TokenBucket};
use aws_sdk_appflow::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_appflow::operation::RequestId;
use aws_smithy_async::time::SharedTimeSource;
use tokio::time::sleep;

use crate::aws::deadline::Deadline;
use crate::aws::error::service_error;
use crate::model::service_error::{ErrorKind, Operation, ServiceError};

/// First try and retries of one call by the SDK.
pub(super) const ATTEMPTS: u32 = 5;
/// The first pause before a retry is half of this up to all of it; each pause is twice as long as the one
/// before.
const FIRST_BACKOFF: Duration = Duration::from_secs(1);
/// The longest pause before a retry.
const LONGEST_BACKOFF: Duration = Duration::from_secs(8);
/// The time that must be left to retry a call that was throttled in all of the SDK's attempts: the pause,
/// and the SDK's attempts, whose pauses take up to 15 seconds. With less, the throttling is reported.
const THROTTLED_ROUND: Duration = Duration::from_secs(25);

/// The clients for one invocation: every call ends by its deadline.
#[derive(Clone, Copy, Debug)]
pub struct Calls<'a> {
    pub(super) appflow: &'a aws_sdk_appflow::Client,
    pub(super) lambda: &'a aws_sdk_lambda::Client,
    pub(super) clock: &'a SharedTimeSource,
    /// Whether the environment has what requests are signed with. Without it, the SDK returns an error that
    /// looks like one of the network.
    pub(super) can_sign: bool,
    pub(super) deadline: Deadline,
}

impl Calls<'_> {
    /// The time, by the clock that signs the requests.
    pub fn now(&self) -> SystemTime {
        self.clock.now()
    }

    /// The time left for calls.
    pub fn left(&self) -> Duration {
        self.deadline.left()
    }

    /// Makes a call that may be repeated: if it is throttled in all of the SDK's attempts, again while
    /// there is time.
    pub(super) async fn make<T, E>(
        &self,
        operation: Operation,
        call: impl AsyncFn() -> Result<T, SdkError<E, HttpResponse>>,
    ) -> Result<T, ServiceError>
    where
        E: std::error::Error + ProvideErrorMetadata + RequestId + Send + Sync + 'static,
    {
        let mut tries = 0;
        loop {
            match self.make_once(operation, call()).await {
                Err(error)
                    if error.kind == ErrorKind::Throttled && self.left() > THROTTLED_ROUND =>
                {
                    tries += 1;
                    tracing::warn!("{operation} throttled; retrying");
                    sleep(backoff(tries)).await;
                }
                result => return result,
            }
        }
    }

    /// Makes a call, and cuts it off at the deadline.
    pub(super) async fn make_once<T, E>(
        &self,
        operation: Operation,
        call: impl Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    ) -> Result<T, ServiceError>
    where
        E: std::error::Error + ProvideErrorMetadata + RequestId + Send + Sync + 'static,
    {
        if !self.can_sign {
            return Err(ServiceError::unsigned(operation));
        }
        match self.deadline.cut(call).await {
            Some(result) => result.map_err(|error| service_error(operation, &error)),
            None => Err(ServiceError::out_of_time(operation)),
        }
    }
}

/// The pause before a retry, after this many tries that have failed: half of it is fixed, to reduce the
/// load, and half is random, so that calls that failed together are not retried together.
pub fn backoff(tries: u32) -> Duration {
    let doubled = FIRST_BACKOFF * 2_u32.saturating_pow(tries.saturating_sub(1).min(8));
    doubled
        .min(LONGEST_BACKOFF)
        .mul_f64(0.5 + fastrand::f64() / 2.0)
}

/// A retry quota for one client. The SDK's default one is shared by all clients of the process, and only
/// calls that succeed refill it: after an outage, an execution environment that Lambda keeps for hours
/// would stop retrying. This one also refills over time.
pub(super) fn retry_partition(name: &'static str) -> RetryPartition {
    RetryPartition::custom(name)
        .token_bucket(TokenBucket::builder().refill_rate(10.0).build())
        .build()
}
