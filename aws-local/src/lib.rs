//! AppFlow's custom connectors, the slice of Lambda they need and the Lambda Runtime API, on one
//! port of this machine, speaking the real wire protocols: for the unchanged updater, the AWS CLI,
//! boto3, `cargo lambda` and `sam local` alike.
//!
//! [`AwsLocal`] starts it; its methods are what happens to it from outside, as a deployment
//! pipeline, an operator or a fault would. What it does not know is said so: an operation that is
//! not here answers `UnknownOperationException`.

#![warn(missing_docs)]

pub mod answer;
pub mod appflow;
pub mod bootstrap;
pub mod cloudtrail;
pub mod constraints;
pub mod demo;
pub mod faults;
pub mod lambda;
pub mod lambda_api;
pub mod place;
pub mod runtime_api;
mod server;
pub mod tls;
mod world;

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};

pub use world::{Call, World};

use crate::answer::Answer;
use crate::faults::Fault;
use crate::runtime_api::{Invocation, Outcome};
use crate::tls::Tls;
use crate::world::{Shared, lock};

/// How long an invocation's outcome is waited for beyond the function's timeout: the process may
/// have to start first, on a machine that is busy.
const GRACE: Duration = Duration::from_secs(20);

/// A running server. It ends with the process.
#[derive(Clone)]
pub struct AwsLocal {
    address: SocketAddr,
    world: Shared,
}

impl AwsLocal {
    /// Listens on a port of the loopback interface; 0 lets the system choose one.
    pub fn start(port: u16) -> io::Result<Self> {
        Self::listen((Ipv4Addr::LOCALHOST, port).into())
    }

    /// Listens on an address of this machine.
    pub fn listen(address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let world: Shared = Arc::new(Mutex::default());
        let served = Arc::clone(&world);
        in_background(async {
            let listener = tokio::net::TcpListener::from_std(listener)?;
            server::serve(listener, served).await
        })?;
        Ok(Self { address, world })
    }

    /// Serves AppFlow and Lambda by TLS too, on two more ports of the loopback interface.
    pub fn serve_tls(&self) -> io::Result<Tls> {
        let (acceptor, authority) = tls::acceptor()?;
        let mut addresses = Vec::new();
        for _ in 0..2 {
            let listener = tls::listener()?;
            addresses.push(listener.local_addr()?);
            let (acceptor, world) = (acceptor.clone(), Arc::clone(&self.world));
            in_background(async {
                let listener = tokio::net::TcpListener::from_std(listener)?;
                server::serve_tls(listener, acceptor, world).await
            })?;
        }
        Ok(Tls::new(addresses[0], addresses[1], authority))
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it listens, for `AWS_ENDPOINT_URL`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Everything behind the port. Nothing is served while the guard lives.
    pub fn state(&self) -> MutexGuard<'_, World> {
        lock(&self.world)
    }

    pub(crate) fn world(&self) -> &Shared {
        &self.world
    }

    /// Does what a call of AppFlow or Lambda does, without the wire: faults do not meet it, and it
    /// is not counted among the calls. It takes the names of the API.
    pub fn call(&self, operation: &str, input: Value) -> Answer {
        server::call(&mut self.state(), operation, &input)
    }

    /// Adds a fault.
    pub fn fault(&self, fault: Fault) {
        self.state().faults.add(fault);
    }

    /// The calls that came through the port since they were last taken.
    pub fn take_calls(&self) -> Vec<Call> {
        std::mem::take(&mut self.state().calls)
    }

    /// The events that deployments have caused since they were last taken.
    pub fn take_events(&self) -> Vec<Value> {
        std::mem::take(&mut self.state().events)
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

    /// What AppFlow would have if it read every registration anew at this moment: its label, and
    /// the connector version that AppFlow holds and that its function has.
    pub fn versions(&self) -> Vec<(String, Value, Value)> {
        let world = self.state();
        world
            .appflow
            .registrations()
            .iter()
            .map(|(label, registration)| {
                let current = world.lambda.configuration(&registration.lambda_arn);
                (
                    label.clone(),
                    registration.configuration["connectorVersion"].clone(),
                    current.map_or(json!(null), |current| current["connectorVersion"].clone()),
                )
            })
            .collect()
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
