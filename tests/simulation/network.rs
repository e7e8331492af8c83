//! The HTTP client between the updater's SDK and AWS in memory. Latencies and faults come from the seed.

use std::fmt;
use std::sync::Arc;

use aws_local::Dropped;
use aws_local::faults::{Fault, Kind};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::http::Response as SdkResponse;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::BodyExt;
use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::conditions::LATEST_STORE;
use crate::operator;
use crate::world::World;

pub const UPDATE: &str = "UpdateConnectorRegistration";

/// The call of a request.
pub struct Call {
    pub service: &'static str,
    pub operation: &'static str,
    /// What it is about, in the trace.
    about: String,
    input: Value,
}

impl Call {
    fn of(request: &Request<Bytes>) -> Self {
        let path = request.uri().path();
        let input: Value = serde_json::from_slice(request.body()).unwrap_or_default();
        let (service, operation) = match path {
            "/update-connector-registration" => ("AppFlow", UPDATE),
            "/describe-connector" => ("AppFlow", "DescribeConnector"),
            "/list-connectors" => ("AppFlow", "ListConnectors"),
            _ if path.ends_with("/configuration") => ("Lambda", "GetFunctionConfiguration"),
            _ if path.ends_with("/versions") => ("Lambda", "ListVersionsByFunction"),
            _ if path.contains("/aliases/") => ("Lambda", "GetAlias"),
            _ => ("Lambda", "AddPermission"),
        };
        let about = match input["connectorLabel"].as_str() {
            Some(label) => label.to_owned(),
            None if service == "Lambda" => {
                let function = path.split("%3A").last().unwrap_or(path);
                let function = function.split('/').next().unwrap_or(function);
                let query = request.uri().query().unwrap_or_default();
                let qualifier = query.strip_prefix("Qualifier=");
                let qualifier = qualifier.map(|qualifier| qualifier.replace("%24", "$"));
                qualifier.map_or(function.to_owned(), |qualifier| {
                    format!("{function}:{qualifier}")
                })
            }
            None => String::new(),
        };
        Self {
            service,
            operation,
            about,
            input,
        }
    }

    /// The fault that makes it fail in this way.
    pub fn fails(&self, how: &str) -> Fault {
        let (internal, throttled) = match self.service {
            "Lambda" => ("ServiceException", "TooManyRequestsException"),
            _ => ("InternalServerException", "ThrottlingException"),
        };
        match how {
            "dropped" => Fault::of("*", Kind::Dropped),
            "internal" => Fault::error("*", internal),
            _ => Fault::error("*", throttled),
        }
    }
}

/// The client of one execution environment.
pub fn client(world: &Arc<World>, environment: usize) -> SharedHttpClient {
    let connector = SharedHttpConnector::new(Wire {
        world: Arc::clone(world),
        environment,
    });
    http_client_fn(move |_, _| connector.clone())
}

struct Wire {
    world: Arc<World>,
    environment: usize,
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wire")
    }
}

impl HttpConnector for Wire {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (world, environment) = (Arc::clone(&self.world), self.environment);
        HttpConnectorFuture::new(async move {
            let request = request
                .try_into_http1x()
                .map_err(|error| ConnectorError::user(error.into()))?;
            let (head, body) = request.into_parts();
            let body = body.collect().await.map_err(ConnectorError::user)?;
            let request = Request::from_parts(head, body.to_bytes());
            // A request is delivered even if its client stops waiting.
            let carried = tokio::spawn(carry(world, environment, request));
            let answer = match carried.await {
                Ok(answer) => answer.map_err(|error| ConnectorError::io(error.into()))?,
                Err(error) => std::panic::resume_unwind(error.into_panic()),
            };
            SdkResponse::try_from(answer.map(SdkBody::from))
                .map_err(|error| ConnectorError::user(error.into()))
        })
    }
}

/// Delivers a request, and returns the response.
async fn carry(
    world: Arc<World>,
    environment: usize,
    request: Request<Bytes>,
) -> Result<Response<Bytes>, Dropped> {
    let call = Call::of(&request);
    let (there, back) = {
        let mut state = world.state();
        state.requests += 1;
        if call.service == "Lambda" {
            state.sent_to_lambda.push(Instant::now());
        }
        (state.conditions.way(), state.conditions.way())
    };
    sleep(there).await;
    let number = world.state().environments[environment];
    let (told, faulty) = arrive(&world, environment, &call);
    let arrived = Instant::now();
    let answer = world.aws.respond(request).await;
    let became = became(&answer);
    let late = arrived.elapsed();
    // An error for something that does not exist is not a fault.
    if !faulty && !["200", "201", "ResourceNotFoundException"].contains(&became.as_str()) {
        world.state().invocations[number].faults += 1;
    }
    match late.is_zero() {
        true => world.tell(format!("{told}: {became}")),
        false => world.tell(format!("{told}, {late:?} ago: {became}")),
    }
    sleep(back).await;
    world.state().requests -= 1;
    answer
}

/// Handles the arrival of a request: draws its fault, and checks that it keeps operators' changes.
/// Returns the line for the trace, and whether there is a fault.
fn arrive(world: &Arc<World>, environment: usize, call: &Call) -> (String, bool) {
    let mut state = world.state();
    let number = state.environments[environment];
    let fault = match state.invocation(environment).calm {
        true => None,
        false => state.conditions.fault(call),
    };
    let mut told = format!("#{number} {} {}", call.operation, call.about);
    if call.operation == UPDATE {
        let target = call.input["connectorProvisioningConfig"]["lambda"]["lambdaArn"].as_str();
        let target = target.unwrap_or_default();
        let description = call.input["description"].as_str();
        let short = target.split(':').skip(6).collect::<Vec<_>>().join(":");
        told.push_str(&format!(" {short} {description:?}"));
        drop(state);
        operator::is_respected(world, &call.about, target, description);
        state = world.state();
    }
    let faulty = fault.is_some();
    if let Some(fault) = fault {
        state.invocation(environment).faults += 1;
        let text = format!("{fault:?}");
        if let Some((_, kind)) = text.split_once("kind: ") {
            let kind = kind.trim_end_matches(" }");
            told.push_str(&format!(
                " [{}]",
                kind.split(", message").next().unwrap_or(kind)
            ));
        }
        if call.operation == UPDATE && text.contains("StoredLate") {
            let until = Instant::now() + LATEST_STORE;
            state.stores.insert(call.about.clone(), until);
        }
        drop(state);
        world.aws.fault(fault.times(1));
        if text.contains("AnswerLostStoredLate") {
            world.tell(format!("{told}: read"));
        }
    }
    (told, faulty)
}

fn became(answer: &Result<Response<Bytes>, Dropped>) -> String {
    match answer {
        Err(_) => "no answer".to_owned(),
        Ok(answer) => match answer.headers().get("x-amzn-errortype") {
            Some(error) => error.to_str().unwrap_or_default().to_owned(),
            None => answer.status().as_u16().to_string(),
        },
    }
}
