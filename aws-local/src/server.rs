//! One port for everything: AppFlow, Lambda and the Lambda Runtime API.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::answer::{Answer, ApiError};
use crate::appflow::AppFlow;
use crate::cloudtrail;
use crate::faults::{Fault, Faults, Kind};
use crate::lambda::{Lambda, Reference};
use crate::lambda_api;
use crate::place;
use crate::runtime_api::{self, Invocation, Outcome, Runtime};

/// Everything that is behind the port.
#[derive(Default)]
pub struct World {
    /// AppFlow.
    pub appflow: AppFlow,
    /// Lambda.
    pub lambda: Lambda,
    /// The updater's invocations.
    pub runtime: Runtime,
    /// What is to go wrong.
    pub faults: Faults,
    /// Every call of AppFlow and Lambda that came through the port, in its order.
    pub calls: Vec<Call>,
    /// The events that deployments have caused, oldest first.
    pub events: Vec<Value>,
    /// How many TLS connections were made.
    pub handshakes: usize,
    /// Whether events go to the updater by themselves.
    pub delivering: bool,
    numbers: u64,
}

/// One call that came through the port.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// Such as `UpdateConnectorRegistration`.
    pub operation: String,
    /// What it was given.
    pub input: Value,
    /// The error that it ended with; `None` for an answer. Set when the call is done.
    pub error: Option<String>,
}

/// The world, shared.
pub type Shared = Arc<Mutex<World>>;

/// The world, for as long as the guard lives. A test that failed while it held the guard has
/// failed already; what it left is still fit to look at.
pub fn lock(world: &Shared) -> MutexGuard<'_, World> {
    world.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How long a synchronous invocation through `Invoke` may take.
pub const INVOKE_TIMEOUT: Duration = Duration::from_secs(60);

/// Accepts connections for ever.
pub async fn serve(listener: TcpListener, world: Shared) -> io::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(connection(stream, Arc::clone(&world)));
    }
}

/// Accepts TLS connections for ever.
pub async fn serve_tls(
    listener: TcpListener,
    acceptor: TlsAcceptor,
    world: Shared,
) -> io::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let handshake = acceptor.accept(stream);
        let world = Arc::clone(&world);
        tokio::spawn(async move {
            // A client that does not trust the certificate says so at its own end.
            if let Ok(stream) = handshake.await {
                lock(&world).handshakes += 1;
                connection(stream, world).await;
            }
        });
    }
}

async fn connection(stream: impl AsyncRead + AsyncWrite + Unpin, world: Shared) {
    let service = service_fn(|request| answer(request, Arc::clone(&world)));
    // A connection that breaks is the client's business, or a fault that was asked for.
    let _ = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

/// The connection is to be dropped without an answer.
#[derive(Debug)]
struct Dropped;

impl std::fmt::Display for Dropped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("dropped on demand")
    }
}

impl std::error::Error for Dropped {}

type Reply = Response<Full<Bytes>>;

async fn answer(request: Request<Incoming>, world: Shared) -> Result<Reply, Dropped> {
    let (head, body) = request.into_parts();
    let Ok(body) = body.collect().await else {
        return Err(Dropped);
    };
    let body = body.to_bytes();
    let path: Vec<String> = head
        .uri
        .path()
        .split('/')
        .filter(|part| !part.is_empty())
        .map(|part| percent_decode_str(part).decode_utf8_lossy().into_owned())
        .collect();
    let parts: Vec<&str> = path.iter().map(String::as_str).collect();
    let get = head.method == Method::GET;
    match parts.as_slice() {
        ["2018-06-01", "runtime", rest @ ..] => Ok(runtime(get, rest, &body, &world).await),
        ["2015-03-31", "functions", function, "invocations"]
            if Reference::parse(function)
                .is_some_and(|reference| reference.name.name == place::UPDATER) =>
        {
            let asynchronous = head
                .headers
                .get("x-amz-invocation-type")
                .is_some_and(|kind| kind == "Event");
            Ok(invoke(body, asynchronous, &world).await)
        }
        ["_aws-local", "faults"] => Ok(faults(&head.method, &body, &world)),
        _ => {
            let query = head.uri.query().unwrap_or_default();
            service(head.method.as_str(), &path, query, &body, &world).await
        }
    }
}

