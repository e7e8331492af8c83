//! The HTTPS connection pools for all AWS calls: which authorities they trust, and when they open connections.

use std::env;
use std::error::Error;
use std::io;
use std::iter;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use aws_smithy_http_client::pool::{self, ConnectionEvent, ConnectionPool};
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::connection::CaptureSmithyConnection;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use futures_util::FutureExt;
use tokio::sync::Notify;
use tokio::time::timeout;

/// The roots under which AWS signs the certificates of its endpoints, from build.rs. They expire from
/// December 2037 on.
const AMAZON_ROOTS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/amazon-roots.pem"));

const SSL_CERT_FILE: &str = "SSL_CERT_FILE";
const SSL_CERT_DIR: &str = "SSL_CERT_DIR";
const AWS_CA_BUNDLE: &str = "AWS_CA_BUNDLE";

/// How long startup waits for connections. Within a Region they should take about ten milliseconds. Without
/// network access, the first call reports the error.
const OPENING: Duration = Duration::from_secs(1);

/// The connections to both services.
///
/// It trusts Amazon's own roots until a certificate does not chain to them, and what the system trusts
/// from then on. Reading the system's certificate authorities takes nearly half of all instructions up to
/// the first response (docs/performance.md), and only a proxy that inspects TLS, an endpoint with a private
/// certificate, or a change at AWS needs them. Where `SSL_CERT_FILE`, `SSL_CERT_DIR`, or `AWS_CA_BUNDLE` is
/// set, it trusts what the system trusts from the start: the certificates in the file and the directory, or
/// else in the system's usual file. Nothing reads the file that `AWS_CA_BUNDLE` names.
///
/// Like the SDK's own client, it uses the proxy that `HTTPS_PROXY` and related variables name.
///
/// TLS is rustls with ring. The SDK's default, AWS-LC, makes the program 0.8 MB larger, and, unless it is
/// compiled not to, spends more than 30 ms at the first handshake gathering entropy from the CPU's jitter;
/// ring gets it from Linux.
#[derive(Clone, Debug)]
pub struct Https(Arc<Pools>);

#[derive(Debug)]
struct Pools {
    amazon: pool::Client,
    system: pool::Client,
    trust_system: Arc<AtomicBool>,
}

impl Https {
    /// Connections as the environment variables configure them.
    ///
    /// # Errors
    /// If a pool cannot be built. No environment variable can cause that.
    pub fn from_env() -> Result<Self, BoxError> {
        let is_set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
        let names_others = is_set(SSL_CERT_FILE) || is_set(SSL_CERT_DIR);
        if is_set(AWS_CA_BUNDLE) && !names_others {
            tracing::warn!(
                "{AWS_CA_BUNDLE} is set, but its file is not read; name the file in {SSL_CERT_FILE}"
            );
        }
        let amazon = TrustStore::empty().with_pem_certificate(AMAZON_ROOTS);
        let system = TrustStore::default();
        Self::new(amazon, system, names_others || is_set(AWS_CA_BUNDLE))
    }

    fn new(amazon: TrustStore, system: TrustStore, trust_system: bool) -> Result<Self, BoxError> {
        let trust_system = Arc::new(AtomicBool::new(trust_system));
        Ok(Self(Arc::new(Pools {
            amazon: connections(amazon, &trust_system)?,
            system: connections(system, &trust_system)?,
            trust_system,
        })))
    }

    /// Opens the connections that `calls` need, and prepares whatever else they use: with the client that
    /// it gets, `calls` run up to the point at which they would be sent, and fail there. Nothing is sent
    /// beyond the handshakes.
    ///
    /// Lambda gives a function far more CPU time before it asks for the first event than after, and two
    /// TLS handshakes are more than a third of all instructions up to the first response (docs/performance.md).
    pub async fn open<F: Future>(&self, calls: impl Fn(SharedHttpClient) -> F) {
        self.open_within(OPENING, calls).await;
    }

    async fn open_within<F: Future>(&self, limit: Duration, calls: impl Fn(SharedHttpClient) -> F) {
        tracing::debug!("opening connections: the next calls are stopped before they are sent");
        let trusted_system = self.trusts_system();
        let opening = async {
            calls(self.opening()).await;
            if self.trusts_system() != trusted_system {
                calls(self.opening()).await;
            }
        };
        // After that, the first call that is sent waits for its connection.
        let _ = timeout(limit, opening).await;
    }

