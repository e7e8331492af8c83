//! Routes requests to the calls of AppFlow and Lambda, and carries them out.

use std::collections::BTreeMap;

use hyper::Method;
use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::answer::{Answer, ApiError};
use crate::cloudtrail;
use crate::lambda_api;
use crate::world::World;

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

/// A call of a known operation.
pub(crate) enum Work {
    /// AppFlow's: its name and its input.
    AppFlow(&'static str, Value),
    /// Lambda's.
    Lambda(lambda_api::Call),
}

impl Work {
    /// The call of a request. `path` is split at its slashes and decoded.
    pub(crate) fn route(
        method: &Method,
        path: &[String],
        query: &str,
        input: Value,
    ) -> Option<Self> {
        if let (&Method::POST, [path]) = (method, path) {
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
        lambda_api::route(method.as_str(), path, &query, &input).map(Self::Lambda)
    }

    /// A call by its name in the API.
    pub(crate) fn named(operation: &str, input: &Value) -> Option<Self> {
        let input = input.clone();
        if let Some((_, operation)) = APPFLOW.iter().find(|(_, name)| *name == operation) {
            return Some(Self::AppFlow(operation, input));
        }
        let operation = lambda_api::OPERATIONS
            .iter()
            .find(|name| **name == operation)?;
        Some(Self::Lambda(lambda_api::Call { operation, input }))
    }

    /// Its name and its input.
    pub(crate) fn operation(&self) -> (&str, &Value) {
        match self {
            Self::AppFlow(operation, input) => (operation, input),
            Self::Lambda(call) => (call.operation, &call.input),
        }
    }

    /// Carries it out. `number` is the call's own.
    pub(crate) fn carry_out(&self, world: &mut World, number: u64) -> Answer {
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
                    let time = world.lambda.time();
                    let (request, response) = (&call.input, &done.answer);
                    let event =
                        cloudtrail::event(&name, event_name, request, response, time, number);
                    world.happened(event);
                }
                world.tell_state_changes();
                Ok(done.answer)
            }
        }
    }

    /// Carries it out, except for what AppFlow stores: [`AppFlow::store`](crate::appflow::AppFlow::store)
    /// does that. Returns the response if there is nothing to store.
    pub(crate) fn begin(&self, world: &mut World, number: u64) -> Option<Answer> {
        let World {
            appflow, lambda, ..
        } = world;
        match self {
            Self::AppFlow(operation, input) => appflow.begin(number, operation, input, lambda),
            Self::Lambda(_) => Some(self.carry_out(world, number)),
        }
    }
}

impl World {
    /// Makes a call of AppFlow or Lambda from outside: faults and hooks do not apply, and the call is not
    /// recorded. `operation` and `input` are as in the API.
    pub fn call(&mut self, operation: &str, input: &Value) -> Answer {
        let work = Work::named(operation, input)
            .ok_or_else(|| ApiError::new("UnknownOperationException", operation))?;
        let number = self.next_number();
        work.carry_out(self, number)
    }
}
