//! The HTTPS connections that all calls of AWS go through: whom they trust, and when they are opened.

use std::env;
use std::error::Error;
use std::io;
use std::iter;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use aws_smithy_http_client::pool::{self, BuildError, ConnectionEvent, ConnectionPool};
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use futures_util::poll;
use tokio::sync::Semaphore;
use tokio::task::yield_now;
use tokio::time::timeout;

/// The roots under which AWS signs the certificates of its endpoints, from build.rs. They expire from
/// December 2037 on.
const AMAZON_ROOTS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/amazon-roots.pem"));

/// What names other certificate authorities: as the SDK for Python has it, or OpenSSL.
const OTHER_AUTHORITIES: [&str; 3] = ["SSL_CERT_FILE", "SSL_CERT_DIR", "AWS_CA_BUNDLE"];

/// How long the start waits for connections, which take some ten milliseconds within a Region. The
/// network may lead nowhere, and then it is the first call that has to say so.
const OPENING: Duration = Duration::from_secs(1);

/// One pool of connections for both services.
///
/// It trusts Amazon's own roots, and as soon as a certificate does not chain to them, what the system
/// trusts: reading the system's authorities is nearly half of all instructions up to the first answer
/// (docs/performance.md), and only behind a proxy or a private endpoint, or when AWS has moved on, are
/// they needed. Where a variable names other authorities, it is the system's from the start. The
/// system's are those that rustls-native-certs finds: what `SSL_CERT_FILE` and `SSL_CERT_DIR` name, or
/// else the usual files.
///
/// As the SDK's own client, it goes through the proxy that `HTTPS_PROXY` and its kin name.
///
/// TLS is rustls with ring. The SDK's default, AWS-LC, makes the program 0.8 MB larger, and gathers
/// entropy from the CPU's jitter at the first handshake unless it is told at compile time not to, for
/// more than 30 ms; ring takes it from Linux.
#[derive(Clone, Debug)]
pub struct Https(Arc<Pools>);

#[derive(Debug)]
struct Pools {
    amazon: pool::Client,
    system: pool::Client,
    state: Arc<State>,
}

/// What the pools' events have told so far.
#[derive(Debug)]
struct State {
    trust_system: AtomicBool,
    /// While it is set, calls open connections and go no further.
    opening: AtomicBool,
    /// The connections that were asked for in that time.
    asked: AtomicU32,
    /// A permit for each connection that was opened, or failed to open.
    opened: Semaphore,
}

impl Https {
    /// Connections by what the process's environment says.
    ///
    /// # Errors
    /// When the pool cannot be made, which no environment leads to.
    pub fn from_env() -> Result<Self, Box<dyn Error + Send + Sync>> {
        let named = OTHER_AUTHORITIES
            .iter()
            .any(|name| env::var_os(name).is_some_and(|value| !value.is_empty()));
        let amazon = TrustStore::empty().with_pem_certificate(AMAZON_ROOTS);
        Self::new(amazon, TrustStore::default(), named)
    }

    fn new(
        amazon: TrustStore,
        system: TrustStore,
        trust_system: bool,
    ) -> Result<Self, Box<dyn Error + Send + Sync>> {
        let state = Arc::new(State {
            trust_system: trust_system.into(),
            opening: AtomicBool::new(false),
            asked: AtomicU32::new(0),
            opened: Semaphore::new(0),
        });
        Ok(Self(Arc::new(Pools {
            amazon: pool::Client::new(&connections(amazon, &state)?)?,
            system: pool::Client::new(&connections(system, &state)?)?,
            state,
        })))
    }

    /// Opens the connections that `calls` would need, and has whatever else they need ready: they are
    /// made up to the moment at which they would be sent, and fail there.
    ///
    /// Lambda gives far more of a CPU before the first event is asked for than after it, and two TLS
    /// handshakes are half of the CPU time of the first invocation (docs/performance.md).
    pub async fn open<F: Future>(&self, calls: impl Fn() -> F) {
        let state = &self.0.state;
        // Once more if the certificates turn out to be the system's business.
        for _ in 0..2 {
            let trusted_system = state.trust_system.load(Ordering::Relaxed);
            state.opening.store(true, Ordering::Relaxed);
            calls().await;
            state.opening.store(false, Ordering::Relaxed);
            let asked = state.asked.swap(0, Ordering::Relaxed);
            if let Ok(Ok(opened)) = timeout(OPENING, state.opened.acquire_many(asked)).await {
                opened.forget();
            }
            if state.trust_system.load(Ordering::Relaxed) == trusted_system {
                break;
            }
        }
    }
}

