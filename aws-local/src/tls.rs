//! TLS for AppFlow and Lambda: each has its own address, as in AWS, and a certificate made for the run.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;

/// The name in the certificate. It is not an address, so that clients resolve it as they resolve AWS's
/// names.
const HOST: &str = "localhost";

/// The names of HTTP's versions in ALPN.
pub(crate) const HTTP_1: &[u8] = b"http/1.1";
pub(crate) const HTTP_2: &[u8] = b"h2";

/// The URLs of AppFlow and Lambda over TLS.
#[derive(Clone, Debug)]
pub struct Tls {
    /// For `AWS_ENDPOINT_URL_APPFLOW`.
    pub appflow: String,
    /// For `AWS_ENDPOINT_URL_LAMBDA`.
    pub lambda: String,
}

impl Tls {
    pub(crate) fn new(appflow: SocketAddr, lambda: SocketAddr) -> Self {
        let endpoint = |address: SocketAddr| format!("https://{HOST}:{}", address.port());
        Self {
            appflow: endpoint(appflow),
            lambda: endpoint(lambda),
        }
    }
}

/// A certificate authority, which signs the services' certificates.
#[derive(Debug)]
pub struct Authority {
    /// Its own certificate, in PEM.
    pub certificate: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    /// A new one, with a new key.
    pub fn new() -> io::Result<Self> {
        let mut params = CertificateParams::default();
        params
            .distinguished_name
            .push(DnType::CommonName, "aws-local");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().map_err(io::Error::other)?;
        let certificate = params.self_signed(&key).map_err(io::Error::other)?.pem();
        let issuer = Issuer::new(params, key);
        Ok(Self {
            certificate,
            issuer,
        })
    }

    /// Accepts TLS handshakes with a new certificate, and offers these protocols by ALPN, in order of
    /// preference.
    pub(crate) fn acceptor(&self, protocols: &[&[u8]]) -> io::Result<TlsAcceptor> {
        let key = KeyPair::generate().map_err(io::Error::other)?;
        let mut params = CertificateParams::new([HOST.to_owned()]).map_err(io::Error::other)?;
        // Python verifies with OpenSSL's strict mode, which requires this extension.
        params.use_authority_key_identifier_extension = true;
        let certificate = params
            .signed_by(&key, &self.issuer)
            .map_err(io::Error::other)?;
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone()],
                PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
            )
            .map_err(io::Error::other)?;
        config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}

/// A listening socket for a client that resolves [`HOST`].
pub(crate) fn listener() -> io::Result<std::net::TcpListener> {
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}