/// A call of AppFlow or Lambda.
async fn service(
    method: &str,
    path: &[String],
    query: &str,
    body: &Bytes,
    world: &Shared,
) -> Result<Reply, Dropped> {
    let number = {
        let mut world = lock(world);
        world.numbers += 1;
        world.numbers
    };
    let request_id = cloudtrail::id(number, 7);
    let reply = |answer: &Answer| match answer {
        Ok(Value::Null) => response(204, &request_id, None, Bytes::new()),
        Ok(value) => response(200, &request_id, None, value.to_string().into()),
        Err(error) => response(
            error.status,
            &request_id,
            Some(&error.code),
            error.body().to_string().into(),
        ),
    };

    let input: Value = if body.is_empty() {
        json!({})
    } else {
        match serde_json::from_slice(body) {
            Ok(input) => input,
            Err(error) => {
                let error = ApiError::new("SerializationException", error.to_string());
                return Ok(reply(&Err(error)));
            }
        }
    };
    let Some(work) = Work::route(method, path, query, input) else {
        let error = ApiError {
            status: 404,
            ..ApiError::new("UnknownOperationException", format!("{method} {path:?}"))
        };
        return Ok(reply(&Err(error)));
    };
    let (operation, input) = work.operation();
    let (operation, input) = (operation.to_owned(), input.clone());
    // Whoever calls does so with the credentials of the one account.
    let foreign = Reference::parse(input["FunctionName"].as_str().unwrap_or_default())
        .filter(|reference| reference.name.account != place::ACCOUNT);
    let (fault, position) = {
        let mut world = lock(world);
        world.calls.push(Call {
            operation: operation.clone(),
            input: input.clone(),
            error: None,
        });
        (world.faults.meet(&operation, &input), world.calls.len() - 1)
    };
    let failed = |code: &str| {
        // The list may have been taken meanwhile.
        if let Some(call) = lock(world).calls.get_mut(position) {
            call.error = Some(code.to_owned());
        }
    };
    if let Some(function) = foreign {
        failed("AccessDeniedException");
        let message = format!(
            "User is not authorized to perform: lambda:{operation} on resource: {}",
            function.name.arn(None)
        );
        return Ok(reply(&Err(ApiError::new("AccessDeniedException", message))));
    }
    match &fault {
        Some(Kind::Error(error)) => {
            failed(&error.code);
            return Ok(reply(&Err(error.clone())));
        }
        Some(Kind::Dropped) => {
            failed("dropped");
            return Err(Dropped);
        }
        Some(Kind::Slow(time)) => tokio::time::sleep(*time).await,
        Some(Kind::AnswerLost | Kind::AboveRate(_)) | None => {}
    }
    let answer = work.carry_out(&mut lock(world), number);
    if let Err(error) = &answer {
        failed(&error.code);
    }
    if matches!(fault, Some(Kind::AnswerLost)) {
        failed("answer lost");
        return Err(Dropped);
    }
    Ok(reply(&answer))
}

/// AppFlow's paths and operations.
const APPFLOW: [(&str, &str); 5] = [
    ("register-connector", "RegisterConnector"),
    (
        "update-connector-registration",
        "UpdateConnectorRegistration",
    ),
    ("describe-connector", "DescribeConnector"),
    ("list-connectors", "ListConnectors"),
    ("unregister-connector", "UnregisterConnector"),
];

/// A call that was understood.
enum Work {
    AppFlow(&'static str, Value),
    Lambda(lambda_api::Call),
}

impl Work {
    fn route(method: &str, path: &[String], query: &str, input: Value) -> Option<Self> {
        if let (Method::POST, [path]) = (Method::from_bytes(method.as_bytes()).ok()?, path) {
            let (_, operation) = APPFLOW.iter().find(|(name, _)| name == path)?;
            return Some(Self::AppFlow(operation, input));
        }
        let query: BTreeMap<String, String> = query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| {
                let value = percent_decode_str(value).decode_utf8_lossy().into_owned();
                (name.to_owned(), value)
            })
            .collect();
        lambda_api::route(method, path, &query, &input).map(Self::Lambda)
    }

    fn operation(&self) -> (&str, &Value) {
        match self {
            Self::AppFlow(operation, input) => (operation, input),
            Self::Lambda(call) => (call.operation, &call.input),
        }
    }

    fn carry_out(&self, world: &mut World, number: u64) -> Answer {
        match self {
            Self::AppFlow(operation, input) => {
                let World {
                    appflow, lambda, ..
                } = world;
                appflow
                    .call(operation, input, lambda)
                    .unwrap_or_else(|| Err(ApiError::new("UnknownOperationException", *operation)))
            }
            Self::Lambda(call) => {
                let done = lambda_api::call(&mut world.lambda, call)?;
                if let Some((name, event_name)) = done.recorded {
                    let event =
                        cloudtrail::event(&name, event_name, &call.input, &done.answer, number);
                    world.happened(event);
                }
                Ok(done.answer)
            }
        }
    }
}

/// Does what a call does, without the wire.
pub fn call(world: &mut World, operation: &str, input: &Value) -> Answer {
    world.numbers += 1;
    let number = world.numbers;
    let unknown = || ApiError::new("UnknownOperationException", operation);
    let work = match APPFLOW.iter().find(|(_, name)| *name == operation) {
        Some((_, operation)) => Work::AppFlow(operation, input.clone()),
        None => Work::Lambda(lambda_api::Call {
            operation: lambda_api::OPERATIONS
                .iter()
                .find(|name| **name == operation)
                .ok_or_else(unknown)?,
            input: input.clone(),
        }),
    };
    work.carry_out(world, number)
}

