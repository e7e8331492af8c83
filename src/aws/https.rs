//! The HTTPS client that all calls of AWS go through.

use std::sync::LazyLock;
use std::thread;
use std::time::Duration;

use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::{Connector, tls};
use aws_smithy_runtime_api::client::http::{
    HttpConnectorSettings, SharedHttpClient, SharedHttpConnector, http_client_fn,
};

/// How long a connection may take to be made: the SDK's own default, which it hands to clients that
/// it makes itself.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(3100);

/// One client with one connection pool and one set of trusted authorities.
///
/// The SDK would make one for each service, and each would parse the authorities twice: once to check
/// the configuration and once for its first call. That would be an eighth more time to the first
/// answer. Even so, reading and parsing them is nearly half of all instructions up to there, so a
/// thread does it while this one gets ready and asks for the event; the first call waits for what is
/// left of it. Without the thread, the time would be a tenth more. The figures are in
/// docs/performance.md.
///
/// As the SDK's own, it goes through the proxy that `HTTPS_PROXY` and its kin name.
///
/// TLS is rustls with ring. The SDK's default, AWS-LC, makes the program 0.8 MB larger, and gathers
/// entropy from the CPU's jitter at the first handshake unless it is told at compile time not to, for
/// more than 30 ms; ring takes it from Linux.
pub fn client() -> SharedHttpClient {
    let connector = thread::spawn(connector);
    let connector = LazyLock::new(move || match connector.join() {
        Ok(connector) => connector,
        // A panic has ended the process before anyone could wait for this.
        Err(panic) => std::panic::resume_unwind(panic),
    });
    http_client_fn(move |_, _| connector.clone())
}

fn connector() -> SharedHttpConnector {
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
    SharedHttpConnector::new(connector)
}
