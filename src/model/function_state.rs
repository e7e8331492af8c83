//! Whether AppFlow can read a connector's configuration from a function now.
//!
//! AppFlow invokes the function to read it. A `Pending` function rejects the invocation. One whose last
//! update is `InProgress` still runs its old code, so AppFlow would store the old configuration without
//! an error
//! ([Lambda function states](https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html)).

use std::fmt;

use crate::model::function_arn::Qualifier;

/// What an invocation of a function, version, or alias runs, and whether that is ready.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FunctionState {
    /// Whether it can be invoked.
    pub readiness: Readiness,
    /// What is deployed; empty where it was not read because something else is not ready.
    pub code: DeployedCode,
}

/// The identity of what is deployed. A deployment changes at least one of the members. Members that
/// Lambda leaves out are empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct DeployedCode {
    /// `Version`: for an alias, the version behind it.
    pub version: String,
    /// `CodeSha256`.
    pub code_sha256: String,
    /// `LastModified`: differs also if the function was deleted and recreated.
    pub last_modified: String,
}

/// Whether an invocation runs the code that is deployed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Readiness {
    /// Active and not in the middle of an update.
    Ready,
    /// Active, but its last update failed, with Lambda's reason: an invocation runs the code from before
    /// that update.
    ReadyWithPreviousCode(String),
    /// Idle for so long that Lambda reclaimed its resources. The next invocation fails, and makes the
    /// function `Pending`, and then `Active`.
    Inactive,
    /// Not ready yet, for this reason.
    NotYet(Unready),
    /// It is an alias that splits its traffic between two versions, either of which AppFlow could invoke.
    Split,
    /// It is `$LATEST` of a function on Lambda Managed Instances, which cannot be invoked: an
    /// invocation without a qualifier runs `$LATEST.PUBLISHED`.
    NonInvocable,
    /// It will not become ready by itself, with Lambda's reason.
    Never(String),
}

/// Why a function is not ready yet. Each reason passes without anybody's help, or usually does.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Unready {
    /// It is in this state.
    State(String),
    /// It changed about a minute ago at the most, and may still run the code from before.
    JustChanged,
    /// While Lambda provisions concurrency for an alias that moved, it sends all of the alias's traffic to
    /// the version from before.
    Provisioning {
        /// The version from before.
        runs: Qualifier,
        /// The version that the alias points at.
        version: Qualifier,
    },
    /// Lambda does not know the version, which may have been published a moment ago.
    Unknown,
}

impl fmt::Display for Unready {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::State(state) => f.write_str(state),
            Self::JustChanged => {
                f.write_str("it changed a short time ago, and may still run the code from before")
            }
            Self::Provisioning { runs, version } => write!(
                f,
                "its alias points at version {version}, but all traffic goes to version {runs}, as \
                 while Lambda provisions concurrency"
            ),
            Self::Unknown => f.write_str("Lambda does not know this version yet"),
        }
    }
}

/// The members of GetFunctionConfiguration's response that decide it. All are optional there.
#[derive(Clone, Copy, Debug, Default)]
pub struct StateMembers<'a> {
    /// `State`.
    pub state: Option<&'a str>,
    /// `StateReason`, or else `StateReasonCode`.
    pub state_reason: Option<&'a str>,
    /// `LastUpdateStatus`.
    pub last_update: Option<&'a str>,
    /// `LastUpdateStatusReason`, or else `LastUpdateStatusReasonCode`.
    pub last_update_reason: Option<&'a str>,
}

impl Readiness {
    /// Whether an invocation runs the code that is deployed, perhaps after it has woken the function.
    pub fn is_ready(&self) -> bool {
        matches!(
            self,
            Self::Ready | Self::ReadyWithPreviousCode(_) | Self::Inactive
        )
    }
}

impl StateMembers<'_> {
    /// Whether the function can be invoked. An unknown state counts as not ready: a wait that times out
    /// is an error that somebody sees, but going ahead could silently store an old configuration.
    pub fn readiness(self) -> Readiness {
        let reason = |reason: Option<&str>| reason.unwrap_or("Lambda gives no reason").to_owned();
        match (self.state, self.last_update) {
            (Some(state @ ("Failed" | "Deactivated" | "Deactivating" | "Deleting")), _) => {
                Readiness::Never(format!(
                    "its State is {state}: {}",
                    reason(self.state_reason)
                ))
            }
            (Some("ActiveNonInvocable"), _) => Readiness::NonInvocable,
            // The API reference has both members as optional. A recorded UpdateFunctionCode with
            // `publish` has no LastUpdateStatus.
            (None | Some("Active"), None | Some("Successful")) => Readiness::Ready,
            (None | Some("Active"), Some("Failed")) => {
                Readiness::ReadyWithPreviousCode(reason(self.last_update_reason))
            }
            (Some("Inactive"), None | Some("Successful" | "Failed")) => Readiness::Inactive,
            (None | Some("Active" | "Inactive"), Some(status)) => {
                Readiness::NotYet(Unready::State(format!("its LastUpdateStatus is {status}")))
            }
            (Some(state), _) => Readiness::NotYet(Unready::State(format!("its State is {state}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_is_read_as_what_it_means_for_an_invocation() {
        use Readiness::{Inactive, Never, NonInvocable, NotYet, Ready, ReadyWithPreviousCode};
        let never = |state: &str| Never(format!("its State is {state}: no subnet"));
        let not_yet = |what: &str| NotYet(Unready::State(what.to_owned()));
        for (state, last_update, expected) in [
            (None, None, Ready),
            (Some("Active"), None, Ready),
            (Some("Active"), Some("Successful"), Ready),
            (None, Some("Successful"), Ready),
            (
                Some("Active"),
                Some("InProgress"),
                not_yet("its LastUpdateStatus is InProgress"),
            ),
            (
                Some("Active"),
                Some("Paused"),
                not_yet("its LastUpdateStatus is Paused"),
            ),
            (Some("Pending"), None, not_yet("its State is Pending")),
            (
                Some("Pending"),
                Some("InProgress"),
                not_yet("its State is Pending"),
            ),
            (
                Some("Pending"),
                Some("Failed"),
                not_yet("its State is Pending"),
            ),
            (
                Some("Dreaming"),
                Some("Successful"),
                not_yet("its State is Dreaming"),
            ),
            (Some("Inactive"), Some("Successful"), Inactive),
            (Some("Inactive"), Some("Failed"), Inactive),
            (Some("Inactive"), None, Inactive),
            (
                Some("Inactive"),
                Some("InProgress"),
                not_yet("its LastUpdateStatus is InProgress"),
            ),
            (Some("Failed"), Some("Successful"), never("Failed")),
            (
                Some("Deactivated"),
                Some("Successful"),
                never("Deactivated"),
            ),
            (Some("Deactivating"), None, never("Deactivating")),
            (Some("Deleting"), Some("InProgress"), never("Deleting")),
            (Some("ActiveNonInvocable"), Some("Successful"), NonInvocable),
            (
                Some("Active"),
                Some("Failed"),
                ReadyWithPreviousCode("Lambda gives no reason".into()),
            ),
            (
                None,
                Some("Failed"),
                ReadyWithPreviousCode("Lambda gives no reason".into()),
            ),
        ] {
            let read = StateMembers {
                state,
                state_reason: Some("no subnet"),
                last_update,
                last_update_reason: None,
            }
            .readiness();
            assert_eq!(read, expected, "{state:?}, {last_update:?}");
        }
    }
}
