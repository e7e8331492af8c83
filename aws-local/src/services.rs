//! AppFlow and Lambda as they answer requests, whatever carries these.

use bytes::Bytes;
use hyper::{Request, Response, Uri};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use crate::answer::{Answer, ApiError};
use crate::cloudtrail;
use crate::faults::Kind;
use crate::lambda::Reference;
use crate::place;
use crate::work::Work;
use crate::world::{Call, Shared, lock};

/// No answer: the connection is to be dropped, as a fault asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dropped;

impl std::fmt::Display for Dropped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("dropped on demand")
    }
}

impl std::error::Error for Dropped {}

/// Answers a call of AppFlow or Lambda.
pub async fn respond(world: &Shared, request: Request<Bytes>) -> Result<Response<Bytes>, Dropped> {
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

/// A request's path, split at its slashes and decoded.
pub fn path(uri: &Uri) -> Vec<String> {
    uri.path()
        .split('/')
        .filter(|part| !part.is_empty())
        .map(|part| percent_decode_str(part).decode_utf8_lossy().into_owned())
        .collect()
}

/// A response in restJson1.
pub fn response(
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
    // An error type that is no header value fails here: only a fault can ask for one.
    builder.body(body).unwrap_or_default()
}