impl World {
    /// Notes an event, and hands it to the updater if events are delivered.
    pub fn happened(&mut self, event: Value) {
        if self.delivering {
            let invocation = Invocation {
                payload: event.to_string().into(),
                request_id: self.runtime.request_id(),
                timeout: INVOKE_TIMEOUT,
            };
            // Asynchronous: nobody waits for the outcome.
            drop(self.runtime.invoke(invocation));
        }
        self.events.push(event);
    }
}

/// The Lambda Runtime API.
async fn runtime(get: bool, path: &[&str], body: &Bytes, world: &Shared) -> Reply {
    let accepted = |done: bool| {
        let status = if done { 202 } else { 404 };
        let text = json!({ "status": if done { "OK" } else { "no such invocation" } });
        plain(status, text.to_string().into())
    };
    match path {
        ["invocation", "next"] if get => {
            let arrived = {
                let runtime = &mut lock(world).runtime;
                runtime.asked();
                runtime.arrived()
            };
            loop {
                let invocation = lock(world).runtime.take_next();
                if let Some(invocation) = invocation {
                    let mut reply = plain(200, invocation.payload.clone());
                    for (name, value) in runtime_api::headers(&invocation) {
                        if let Ok(value) = value.parse() {
                            reply.headers_mut().insert(name, value);
                        }
                    }
                    return reply;
                }
                arrived.notified().await;
            }
        }
        ["invocation", id, "response"] if !get => {
            let answer = serde_json::from_slice(body)
                .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(body).into_owned()));
            accepted(lock(world).runtime.done(id, Outcome::Answer(answer)))
        }
        ["invocation", id, "error"] if !get => {
            let (error_type, message) = runtime_api::error(body);
            let outcome = Outcome::Error {
                error_type,
                message,
            };
            accepted(lock(world).runtime.done(id, outcome))
        }
        ["init", "error"] if !get => {
            let (error_type, message) = runtime_api::error(body);
            lock(world).runtime.not_started(&error_type, &message);
            accepted(true)
        }
        _ => accepted(false),
    }
}

/// `Invoke` of the updater.
async fn invoke(payload: Bytes, asynchronous: bool, world: &Shared) -> Reply {
    let outcome = {
        let mut world = lock(world);
        let request_id = world.runtime.request_id();
        world.runtime.invoke(Invocation {
            payload,
            request_id,
            timeout: INVOKE_TIMEOUT,
        })
    };
    if asynchronous {
        return plain(202, Bytes::new());
    }
    let outcome = tokio::task::spawn_blocking(move || outcome.recv_timeout(INVOKE_TIMEOUT)).await;
    let (error, body) = match outcome {
        Ok(Ok(Outcome::Answer(answer))) => (false, answer),
        Ok(Ok(
            Outcome::Error {
                error_type,
                message,
            }
            | Outcome::NotStarted {
                error_type,
                message,
            },
        )) => (
            true,
            json!({ "errorType": error_type, "errorMessage": message }),
        ),
        Ok(Ok(Outcome::TimedOut) | Err(_)) | Err(_) => (
            true,
            json!({ "errorType": "Sandbox.Timedout", "errorMessage": "The invocation timed out." }),
        ),
    };
    let mut reply = plain(200, body.to_string().into());
    if error {
        let unhandled = hyper::header::HeaderValue::from_static("Unhandled");
        reply
            .headers_mut()
            .insert("X-Amz-Function-Error", unhandled);
    }
    reply
}

/// Faults for a server that runs on its own.
fn faults(method: &Method, body: &Bytes, world: &Shared) -> Reply {
    let mut world = lock(world);
    match *method {
        Method::DELETE => {
            world.faults.clear();
            plain(204, Bytes::new())
        }
        Method::POST => match serde_json::from_slice(body)
            .ok()
            .as_ref()
            .and_then(Fault::from_json)
        {
            Some(fault) => {
                world.faults.add(fault);
                plain(204, Bytes::new())
            }
            None => plain(400, Bytes::from_static(b"not a fault\n")),
        },
        _ => plain(405, Bytes::new()),
    }
}

fn plain(status: u16, body: Bytes) -> Reply {
    response(status, "", None, body)
}

fn response(status: u16, request_id: &str, error_type: Option<&str>, body: Bytes) -> Reply {
    let mut builder = Response::builder()
        .status(status)
        .header("Content-Type", "application/json");
    if !request_id.is_empty() {
        builder = builder.header("x-amzn-RequestId", request_id);
    }
    if let Some(error_type) = error_type {
        builder = builder.header("x-amzn-ErrorType", error_type);
    }
    match builder.body(Full::new(body)) {
        Ok(response) => response,
        // An error type that is no header value: only a fault can ask for one.
        Err(_) => Response::new(Full::default()),
    }
}