    /// The client of calls that only open connections.
    fn opening(&self) -> SharedHttpClient {
        let https = self.clone();
        http_client_fn(move |settings, components| {
            let Pools { amazon, system, .. } = &*https.0;
            let trusted = if https.trusts_system() {
                system
            } else {
                amazon
            };
            SharedHttpConnector::new(Opener(trusted.http_connector(settings, components)))
        })
    }

    fn trusts_system(&self) -> bool {
        self.0.trust_system.load(Ordering::Relaxed)
    }
}

/// Connections to servers with a certificate that `authorities` signed. The authorities are read when the
/// first connection is opened.
fn connections(
    authorities: TrustStore,
    trust_system: &Arc<AtomicBool>,
) -> Result<pool::Client, BoxError> {
    let context = TlsContext::builder()
        .with_trust_store(authorities)
        .build()?;
    let trust_system = Arc::clone(trust_system);
    let pool = ConnectionPool::builder()
        .proxy_config(ProxyConfig::from_env())
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .tls_context(context)
        .event_listener(move |event: &ConnectionEvent<'_>| {
            if let ConnectionEvent::EstablishmentFailed(failed) = event
                // Its source is what the handshake failed with.
                && let Some(error) = failed.error().source().and_then(refused_certificate)
                && !trust_system.swap(true, Ordering::Relaxed)
            {
                tracing::info!(
                    host = failed.establishment().origin().host(),
                    error = %error,
                    "the certificate could not be verified with Amazon's roots; trusting the system's \
                     certificate authorities from now on"
                );
            }
        })
        .build_https()?;
    Ok(pool::Client::new(&pool)?)
}

impl HttpClient for Https {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let system = self.0.system.http_connector(settings, components);
        if self.trusts_system() {
            return system;
        }
        SharedHttpConnector::new(AmazonFirst {
            amazon: self.0.amazon.http_connector(settings, components),
            system,
        })
    }
}

/// Makes a call again, with the system's authorities, if the certificate is refused with Amazon's roots.
#[derive(Debug)]
struct AmazonFirst {
    amazon: SharedHttpConnector,
    system: SharedHttpConnector,
}

impl HttpConnector for AmazonFirst {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let mut again = request.try_clone();
        // A clone has no extensions, and this one is for whoever gives up the call's connection.
        if let (Some(again), Some(connection)) =
            (&mut again, request.extension::<CaptureSmithyConnection>())
        {
            again.add_extension(connection.clone());
        }
        let response = self.amazon.call(request);
        let system = self.system.clone();
        HttpConnectorFuture::new(async move {
            match (response.await, again) {
                // A handshake that failed has sent nothing of the request.
                (Err(error), Some(request)) if refused_certificate(&error).is_some() => {
                    system.call(request).await
                }
                (response, _) => response,
            }
        })
    }
}

/// Opens a connection for a call, and does not send it.
#[derive(Debug)]
struct Opener(SharedHttpConnector);

impl HttpConnector for Opener {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let mut call = self.0.call(request);
        HttpConnectorFuture::new(async move {
            let woken = Arc::new(Woken(Notify::new()));
            let waker = Waker::from(Arc::clone(&woken));
            // The pool is still empty; with an idle connection, the first poll would send the request. So
            // the first poll makes the pool open a connection, in a separate task. It wakes the
            // call when the connection is there, or has failed; the second poll would send the request.
            // Dropped, the call gives the connection back to the pool.
            if call
                .poll_unpin(&mut Context::from_waker(&waker))
                .is_pending()
            {
                woken.0.notified().await;
            }
            drop(call);
            let stopped = "stopped before it was sent: it was made to open a connection";
            Err(ConnectorError::other(stopped.into(), None))
        })
    }
}

/// A waker that only notifies.
struct Woken(Notify);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.notify_one();
    }
}