/// A pool of connections to whom these authorities vouch for. They are read when it is used first.
fn connections(
    authorities: TrustStore,
    state: &Arc<State>,
) -> Result<ConnectionPool, Box<dyn Error + Send + Sync>> {
    let context = TlsContext::builder()
        .with_trust_store(authorities)
        .build()?;
    let state = Arc::clone(state);
    let pool: Result<_, BuildError> = ConnectionPool::builder()
        .proxy_config(ProxyConfig::from_env())
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .tls_context(context)
        .event_listener(move |event: &ConnectionEvent<'_>| state.note(event))
        .build_https();
    Ok(pool?)
}

impl State {
    fn note(&self, event: &ConnectionEvent<'_>) {
        match event {
            ConnectionEvent::Opened(_) => self.opened.add_permits(1),
            ConnectionEvent::EstablishmentFailed(failed) => {
                let untrusted = failed.error().source().is_some_and(is_untrusted);
                if untrusted && !self.trust_system.swap(true, Ordering::Relaxed) {
                    tracing::info!(
                        host = failed.establishment().origin().host(),
                        "the certificate is not signed under Amazon's roots; trusting the system's \
                         certificate authorities from now on"
                    );
                }
                self.opened.add_permits(1);
            }
            _ => {}
        }
    }
}

impl HttpClient for Https {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(Connector {
            amazon: self.0.amazon.http_connector(settings, components),
            system: self.0.system.http_connector(settings, components),
            state: Arc::clone(&self.0.state),
        })
    }
}

/// What one call goes through.
#[derive(Debug)]
struct Connector {
    amazon: SharedHttpConnector,
    system: SharedHttpConnector,
    state: Arc<State>,
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let trust_system = self.state.trust_system.load(Ordering::Relaxed);
        let connector = if trust_system {
            &self.system
        } else {
            &self.amazon
        };
        if self.state.opening.load(Ordering::Relaxed) {
            self.state.asked.fetch_add(1, Ordering::Relaxed);
            return HttpConnectorFuture::new(open(connector.call(request)));
        }
        if trust_system {
            return connector.call(request);
        }
        let again = request.try_clone();
        let answer = connector.call(request);
        let system = self.system.clone();
        HttpConnectorFuture::new(async move {
            match (answer.await, again) {
                // A handshake that failed has sent nothing of the request.
                (Err(error), Some(request)) if is_untrusted(&error) => system.call(request).await,
                (answer, _) => answer,
            }
        })
    }
}

/// Has the pool open a connection for a call, and drops the call. It is polled once, which is before
/// there is a connection that it could be sent on; the pool opens that in a task of its own, for whoever
/// comes next.
async fn open<T>(mut call: HttpConnectorFuture) -> Result<T, ConnectorError> {
    let _ = poll!(&mut call);
    // The task gives up if the call is gone before it has begun.
    yield_now().await;
    drop(call);
    let reason = "the call was made to open a connection";
    Err(ConnectorError::other(reason.into(), None))
}

