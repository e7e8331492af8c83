//! The Lambda Runtime API over HTTP, and `Invoke` of the updater.

use bytes::Bytes;
use serde_json::{Value, json};

use super::{Reply, plain};
use crate::runtime_api::{self, Invocation, Outcome};
use crate::world::{INVOKE_TIMEOUT, Shared, lock};

/// Handles a request to the Lambda Runtime API.
pub(super) async fn answer(get: bool, path: &[&str], body: &Bytes, world: &Shared) -> Reply {
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
pub(super) async fn invoke(payload: Bytes, asynchronous: bool, world: &Shared) -> Reply {
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
