//! The state of the Lambda Runtime API: invocations and their outcomes.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use serde_json::Value;
use tokio::sync::Notify;

use crate::cloudtrail;
use crate::place;

/// An invocation of the function.
#[derive(Clone, Debug)]
pub struct Invocation {
    /// The payload, which need not be JSON.
    pub payload: Bytes,
    /// The request id, which Lambda keeps when it retries an asynchronous invocation.
    pub request_id: String,
    /// The function's timeout, from when the function receives the invocation.
    pub timeout: Duration,
}

/// How an invocation ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// The handler's response.
    Answer(Value),
    /// The handler's error.
    Error {
        /// `errorType`
        error_type: String,
        /// `errorMessage`
        message: String,
    },
    /// The process failed before it asked for an invocation.
    NotStarted {
        /// `errorType`
        error_type: String,
        /// `errorMessage`
        message: String,
    },
    /// It timed out.
    TimedOut,
}

/// The invocations that wait for the function, and those that are in progress.
#[derive(Default)]
pub struct Runtime {
    waiting: VecDeque<(Invocation, Sender<Outcome>)>,
    working: HashMap<String, Working>,
    init_error: Option<Outcome>,
    arrived: Arc<Notify>,
    invocations: u64,
    times: Times,
    on_ready: Option<Box<dyn FnOnce() + Send>>,
}

/// When things happened, as seen from outside the process.
#[derive(Clone, Copy, Debug, Default)]
pub struct Times {
    /// When it asked for its first invocation, which ends the init phase.
    pub ready: Option<Instant>,
    /// When it received its latest invocation.
    pub handed: Option<Instant>,
    /// When it returned its latest response or error.
    pub answered: Option<Instant>,
}

/// An invocation that is in progress.
struct Working {
    outcome: Sender<Outcome>,
    /// When Lambda would end the process.
    deadline: Instant,
}

impl Runtime {
    /// A new request id.
    pub fn request_id(&mut self) -> String {
        self.invocations += 1;
        cloudtrail::id(self.invocations, 9)
    }

    /// Queues an invocation; its outcome comes through the channel.
    pub fn invoke(&mut self, invocation: Invocation) -> Receiver<Outcome> {
        let (sender, receiver) = mpsc::channel();
        if let Some(error) = &self.init_error {
            // The caller may have stopped waiting.
            let _ = sender.send(error.clone());
            return receiver;
        }
        self.waiting.push_back((invocation, sender));
        self.arrived.notify_one();
        receiver
    }

    /// Fails the invocations that wait, because the process did not start.
    pub fn not_started(&mut self, error_type: &str, message: &str) {
        let outcome = Outcome::NotStarted {
            error_type: error_type.to_owned(),
            message: message.to_owned(),
        };
        for (_, sender) in self.waiting.drain(..) {
            let _ = sender.send(outcome.clone());
        }
        self.init_error = Some(outcome);
    }

    /// Why the process did not start.
    pub fn init_error(&self) -> Option<&Outcome> {
        self.init_error.as_ref()
    }

    /// Resets what is known of the process, for a new one.
    pub fn restart(&mut self) {
        self.init_error = None;
        self.times = Times::default();
        self.on_ready = None;
    }

    /// Notes that the process asked for an invocation.
    pub fn asked(&mut self) {
        self.times.ready.get_or_insert_with(Instant::now);
        if let Some(then) = self.on_ready.take() {
            then();
        }
    }

    /// Runs `then` when the process that was started last is ready, before it receives an invocation, or
    /// at once if it is ready already.
    pub fn on_ready(&mut self, then: impl FnOnce() + Send + 'static) {
        if self.times.ready.is_some() {
            then();
        } else {
            self.on_ready = Some(Box::new(then));
        }
    }

    /// When things happened to the process that was started last.
    pub fn times(&self) -> Times {
        self.times
    }

    /// Notified when an invocation has arrived.
    pub fn arrived(&self) -> Arc<Notify> {
        Arc::clone(&self.arrived)
    }

    /// The next invocation, for the process that asks for it.
    pub fn take_next(&mut self) -> Option<Invocation> {
        let (invocation, outcome) = self.waiting.pop_front()?;
        let now = Instant::now();
        self.times.handed = Some(now);
        let deadline = now + invocation.timeout;
        let working = Working { outcome, deadline };
        self.working.insert(invocation.request_id.clone(), working);
        Some(invocation)
    }

    /// Takes the outcome of an invocation; false if there is none with that id. After the deadline it
    /// counts as timed out, as in Lambda.
    pub fn done(&mut self, request_id: &str, outcome: Outcome) -> bool {
        let Some(working) = self.working.remove(request_id) else {
            return false;
        };
        let now = Instant::now();
        self.times.answered = Some(now);
        let late = now > working.deadline;
        // The caller may have stopped waiting.
        let _ = working
            .outcome
            .send(if late { Outcome::TimedOut } else { outcome });
        true
    }
}

/// The headers of an invocation.
pub fn headers(invocation: &Invocation) -> [(&'static str, String); 4] {
    let deadline = SystemTime::now() + invocation.timeout;
    let deadline = deadline
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default()
        .as_millis();
    [
        (
            "Lambda-Runtime-Aws-Request-Id",
            invocation.request_id.clone(),
        ),
        ("Lambda-Runtime-Deadline-Ms", deadline.to_string()),
        (
            "Lambda-Runtime-Invoked-Function-Arn",
            place::function_arn(place::UPDATER),
        ),
        (
            "Lambda-Runtime-Trace-Id",
            "Root=1-00000000-000000000000000000000000;Sampled=0".to_owned(),
        ),
    ]
}

/// The `errorType` and `errorMessage` that a function posts.
pub fn error(body: &[u8]) -> (String, String) {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    (text("errorType"), text("errorMessage"))
}
