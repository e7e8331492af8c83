//! Injects faults into calls.

use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use crate::answer::ApiError;
use crate::calls::Calls;
use crate::lambda_api;

/// A fault, and the calls that it is for.
#[derive(Clone, Debug)]
pub struct Fault {
    calls: Calls,
    times: Option<u32>,
    kind: Kind,
}

/// What happens to a call.
#[derive(Clone, Debug)]
pub enum Kind {
    /// The service returns this error and does nothing.
    Error(ApiError),
    /// The connection is dropped before anything is done.
    Dropped,
    /// The work is done, and the connection is dropped before the response.
    AnswerLost,
    /// The work is done when the call arrives, and the response is delayed by this much.
    Slow(Duration),
    /// RegisterConnector and UpdateConnectorRegistration read the function's configuration when the
    /// call arrives, and store it and respond after this delay. Other calls are not affected.
    StoredLate(Duration),
    /// The same, but the connection is dropped at once.
    AnswerLostStoredLate(Duration),
    /// Calls above this rate are throttled. The others get the next fault.
    AboveRate(Allowance),
}

/// A rate of calls, with a burst of one second's calls.
#[derive(Clone, Debug)]
pub struct Allowance {
    per_second: f64,
    left: f64,
    counted: Instant,
}

impl Allowance {
    /// This many calls per second.
    pub fn per_second(calls: u32) -> Self {
        let calls = f64::from(calls);
        Self {
            per_second: calls,
            left: calls,
            counted: Instant::now(),
        }
    }

    /// Whether one more call is allowed.
    fn take(&mut self) -> bool {
        let now = Instant::now();
        let earned = (now - self.counted).as_secs_f64() * self.per_second;
        self.counted = now;
        self.left = (self.left + earned).min(self.per_second);
        if self.left < 1.0 {
            return false;
        }
        self.left -= 1.0;
        true
    }
}

impl Fault {
    /// A fault for every call of an operation, such as `DescribeConnector`, or of all operations, as `*`.
    pub fn of(operation: &str, kind: Kind) -> Self {
        Self {
            calls: Calls::of(operation),
            times: None,
            kind,
        }
    }

    /// A service's error, by its name.
    pub fn error(operation: &str, code: &str) -> Self {
        let message = format!("This {code} was asked for.");
        Self::of(operation, Kind::Error(ApiError::new(code, message)))
    }

    /// Only for calls with this connector label or function name.
    pub fn concerning(mut self, text: &str) -> Self {
        self.calls = self.calls.concerning(text);
        self
    }

    /// Only for this many calls.
    pub fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }

    /// Parses a fault from JSON: `{"operation", "concerning"?, "times"?}`
    /// and one of `"error": "<name>"`, `"dropped": true`, `"answerLost": true`, `"perSecond": 20`,
    /// `"slowMs": 100`, `"storedLateMs": 100`, `"answerLostStoredLateMs": 100`.
    pub fn from_json(value: &Value) -> Option<Self> {
        let operation = value["operation"].as_str()?;
        let mut fault = if let Some(code) = value["error"].as_str() {
            Self::error(operation, code)
        } else if value["dropped"] == true {
            Self::of(operation, Kind::Dropped)
        } else if value["answerLost"] == true {
            Self::of(operation, Kind::AnswerLost)
        } else if let Some(calls) = value["perSecond"].as_u64() {
            let allowance = Allowance::per_second(calls.try_into().ok()?);
            Self::of(operation, Kind::AboveRate(allowance))
        } else {
            let late = [
                ("slowMs", Kind::Slow as fn(Duration) -> Kind),
                ("storedLateMs", Kind::StoredLate),
                ("answerLostStoredLateMs", Kind::AnswerLostStoredLate),
            ];
            let kind = late.into_iter().find_map(|(name, kind)| {
                let time = Duration::from_millis(value[name].as_u64()?);
                Some(kind(time))
            });
            Self::of(operation, kind?)
        };
        if let Some(text) = value["concerning"].as_str() {
            fault = fault.concerning(text);
        }
        fault.times = value["times"]
            .as_u64()
            .and_then(|times| times.try_into().ok());
        Some(fault)
    }
}

/// The faults that were added. The latest one applies first.
#[derive(Debug, Default)]
pub struct Faults(Vec<Fault>);

impl Faults {
    /// Adds one.
    pub fn add(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    /// Removes all.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// The fault that applies to this call.
    pub fn meet(&mut self, operation: &str, input: &Value) -> Option<Kind> {
        let position = self.0.iter_mut().rposition(|fault| {
            fault.calls.contain(operation, input)
                && match &mut fault.kind {
                    Kind::AboveRate(allowance) => !allowance.take(),
                    _ => true,
                }
        })?;
        let fault = &mut self.0[position];
        let kind = match &fault.kind {
            Kind::AboveRate(_) => Kind::Error(throttled(operation)),
            kind => kind.clone(),
        };
        if let Some(times) = &mut fault.times {
            *times -= 1;
            if *times == 0 {
                self.0.remove(position);
            }
        }
        Some(kind)
    }
}

/// The error for throttling, by the operation's service.
fn throttled(operation: &str) -> ApiError {
    let code = if lambda_api::OPERATIONS.contains(&operation) {
        "TooManyRequestsException"
    } else {
        "ThrottlingException"
    };
    ApiError::new(code, "Rate exceeded")
}