/// Whether a certificate was refused. For whatever reason: the system's authorities have the last word.
fn is_untrusted(error: &(dyn Error + 'static)) -> bool {
    iter::successors(Some(error), |&error| {
        // What an `io::Error` wraps is not its source; that one's source is.
        match error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref)
        {
            Some(wrapped) => Some(wrapped),
            None => error.source(),
        }
    })
    .any(|error| {
        matches!(
            error.downcast_ref(),
            Some(rustls::Error::InvalidCertificate(_))
        )
    })
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;
    use std::net::{Ipv4Addr, TcpListener};
    use std::time::SystemTime;

    use aws_local::AwsLocal;
    use aws_local::tls::Authority;
    use aws_local::tls::Tls;
    use aws_sdk_appflow::config::{Credentials, Region};
    use aws_smithy_async::time::SharedTimeSource;
    use aws_smithy_runtime_api::shared::IntoShared;
    use base64::prelude::{BASE64_STANDARD, Engine};
    use sha2::{Digest, Sha256};

    use crate::aws::access::Access;
    use crate::aws::call::Aws;
    use crate::aws::deadline::Deadline;

    use super::*;

    #[test]
    fn amazons_roots_are_the_five_that_it_publishes() {
        let pem = str::from_utf8(AMAZON_ROOTS).expect("text");
        let fingerprints: Vec<String> = pem
            .split_terminator("-----END CERTIFICATE-----\n")
            .map(|block| {
                let text = block.strip_prefix("-----BEGIN CERTIFICATE-----\n");
                let text = text.expect("a certificate").replace('\n', "");
                let certificate = BASE64_STANDARD.decode(text).expect("base64");
                Sha256::digest(certificate)
                    .iter()
                    .fold(String::new(), |mut text, byte| {
                        write!(text, "{byte:02x}").expect("a string grows");
                        text
                    })
            })
            .collect();
        assert_eq!(
            fingerprints,
            [
                "8ecde6884f3d87b1125ba31ac3fcb13d7016de7f57cc904fe1cb97c6ae98196e",
                "1ba5b2aa8c65401a82960118f80bec4f62304d83cec4713a19c39c011ea46db4",
                "18ce6cfe7bf14e60b2e347b8dfe868cb31d02ebb3ada271569f50343b46db3a4",
                "e35d28419ed02025cfa69038cd623962458da5c695fbdea3c22b0bfb25897092",
                "568d6905a2c88708a4b3025190edcfedb1974a606a13c6e5290fcb2ae63edab5",
            ]
        );
    }

    /// The services behind TLS, with certificates that `authority` signed.
    fn services(authority: &Authority) -> (AwsLocal, Tls) {
        let aws = AwsLocal::start(0).expect("a free port");
        let tls = aws.serve_tls(authority).expect("two more");
        (aws, tls)
    }

    fn trusting(amazon: &Authority, system: &Authority) -> Https {
        let [amazon, system] = [amazon, system].map(|authority| {
            TrustStore::empty().with_pem_certificate(authority.certificate.as_str())
        });
        Https::new(amazon, system, false).expect("connections")
    }

    fn clients(https: &Https, tls: &Tls) -> Aws {
        Aws::new(&Access {
            region: Some(Region::new(aws_local::place::REGION)),
            credentials: Some(Credentials::new("id", "secret", None, None, "test")),
            appflow: Some(tls.appflow.clone()),
            lambda: Some(tls.lambda.clone()),
            use_fips: false,
            use_dual_stack: false,
            http_client: https.clone().into_shared(),
            time_source: SharedTimeSource::default(),
        })
    }

    /// Whether a call of AppFlow gets a response, and is not stopped by its certificate.
    async fn reaches(https: &Https, (_, tls): &(AwsLocal, Tls)) -> bool {
        let end = SystemTime::now() + Duration::from_secs(60);
        match clients(https, tls)
            .until(Deadline::before(end))
            .labels()
            .await
        {
            Ok(_) => true,
            Err(error) if error.message.contains("UnknownIssuer") => false,
            // What a signature of the other authority of this name comes to.
            Err(error) if error.message.contains("BadSignature") => false,
            Err(error) => panic!("{error:?}"),
        }
    }

    #[tokio::test]
    async fn what_does_not_chain_to_amazons_roots_is_for_the_systems_from_then_on() {
        let [amazon, system, other] = [(); 3].map(|()| Authority::new().expect("a key"));
        let https = trusting(&amazon, &system);
        let of_amazon = services(&amazon);
        assert!(reaches(&https, &of_amazon).await);
        assert!(reaches(&https, &services(&system)).await);
        assert!(!reaches(&https, &services(&other)).await);
        assert!(!reaches(&https, &services(&amazon)).await);
    }

    #[tokio::test]
    async fn what_nobody_vouches_for_is_refused() {
        let [amazon, system, other] = [(); 3].map(|()| Authority::new().expect("a key"));
        let https = trusting(&amazon, &system);
        assert!(!reaches(&https, &services(&other)).await);
        assert!(reaches(&https, &services(&system)).await);
    }

    #[tokio::test]
    async fn the_start_finds_out_whom_to_trust_and_opens_both_connections() {
        let [amazon, system] = [(); 2].map(|()| Authority::new().expect("a key"));
        for authority in [&amazon, &system] {
            let https = trusting(&amazon, &system);
            let services = services(authority);
            let aws = clients(&https, &services.1);
            https.open(|| aws.make_first_calls()).await;
            let end = SystemTime::now() + Duration::from_secs(60);
            let calls = aws.until(Deadline::before(end));
            assert!(calls.labels().await.is_ok());
            assert_eq!(services.0.state().handshakes, 2);
        }
    }

    #[tokio::test]
    async fn the_start_waits_only_so_long_for_a_service_that_does_not_answer() {
        let [amazon, system] = [(); 2].map(|()| Authority::new().expect("a key"));
        let https = trusting(&amazon, &system);
        let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let endpoint = format!("https://{}", silent.local_addr().expect("an address"));
        let tls = Tls {
            appflow: endpoint.clone(),
            lambda: endpoint,
        };
        let aws = clients(&https, &tls);
        let opened = timeout(OPENING * 2, https.open(|| aws.make_first_calls()));
        assert!(opened.await.is_ok());
    }
}
