//! TLS for AppFlow and Lambda: each has its own address, as in AWS, and a certificate made for the run.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

/// The name in the certificate. It is not an address, so that clients resolve it as they resolve AWS's
/// names.
pub const HOST: &str = "localhost";

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
    services: Services,
}

/// Where the services' certificates come from.
#[derive(Debug)]
enum Services {
    /// A new one for each, with a new key.
    New(Box<Issuer<'static, KeyPair>>),
    /// One for all, with the certificates between it and the authority's.
    Given {
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
    },
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
        let services = Services::New(Box::new(Issuer::new(params, key)));
        Ok(Self {
            certificate,
            services,
        })
    }

    /// One that has already signed: its certificate, the services' certificate for [`HOST`] followed by those
    /// between the two, and the services' key, all in PEM. The key may be of any kind; [`Authority::new`] only
    /// makes keys for ECDSA.
    ///
    /// # Errors
    /// If the chain or the key is not PEM.
    pub fn with_chain(certificate: String, chain: &str, key: &str) -> io::Result<Self> {
        let chain: Result<_, _> = CertificateDer::pem_slice_iter(chain.as_bytes()).collect();
        Ok(Self {
            certificate,
            services: Services::Given {
                chain: chain.map_err(io::Error::other)?,
                key: PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(io::Error::other)?,
            },
        })
    }

    /// Accepts TLS handshakes, and offers these protocols by ALPN, in order of preference.
    pub(crate) fn acceptor(&self, protocols: &[&[u8]]) -> io::Result<TlsAcceptor> {
        let (chain, key) = match &self.services {
            Services::New(issuer) => new_certificate(issuer)?,
            Services::Given { chain, key } => (chain.clone(), key.clone_key()),
        };
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .map_err(io::Error::other)?;
        config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}

/// A certificate for [`HOST`] and its key.
fn new_certificate(
    issuer: &Issuer<'static, KeyPair>,
) -> io::Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)> {
    let key = KeyPair::generate().map_err(io::Error::other)?;
    let mut params = CertificateParams::new([HOST.to_owned()]).map_err(io::Error::other)?;
    // Python verifies with OpenSSL's strict mode, which requires this extension.
    params.use_authority_key_identifier_extension = true;
    let certificate = params.signed_by(&key, issuer).map_err(io::Error::other)?;
    let chain = vec![certificate.der().clone()];
    Ok((chain, PrivatePkcs8KeyDer::from(key.serialize_der()).into()))
}

/// A listening socket for a client that resolves [`HOST`].
pub(crate) fn listener() -> io::Result<std::net::TcpListener> {
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}
