//! What one invocation has learnt about functions: registrations that share one ask and wait once.

use std::collections::HashMap;
use std::future::Future;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::OnceCell;

use crate::aws::deadline::Deadline;
use crate::aws::lambda::Lambda;
use crate::aws::service_error::ServiceError;
use crate::model::function_arn::{FunctionArn, Version};
use crate::model::readiness::Readiness;

/// The pause after the first look that found a function not ready; most are ready within seconds.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// The longest pause: what a function that takes minutes costs in delay.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// A function that AppFlow cannot be sent to.
#[derive(Clone, Debug)]
pub enum NotReady {
    /// Lambda says that it will not become ready, and why.
    Failed(String),
    /// The invocation's time is nearly up, and the function is still in this state.
    InTime(String),
    /// Lambda could not be asked.
    Unknown(ServiceError),
}

/// Whether a function is what AppFlow can be sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ready {
    /// Active and not mid-update, or not ours to look at.
    Yes,
    /// Inactive: AppFlow's first invocation wakes it, and fails.
    OnceWoken,
}

/// One invocation's view of Lambda.
#[derive(Debug)]
pub struct Functions<'a> {
    lambda: &'a Lambda,
    deadline: Deadline,
    readiness: Memo<FunctionArn, Result<Ready, NotReady>>,
    newest: Memo<FunctionArn, Result<Option<Version>, ServiceError>>,
    existence: Memo<FunctionArn, Result<bool, ServiceError>>,
}

impl<'a> Functions<'a> {
    /// An empty view that gives up shortly before `deadline`.
    pub fn new(lambda: &'a Lambda, deadline: Deadline) -> Self {
        Self {
            lambda,
            deadline,
            readiness: Memo::default(),
            newest: Memo::default(),
            existence: Memo::default(),
        }
    }

    /// Waits until exactly this function, version or alias can be invoked.
    ///
    /// A function that may not be read, of another account for instance, counts as ready with a
    /// warning: AppFlow itself may well be allowed to invoke it.
    pub async fn ready(&self, arn: &FunctionArn) -> Result<Ready, NotReady> {
        self.readiness.get(arn, || self.wait(arn)).await
    }

    /// Waits like [`Functions::ready`], but looks again: for a function that has been woken.
    pub async fn ready_again(&self, arn: &FunctionArn) -> Result<Ready, NotReady> {
        self.wait(arn).await
    }

    /// The newest published version of the function behind `arn`.
    pub async fn newest_version(&self, arn: &FunctionArn) -> Result<Option<Version>, ServiceError> {
        let function = arn.with_qualifier(None);
        self.newest
            .get(&function, || {
                self.lambda.newest_version(&function, self.deadline)
            })
            .await
    }

    /// Whether the version that `arn` names exists.
    pub async fn exists(&self, arn: &FunctionArn) -> Result<bool, ServiceError> {
        let look = async || match self.lambda.readiness(arn, self.deadline).await {
            Ok(_) => Ok(true),
            Err(error) if error.is("ResourceNotFoundException") => Ok(false),
            Err(error) => Err(error),
        };
        self.existence.get(arn, look).await
    }

    async fn wait(&self, arn: &FunctionArn) -> Result<Ready, NotReady> {
        let mut pause = FIRST_PAUSE;
        loop {
            let state = match self.lambda.readiness(arn, self.deadline).await {
                Ok(Readiness::Ready) => return Ok(Ready::Yes),
                Ok(Readiness::Inactive) => return Ok(Ready::OnceWoken),
                Ok(Readiness::Failed(reason)) => return Err(NotReady::Failed(reason)),
                Ok(Readiness::Not(state)) => state,
                Err(error) if error.is("AccessDeniedException") => {
                    tracing::warn!(
                        functionArn = %arn,
                        "may not ask whether the function is ready, going on without: {error}"
                    );
                    return Ok(Ready::Yes);
                }
                Err(error) => return Err(NotReady::Unknown(error)),
            };
            // Another look needs the pause and an answer; without the time for both, say now what
            // the function was last seen doing.
            if self.deadline.left() < pause + FIRST_PAUSE {
                return Err(NotReady::InTime(state));
            }
            tracing::debug!(functionArn = %arn, state, "waiting for the function");
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

/// Answers by key, each found once however many ask for it at the same time.
#[derive(Debug)]
struct Memo<K, V>(Mutex<HashMap<K, Arc<OnceCell<V>>>>);

impl<K, V> Default for Memo<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Clone + Eq + Hash, V: Clone> Memo<K, V> {
    async fn get<F: Future<Output = V>>(&self, key: &K, find: impl FnOnce() -> F) -> V {
        let cell = {
            let mut cells = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(cells.entry(key.clone()).or_default())
        };
        cell.get_or_init(find).await.clone()
    }
}
