//! Where calls of AWS get their credentials.

use aws_config::BehaviorVersion;
use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{self, ProvideCredentials, SharedCredentialsProvider, future};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use tokio::sync::OnceCell;

/// The SDK's default credential chain, of which the links after the first are only made when they are
/// needed.
///
/// Lambda gives a function its credentials in the environment, where the chain looks first. Making
/// the rest of the chain, a client for STS among it, took a twenty-fifth of the instructions up to the
/// first answer.
#[derive(Debug)]
pub struct Credentials {
    http_client: SharedHttpClient,
    chain: OnceCell<Option<SharedCredentialsProvider>>,
}

impl Credentials {
    /// The chain, which would ask for credentials through `http_client`.
    pub fn new(http_client: SharedHttpClient) -> Self {
        Self {
            http_client,
            chain: OnceCell::new(),
        }
    }

    async fn provide(&self) -> provider::Result {
        let environment = EnvironmentVariableCredentialsProvider::new();
        match environment.provide_credentials().await {
            Err(CredentialsError::CredentialsNotLoaded(_)) => {}
            found_or_broken => return found_or_broken,
        }
        let chain = self.chain.get_or_init(|| async {
            let config = aws_config::defaults(BehaviorVersion::latest())
                .http_client(self.http_client.clone())
                .load()
                .await;
            config.credentials_provider()
        });
        match chain.await {
            Some(chain) => chain.provide_credentials().await,
            None => Err(CredentialsError::not_loaded("the SDK has no chain")),
        }
    }
}

impl ProvideCredentials for Credentials {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.provide())
    }
}
