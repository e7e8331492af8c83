//! Handles requests to AppFlow and Lambda, with or without a port.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hyper::{Request, Response, Uri};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::answer::{Answer, ApiError};
use crate::cloudtrail;
use crate::faults::Kind;
use crate::lambda::Reference;
use crate::place;
use crate::work::Work;
use crate::world::{Call, Shared, World, lock};

/// No response: a fault drops the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dropped;

impl std::fmt::Display for Dropped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a fault dropped the connection")
    }
}

impl std::error::Error for Dropped {}

/// Handles a call of AppFlow or Lambda.
pub(crate) async fn respond(
    world: &Shared,
    request: Request<Bytes>,
) -> Result<Response<Bytes>, Dropped> {
    let number = lock(world).next_number();
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

    let (head, body) = request.into_parts();
    let input: Value = if body.is_empty() {
        json!({})
    } else {
        match serde_json::from_slice(&body) {
            Ok(input) => input,
            Err(error) => {
                let error = ApiError::new("SerializationException", error.to_string());
                return Ok(reply(&Err(error)));
            }
        }
    };
    let query = head.uri.query().unwrap_or_default();
    let Some(work) = Work::route(&head.method, &path(&head.uri), query, input) else {
        let what = format!("{} {}", head.method, head.uri.path());
        let error = ApiError {
            status: 404,
            ..ApiError::new("UnknownOperationException", what)
        };
        return Ok(reply(&Err(error)));
    };
    let ending = work_on(&mut lock(world), number, &work);
    match ending {
        Ending::Answer(answer) => Ok(reply(&answer)),
        Ending::Later(answer, time) => {
            tokio::time::sleep(time).await;
            Ok(reply(&answer))
        }
        Ending::Lost => Err(Dropped),
        Ending::Stored(time) => match store(world, number, time).await {
            Ok(answer) => Ok(reply(&answer)),
            Err(_) => Err(Dropped),
        },
        Ending::LostAndStored(time) => {
            drop(store(world, number, time));
            Err(Dropped)
        }
    }
}

/// How a call ends, after the work at its arrival.
enum Ending {
    Answer(Answer),
    Later(Answer, Duration),
    Lost,
    /// AppFlow stores what it has read, and responds, after this time.
    Stored(Duration),
    LostAndStored(Duration),
}

/// Records a call, and does the work at its arrival.
fn work_on(world: &mut World, number: u64, work: &Work) -> Ending {
    let (operation, input) = work.operation();
    world.calls.push(Call {
        operation: operation.to_owned(),
        input: input.clone(),
        error: None,
        number,
    });
    let fault = world.faults.meet(operation, input);
    let refusal = match &fault {
        Some(Kind::Error(error)) => Some(error.clone()),
        _ => None,
    };
    if let Some(error) = foreign(operation, input).or(refusal) {
        world.failed(number, &error.code);
        return Ending::Answer(Err(error));
    }
    if matches!(fault, Some(Kind::Dropped)) {
        world.failed(number, "dropped");
        return Ending::Lost;
    }
    let answer = world.between_hooks(operation, input, |world| match fault {
        Some(Kind::StoredLate(_) | Kind::AnswerLostStoredLate(_)) => work.begin(world, number),
        _ => Some(work.carry_out(world, number)),
    });
    if let Some(Err(error)) = &answer {
        world.failed(number, &error.code);
    }
    if matches!(
        fault,
        Some(Kind::AnswerLost | Kind::AnswerLostStoredLate(_))
    ) {
        world.failed(number, "answer lost");
    }
    match (fault, answer) {
        (Some(Kind::AnswerLostStoredLate(time)), None) => Ending::LostAndStored(time),
        (Some(Kind::AnswerLost | Kind::AnswerLostStoredLate(_)), _) => Ending::Lost,
        (Some(Kind::StoredLate(time)), None) => Ending::Stored(time),
        (Some(Kind::Slow(time)), Some(answer)) => Ending::Later(answer, time),
        (_, Some(answer)) => Ending::Answer(answer),
        (_, None) => unreachable!("only what is stored late has no answer yet"),
    }
}

/// The error for another account's function: every client here has the credentials of the one account.
fn foreign(operation: &str, input: &Value) -> Option<ApiError> {
    let function = Reference::parse(input["FunctionName"].as_str()?)
        .filter(|reference| reference.name.account != place::ACCOUNT)?;
    let message = format!(
        "User is not authorized to perform: lambda:{operation} on resource: {}",
        function.name.arn(None)
    );
    Some(ApiError::new("AccessDeniedException", message))
}

/// Stores what a call has read, after a delay, whether or not its client still waits for the response.
fn store(world: &Shared, number: u64, time: Duration) -> JoinHandle<Answer> {
    let world = Arc::clone(world);
    tokio::spawn(async move {
        tokio::time::sleep(time).await;
        let mut world = lock(&world);
        let answer = world.appflow.store(number);
        if let Err(error) = &answer {
            world.failed(number, &error.code);
        }
        answer
    })
}

/// A request's path, split at its slashes and decoded.
pub(crate) fn path(uri: &Uri) -> Vec<String> {
    uri.path()
        .split('/')
        .filter(|part| !part.is_empty())
        .map(|part| percent_decode_str(part).decode_utf8_lossy().into_owned())
        .collect()
}

/// A response in restJson1.
pub(crate) fn response(
    status: u16,
    request_id: &str,
    error_type: Option<&str>,
    body: Bytes,
) -> Response<Bytes> {
    let mut builder = Response::builder()
        .status(status)
        .header("Content-Type", "application/json");
    if !request_id.is_empty() {
        builder = builder.header("x-amzn-RequestId", request_id);
    }
    if let Some(error_type) = error_type {
        builder = builder.header("x-amzn-ErrorType", error_type);
    }
    // An error type that is not a valid header value fails here; only a fault can have one.
    builder.body(body).unwrap_or_default()
}
