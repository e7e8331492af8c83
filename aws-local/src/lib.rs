//! AppFlow's custom connectors, the part of Lambda that they need, and the Lambda Runtime API, on one
//! port of this machine. They speak the real protocols, so that the unchanged updater, the AWS CLI,
//! boto3, `cargo lambda`, and `sam local` work with them.
//!
//! [`AwsLocal`] starts the server. [`Aws`] is what is behind the port: its methods act as a deployment
//! pipeline, an operator, or a fault. A test that needs no port uses an `Aws` by itself, and passes
//! requests to [`Aws::respond`]. An operation that is not implemented returns
//! `UnknownOperationException`.

pub mod answer;
pub mod appflow;
mod aws;
pub mod bootstrap;
mod calls;
mod clock;
pub mod cloudtrail;
pub mod constraints;
pub mod containers;
pub mod demo;
pub mod faults;
pub mod lambda;
pub mod lambda_api;
pub mod place;
pub mod runtime_api;
mod server;
mod services;
pub mod state_event;
pub mod tls;
mod work;
mod world;

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::ops::Deref;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use bytes::Bytes;

pub use aws::Aws;
pub use calls::Calls;
pub use services::Dropped;
pub use world::{Call, World};

use crate::runtime_api::{Invocation, Outcome};
use crate::tls::{Authority, Tls};

/// How long to wait for an invocation's outcome beyond the function's timeout: the process may have to
/// start first, on a busy machine.
const GRACE: Duration = Duration::from_secs(20);

/// A running server. It ends with the process.
#[derive(Clone)]
pub struct AwsLocal {
    address: SocketAddr,
    aws: Aws,
}

impl Deref for AwsLocal {
    type Target = Aws;

    fn deref(&self) -> &Aws {
        &self.aws
    }
}

impl AwsLocal {
    /// Listens on a port of the loopback interface, or on any free one for 0.
    pub fn start(port: u16) -> io::Result<Self> {
        Self::listen((Ipv4Addr::LOCALHOST, port).into())
    }

    /// Listens on an address of this machine.
    pub fn listen(address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let aws = Aws::new();
        let served = Arc::clone(aws.world());
        in_background(async {
            let listener = tokio::net::TcpListener::from_std(listener)?;
            server::serve(listener, served).await
        })?;
        Ok(Self { address, aws })
    }

    /// Also serves AppFlow and Lambda over TLS, on two more ports of the loopback interface, with
    /// certificates that `authority` signs. Both offer HTTP/2, as both services were recorded to
    /// (of Lambda, <https://github.com/rusoto/rusoto/pull/1900>).
    pub fn serve_tls(&self, authority: &Authority) -> io::Result<Tls> {
        self.serve_tls_with(authority, &[tls::HTTP_2, tls::HTTP_1])
    }

    /// The same, without HTTP/2.
    pub fn serve_tls_without_http_2(&self, authority: &Authority) -> io::Result<Tls> {
        self.serve_tls_with(authority, &[tls::HTTP_1])
    }

    fn serve_tls_with(&self, authority: &Authority, protocols: &[&[u8]]) -> io::Result<Tls> {
        let serve = || {
            let acceptor = authority.acceptor(protocols)?;
            let listener = tls::listener()?;
            let address = listener.local_addr()?;
            let world = Arc::clone(self.world());
            in_background(async {
                let listener = tokio::net::TcpListener::from_std(listener)?;
                server::serve_tls(listener, acceptor, world).await
            })?;
            io::Result::Ok(address)
        };
        Ok(Tls::new(serve()?, serve()?))
    }

    /// Closes all open TLS connections.
    pub fn close_tls_connections(&self) {
        self.state().closing.notify_waiters();
    }

    /// The address that it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its URL, for `AWS_ENDPOINT_URL`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Invokes the updater and waits for the outcome.
    pub fn invoke(&self, payload: impl Into<Bytes>) -> Outcome {
        let request_id = self.state().runtime.request_id();
        self.invoke_with(Invocation {
            payload: payload.into(),
            request_id,
            timeout: Duration::from_secs(60),
        })
    }

    /// Invokes the updater with a request id and a timeout of its own.
    pub fn invoke_with(&self, invocation: Invocation) -> Outcome {
        let wait = invocation.timeout + GRACE;
        let outcome = self.state().runtime.invoke(invocation);
        outcome.recv_timeout(wait).unwrap_or(Outcome::TimedOut)
    }
}

/// Runs a server on a thread of its own.
fn in_background(server: impl Future<Output = io::Result<()>> + Send + 'static) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    thread::Builder::new()
        .name("aws-local".to_owned())
        .spawn(move || runtime.block_on(server))?;
    Ok(())
}