/// The error of a certificate that was refused, if that is why a call failed. For whatever reason: of several
/// paths to an authority, rustls reports the most specific error, and with the system's authorities another path
/// may be valid.
fn refused_certificate<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    iter::successors(Some(error), |&error| {
        // `io::Error::source` skips the error that it wraps.
        match error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref)
        {
            Some(wrapped) => Some(wrapped),
            None => error.source(),
        }
    })
    .filter_map(|error| error.downcast_ref())
    .find(|error| matches!(error, rustls::Error::InvalidCertificate(_)))
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;
    use std::net::{Ipv4Addr, TcpListener};
    use std::time::{Instant, SystemTime};

    use aws_config::{BehaviorVersion, SdkConfig};
    use aws_local::AwsLocal;
    use aws_local::tls::Authority;
    use aws_local::tls::Tls;
    use aws_sdk_appflow::config::{Credentials, Region, SharedCredentialsProvider};
    use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};
    use base64::prelude::{BASE64_STANDARD, Engine};
    use futures_util::future::{join, join_all};
    use rustls::CertificateError;
    use sha2::{Digest, Sha256};
    use tokio::time::sleep;

    use crate::aws::clients::Aws;
    use crate::aws::deadline::Deadline;
    use crate::model::service_error::ErrorKind;

    use super::*;

    /// Longer than anything here takes.
    const LONG: Duration = Duration::from_secs(20);

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

    /// The services' endpoints, in place of the environment's.
    #[derive(Debug)]
    struct Endpoints(Tls);

    impl LoadServiceConfig for Endpoints {
        fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
            let of_appflow = key.service_id() == "Appflow";
            let Tls { appflow, lambda } = self.0.clone();
            Some(if of_appflow { appflow } else { lambda })
        }
    }

    async fn clients(https: &Https, tls: &Tls) -> Aws {
        let credentials = Credentials::new("id", "secret", None, None, "test");
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(aws_local::place::REGION))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .service_config(Endpoints(tls.clone()))
            .http_client(https.clone());
        Aws::new(&config.build()).await
    }

    /// Whether a call of AppFlow gets a response, and is not stopped by its certificate.
    async fn reaches(https: &Https, (_, tls): &(AwsLocal, Tls)) -> bool {
        let end = SystemTime::now() + Duration::from_secs(60);
        match clients(https, tls)
            .await
            .until(Deadline::before(end, SystemTime::now()))
            .labels()
            .await
        {
            Ok(_) => true,
            Err(error) if error.message.contains("UnknownIssuer") => false,
            // The error for an authority with the name of a trusted one but another key.
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

    /// A client finishes a handshake shortly before the service does.
    async fn until_handshakes(services: &AwsLocal, number: usize) {
        let enough = async {
            while services.state().handshakes < number {
                sleep(Duration::from_millis(1)).await;
            }
        };
        let in_time = timeout(Duration::from_secs(10), enough).await;
        assert!(
            in_time.is_ok(),
            "{} handshakes",
            services.state().handshakes
        );
    }

    /// The services, with or without HTTP/2, and an authority for their certificates.
    fn services_of(authority: &Authority, with_http_2: bool) -> (AwsLocal, Tls) {
        let aws = AwsLocal::start(0).expect("a free port");
        let tls = match with_http_2 {
            true => aws.serve_tls(authority),
            false => aws.serve_tls_without_http_2(authority),
        };
        (aws, tls.expect("two more"))
    }

    /// Makes so many calls of AppFlow and two of Lambda at the same time; all have to get an answer, within this
    /// time.
    async fn all_answer(aws: &Aws, number: usize, within: Duration) {
        let end = SystemTime::now() + Duration::from_secs(60);
        let calls = aws.until(Deadline::before(end, SystemTime::now()));
        let start = Instant::now();
        let function = "arn:aws:lambda:us-east-1:123456789012:function:none";
        let function = function.parse().expect("an ARN");
        let labels = (0..number).map(|_| calls.labels());
        let functions = (0..2).map(|_| calls.function(&function));
        let (labels, functions) = join(join_all(labels), join_all(functions)).await;
        for labels in labels {
            assert_eq!(labels.map(|labels| labels.len()), Ok(0));
        }
        for function in functions {
            let error = function.expect_err("there is no such function");
            assert_eq!(error.kind, ErrorKind::NotFound, "{error}");
        }
        assert!(start.elapsed() < within, "{:?}", start.elapsed());
    }

    #[tokio::test]
    async fn a_silent_connection_costs_each_call_that_shares_it_one_attempt_and_no_later_retry() {
        let [amazon, system] = [(); 2].map(|()| Authority::new().expect("a key"));
        let runs = [&amazon, &system].map(|authority| {
            [true, false].map(|with_http_2| {
                let https = trusting(&amazon, &system);
                async move {
                    let (services, tls) = services_of(authority, with_http_2);
                    let aws = clients(&https, &tls).await;
                    https
                        .open_within(LONG, |client| aws.make_first_calls(client))
                        .await;
                    until_handshakes(&services, 2).await;
                    // More retries than the SDK's quota has, unless those that succeed give theirs back.
                    for _ in 0..3 {
                        services.fall_silent();
                        all_answer(&aws, 20, Duration::from_secs(9)).await;
                        // Those that are open now work.
                        all_answer(&aws, 20, Duration::from_secs(2)).await;
                    }
                }
            })
        });
        join_all(runs.into_iter().flatten()).await;
    }

    #[tokio::test]
    async fn a_connection_that_falls_silent_before_it_is_known_whom_to_trust_costs_one_attempt() {
        let [amazon, system] = [(); 2].map(|()| Authority::new().expect("a key"));
        let https = trusting(&amazon, &system);
        let (services, tls) = services(&system);
        let aws = clients(&https, &tls).await;
        services.once_before("ListConnectors", |world| world.fall_silent());
        all_answer(&aws, 1, Duration::from_secs(9)).await;
    }

    #[tokio::test]
    async fn a_call_that_is_dropped_unanswered_gives_up_its_connection() {
        let authority = Authority::new().expect("a key");
        for with_http_2 in [true, false] {
            let https = trusting(&authority, &authority);
            let (services, tls) = services_of(&authority, with_http_2);
            let aws = clients(&https, &tls).await;
            all_answer(&aws, 1, LONG).await;
            services.fall_silent();
            // As at the deadline of an invocation.
            let dropped = all_answer(&aws, 1, LONG);
            assert!(timeout(Duration::from_millis(100), dropped).await.is_err());
            all_answer(&aws, 1, Duration::from_secs(1)).await;
        }
    }

    /// Opens at least so many connections, during which nothing is sent, and makes both calls after that.
    async fn open_and_call(https: &Https, services: &AwsLocal, tls: &Tls, at_least: usize) {
        let aws = clients(https, tls).await;
        let start = Instant::now();
        https
            .open_within(LONG, |client| aws.make_first_calls(client))
            .await;
        assert!(
            start.elapsed() < LONG,
            "it waited for more than connections"
        );
        until_handshakes(services, at_least).await;
        assert_eq!(services.take_calls(), []);
        let end = SystemTime::now() + Duration::from_secs(60);
        let calls = aws.until(Deadline::before(end, SystemTime::now()));
        assert!(calls.labels().await.is_ok());
        let function = "arn:aws:lambda:us-east-1:123456789012:function:none";
        let look = calls.function(&function.parse().expect("an ARN")).await;
        assert!(look.is_err(), "there is no such function");
        assert_eq!(services.take_calls().len(), 2);
    }

    #[tokio::test]
    async fn startup_finds_out_whom_to_trust_and_opens_both_connections() {
        let [amazon, system] = [(); 2].map(|()| Authority::new().expect("a key"));
        for authority in [&amazon, &system] {
            let https = trusting(&amazon, &system);
            let (services, tls) = services(authority);
            open_and_call(&https, &services, &tls, 2).await;
            assert_eq!(services.state().handshakes, 2);
        }
    }

    #[tokio::test]
    async fn startup_opens_connections_to_one_endpoint_of_both_services() {
        let authority = Authority::new().expect("a key");
        for of_lambda in [false, true] {
            let https = trusting(&authority, &authority);
            let (services, mut tls) = services(&authority);
            if of_lambda {
                tls.appflow = tls.lambda.clone();
            } else {
                tls.lambda = tls.appflow.clone();
            }
            open_and_call(&https, &services, &tls, 1).await;
            // Two connections, or one that both calls share.
            assert!(services.state().handshakes <= 2);
        }
    }

    #[test]
    fn a_certificate_that_is_refused_for_whatever_reason_is_for_the_systems_authorities() {
        for reason in [
            CertificateError::UnknownIssuer,
            CertificateError::BadSignature,
            CertificateError::Expired,
        ] {
            let error = rustls::Error::InvalidCertificate(reason.clone());
            let error = io::Error::other(io::Error::new(io::ErrorKind::InvalidData, error));
            let error = ConnectorError::io(error.into());
            assert!(refused_certificate(&error).is_some(), "{reason:?}");
        }
        let error = ConnectorError::io(io::Error::other("connection reset").into());
        assert!(refused_certificate(&error).is_none());
    }

    #[tokio::test]
    async fn startup_waits_only_so_long_for_a_service_that_does_not_respond() {
        let [amazon, system] = [(); 2].map(|()| Authority::new().expect("a key"));
        let https = trusting(&amazon, &system);
        let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let endpoint = format!("https://{}", silent.local_addr().expect("an address"));
        let tls = Tls {
            appflow: endpoint.clone(),
            lambda: endpoint,
        };
        let aws = clients(&https, &tls).await;
        let limit = Duration::from_millis(100);
        let opening = https.open_within(limit, |client| aws.make_first_calls(client));
        // The SDK alone would wait for 3.1 seconds.
        assert!(timeout(Duration::from_secs(3), opening).await.is_ok());
    }
}
