//! AppFlow and Lambda.

use std::collections::BTreeMap;

use bytes::Bytes;
use hyper::Method;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use super::{Dropped, Reply, response};
use crate::answer::{Answer, ApiError};
use crate::cloudtrail;
use crate::faults::Kind;
use crate::lambda::Reference;
use crate::lambda_api;
use crate::place;
use crate::world::{Call, Shared, World, lock};

/// A call of AppFlow or Lambda.
pub async fn answer(
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
