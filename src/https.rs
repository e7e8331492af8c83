//! The HTTPS client that all calls of AWS go through.

use std::time::Duration;

use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::{Connector, tls};
use aws_smithy_runtime_api::client::http::{
    HttpConnectorSettings, SharedHttpClient, SharedHttpConnector, http_client_fn,
};

/// How long a connection may take to be made: the SDK's own default, which it hands to clients that
/// it makes itself.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(3100);

/// One client with one connection pool and one set of trusted authorities, which are read here and
/// now.
///
/// The SDK would make one for each service, and each would parse the authorities twice: once to check
/// the configuration and once for its first call.
///
/// As the SDK's own, it goes through the proxy that `HTTPS_PROXY` and its kin name.
///
/// TLS is rustls with ring. The SDK's default, AWS-LC, makes the program 0.8 MB larger, and gathers
/// entropy from the CPU's jitter at the first handshake unless it is told at compile time not to;
/// ring takes it from Linux.
pub fn client() -> SharedHttpClient {
    let settings = HttpConnectorSettings::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .build();
    let connector = Connector::builder()
        .connector_settings(settings)
        .proxy_config(ProxyConfig::from_env())
        .tls_provider(tls::Provider::Rustls(
            tls::rustls_provider::CryptoMode::Ring,
        ))
        .build();
    let connector = SharedHttpConnector::new(connector);
    http_client_fn(move |_, _| connector.clone())
}
