//! The clients of both services.

use std::env;
use std::time::SystemTime;

use aws_config::SdkConfig;
use aws_sdk_appflow::config as appflow_config;
use aws_sdk_appflow::config::ProvideCredentials;
use aws_sdk_lambda::config as lambda_config;
use aws_smithy_async::time::SharedTimeSource;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use futures_util::future::join;

use crate::aws::call::Calls;
use crate::aws::deadline::Deadline;
use crate::aws::pace::Pace;
use crate::aws::{appflow, lambda};

/// The clients of AppFlow and Lambda in this account and Region.
#[derive(Clone, Debug)]
pub struct Aws {
    appflow: aws_sdk_appflow::Client,
    lambda: aws_sdk_lambda::Client,
    pace: Pace,
    clock: SharedTimeSource,
    can_sign: bool,
}

impl Aws {
    /// Clients whose attempts and retries are limited in time. What the services have in common is the
    /// SDK's configuration; its clock is the one of this program.
    pub async fn new(config: &SdkConfig) -> Self {
        let pace = Pace::default();
        let region = config.region().map(AsRef::as_ref);
        let has_region = region.is_some_and(|region| !region.trim().is_empty());
        let has_credentials = match config.credentials_provider() {
            Some(provider) => provider.provide_credentials().await.is_ok(),
            None => false,
        };
        Self {
            appflow: appflow::client(config),
            lambda: lambda::client(config, &pace),
            pace,
            clock: config.time_source().unwrap_or_default(),
            can_sign: has_region && has_credentials,
        }
    }

    /// The time, by the clock that signs the requests.
    pub fn now(&self) -> SystemTime {
        self.clock.now()
    }

    /// Starts a call to each service through `client`. This is for
    /// [`Https::open`](crate::aws::https::Https::open), whose client stops the calls before anything is
    /// sent.
    pub async fn make_first_calls(&self, client: SharedHttpClient) {
        let list = self.appflow.list_connectors().customize();
        let list = list.config_override(appflow_config::Builder::new().http_client(client.clone()));
        let function = self.lambda.get_function_configuration();
        let function = function.function_name("connector-updater").customize();
        let function = function.config_override(lambda_config::Builder::new().http_client(client));
        // Both return an error: that is how the client stops them.
        let _ = join(list.send(), function.send()).await;
    }

    /// The calls of an invocation with this deadline. A process handles one invocation at a time.
    pub fn until(&self, deadline: Deadline) -> Calls<'_> {
        self.pace.begin_invocation();
        Calls {
            appflow: &self.appflow,
            lambda: &self.lambda,
            clock: &self.clock,
            can_sign: self.can_sign,
            deadline,
        }
    }
}

/// Whether a variable with an endpoint is set and blank, which counts as unset. The SDK panics at the first
/// call over one that is for a single service.
pub(super) fn is_blank(endpoint: &str) -> bool {
    env::var(endpoint).is_ok_and(|value| value.trim().is_empty())
}
