//! The clients of both services.

use aws_sdk_appflow::config as appflow_config;
use aws_sdk_lambda::config as lambda_config;
use aws_smithy_async::time::SharedTimeSource;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use futures_util::future::join;

use crate::aws::access::Access;
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
    can_sign: bool,
    time_source: SharedTimeSource,
}

impl Aws {
    /// Clients whose attempts and retries are limited in time.
    pub fn new(access: &Access) -> Self {
        let pace = Pace::default();
        Self {
            appflow: appflow::client(access),
            lambda: lambda::client(access, &pace),
            pace,
            can_sign: access.region.is_some() && access.credentials.is_some(),
            time_source: access.time_source.clone(),
        }
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
            can_sign: self.can_sign,
            deadline,
            time_source: &self.time_source,
        }
    }
}
