//! Reads Region, credentials, and endpoints from the environment.

use std::env;

use aws_sdk_appflow::config::{Credentials, Region, SharedCredentialsProvider};
use aws_smithy_async::time::SharedTimeSource;
use aws_smithy_runtime_api::client::http::SharedHttpClient;

/// What the clients of both services have in common.
///
/// This replaces the SDK's own loader (`aws-config`), which also supports profiles, STS, and metadata
/// services. A Lambda function needs none of them, because Lambda sets Region and credentials in the
/// environment. Without the loader the program is more than a tenth smaller (docs/performance.md).
#[derive(Clone, Debug)]
pub struct Access {
    /// `AWS_REGION`.
    pub region: Option<Region>,
    /// `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, and `AWS_SESSION_TOKEN` if it is set. They do not
    /// change during the life of a process.
    pub credentials: Option<SharedCredentialsProvider>,
    /// `AWS_ENDPOINT_URL_APPFLOW`, or else `AWS_ENDPOINT_URL`; `None` for AWS's own.
    pub appflow: Option<String>,
    /// `AWS_ENDPOINT_URL_LAMBDA`, or else `AWS_ENDPOINT_URL`; `None` for AWS's own.
    pub lambda: Option<String>,
    /// `AWS_USE_FIPS_ENDPOINT`.
    pub use_fips: bool,
    /// `AWS_USE_DUALSTACK_ENDPOINT`.
    pub use_dual_stack: bool,
    /// The HTTP client of all calls.
    pub http_client: SharedHttpClient,
    /// The clock for signatures and the retry quota. A simulation sets its own.
    pub time_source: SharedTimeSource,
}

impl Access {
    /// Reads the process's environment.
    pub fn from_env(http_client: SharedHttpClient) -> Self {
        let variable = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
        let is_true = |name| variable(name).is_some_and(|value| value.eq_ignore_ascii_case("true"));
        let endpoint = |name| variable(name).or_else(|| variable("AWS_ENDPOINT_URL"));
        let keys = variable("AWS_ACCESS_KEY_ID").zip(variable("AWS_SECRET_ACCESS_KEY"));
        Self {
            region: variable("AWS_REGION").map(Region::new),
            credentials: keys.map(|(id, secret)| {
                let token = variable("AWS_SESSION_TOKEN");
                let credentials = Credentials::new(id, secret, token, None, "Environment");
                SharedCredentialsProvider::new(credentials)
            }),
            appflow: endpoint("AWS_ENDPOINT_URL_APPFLOW"),
            lambda: endpoint("AWS_ENDPOINT_URL_LAMBDA"),
            use_fips: is_true("AWS_USE_FIPS_ENDPOINT"),
            use_dual_stack: is_true("AWS_USE_DUALSTACK_ENDPOINT"),
            http_client,
            time_source: SharedTimeSource::default(),
        }
    }
}
