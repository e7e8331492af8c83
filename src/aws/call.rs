//! The calls of one invocation. Each knows when the invocation's time is up, and that is an ordinary
//! error of the call.

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

/// The longest pause before a call is made again that was throttled at every try of the SDK's: as long
/// as the longest pause between those.
const THROTTLED_PAUSE: Duration = Duration::from_secs(8);
/// What has to be left of the invocation for making it again: the pause, and the SDK's tries with the
/// pauses between them, which are 15 seconds at most. With less, the throttling is what to report.
pub(crate) const THROTTLED_ROUND: Duration = Duration::from_secs(25);

/// The clients of AppFlow and Lambda in this account and Region.
#[derive(Clone, Debug)]
pub struct Aws {
    appflow: aws_sdk_appflow::Client,
    lambda: aws_sdk_lambda::Client,
}

/// AWS for one invocation: every call ends by its deadline.
#[derive(Clone, Copy, Debug)]
pub struct Calls<'a> {
    pub(super) appflow: &'a aws_sdk_appflow::Client,
    pub(super) lambda: &'a aws_sdk_lambda::Client,
    deadline: Deadline,
}

impl Aws {
    /// Clients with bounded attempts.
    pub fn new(access: &Access) -> Self {
        Self {
            appflow: appflow::client(access),
            lambda: lambda::client(access),
        }
    }

    /// Makes a call of each service through `client`, for
    /// [`Https::open`](crate::aws::https::Https::open), whose client stops it before it is sent.
    pub async fn make_first_calls(&self, client: SharedHttpClient) {
        let list = self.appflow.list_connectors().customize();
        let list = list.config_override(appflow_config::Builder::new().http_client(client.clone()));
        let look = self.lambda.get_function_configuration();
        let look = look.function_name("connector-updater").customize();
        let look = look.config_override(lambda_config::Builder::new().http_client(client));
        // Both fail: that is how they are stopped.
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
    /// The time that is left for calls.
    pub fn left(&self) -> Duration {
        self.deadline.left()
    }

    /// Waits before a call that was throttled is made again; false if there is no time for it.
    pub(super) async fn pause(&self) -> bool {
        if self.left() <= THROTTLED_ROUND {
            return false;
        }
        sleep(throttled_pause()).await;
        true
    }

    /// Makes a call, or gives it up when the time is up.
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

/// The pause before a call is made again that was throttled: at least half of the longest, so that the
/// service gets a rest, and no two alike, so that those who were throttled together do not come back
/// together.
pub(crate) fn throttled_pause() -> Duration {
    THROTTLED_PAUSE.mul_f64(0.5 + fastrand::f64() / 2.0)
}

/// A retry quota of a client's own. The SDK's default one is shared by the process and is only given
/// back by calls that succeed: after a bad spell, an execution environment that Lambda keeps for hours
/// would stop retrying. This one also fills up again by itself.
pub(super) fn retry_partition(name: &'static str) -> RetryPartition {
    RetryPartition::custom(name)
        .token_bucket(TokenBucket::builder().refill_rate(10.0).build())
        .build()
}
