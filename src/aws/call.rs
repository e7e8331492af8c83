//! The calls of one invocation: each ends by the invocation's deadline, and a call that is cut off
//! returns an error like any other.

use std::time::Duration;

use aws_sdk_appflow::config as appflow_config;
use aws_sdk_appflow::config::retry::{RetryPartition, TokenBucket};
use aws_sdk_lambda::config as lambda_config;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use futures_util::future::join;
use tokio::time::sleep;

use crate::aws::access::Access;
use crate::aws::deadline::Deadline;
use crate::aws::{appflow, lambda};
use crate::model::service_error::{Operation, ServiceError};

/// The longest pause before retrying a call that was throttled in all of the SDK's attempts. It is as
/// long as the SDK's own longest pause.
const THROTTLED_PAUSE: Duration = Duration::from_secs(8);
/// The time that must be left to retry such a call: the pause, and the SDK's attempts, whose pauses take
/// up to 15 seconds. With less, the throttling is reported.
pub(crate) const THROTTLED_ROUND: Duration = Duration::from_secs(25);

/// The clients of AppFlow and Lambda in this account and Region.
#[derive(Clone, Debug)]
pub struct Aws {
    appflow: aws_sdk_appflow::Client,
    lambda: aws_sdk_lambda::Client,
}

/// The clients for one invocation: every call ends by its deadline.
#[derive(Clone, Copy, Debug)]
pub struct Calls<'a> {
    pub(super) appflow: &'a aws_sdk_appflow::Client,
    pub(super) lambda: &'a aws_sdk_lambda::Client,
    deadline: Deadline,
}

impl Aws {
    /// Clients whose attempts and retries are limited in time.
    pub fn new(access: &Access) -> Self {
        Self {
            appflow: appflow::client(access),
            lambda: lambda::client(access),
        }
    }

    /// Starts a call to each service through `client`. This is for
    /// [`Https::open`](crate::aws::https::Https::open), whose client stops the calls before anything is
    /// sent.
    pub async fn make_first_calls(&self, client: SharedHttpClient) {
        let list = self.appflow.list_connectors().customize();
        let list = list.config_override(appflow_config::Builder::new().http_client(client.clone()));
        let look = self.lambda.get_function_configuration();
        let look = look.function_name("connector-updater").customize();
        let look = look.config_override(lambda_config::Builder::new().http_client(client));
        // Both return an error: that is how the client stops them.
        let _ = join(list.send(), look.send()).await;
    }

    /// The calls of an invocation with this deadline.
    pub fn until(&self, deadline: Deadline) -> Calls<'_> {
        Calls {
            appflow: &self.appflow,
            lambda: &self.lambda,
            deadline,
        }
    }
}

impl Calls<'_> {
    /// The time left for calls.
    pub fn left(&self) -> Duration {
        self.deadline.left()
    }

    /// Waits before a throttled call is retried; returns false if there is no time to retry it.
    pub(super) async fn pause(&self) -> bool {
        if self.left() <= THROTTLED_ROUND {
            return false;
        }
        sleep(throttled_pause()).await;
        true
    }

    /// Makes a call, and cuts it off at the deadline.
    pub(super) async fn make<T>(
        &self,
        operation: Operation,
        call: impl Future<Output = Result<T, ServiceError>>,
    ) -> Result<T, ServiceError> {
        match self.deadline.cut(call).await {
            Some(result) => result,
            None => Err(ServiceError::out_of_time(operation)),
        }
    }
}

/// The pause before a throttled call is retried: at least half of the longest, to reduce the load, and
/// random, so that calls that were throttled together are not retried together.
pub(crate) fn throttled_pause() -> Duration {
    THROTTLED_PAUSE.mul_f64(0.5 + fastrand::f64() / 2.0)
}

/// A retry quota for one client. The SDK's default one is shared by all clients of the process, and only
/// calls that succeed refill it: after an outage, an execution environment that Lambda keeps for hours
/// would stop retrying. This one also refills over time.
pub(super) fn retry_partition(name: &'static str) -> RetryPartition {
    RetryPartition::custom(name)
        .token_bucket(TokenBucket::builder().refill_rate(10.0).build())
        .build()
}
