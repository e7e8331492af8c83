//! Whether AppFlow may be sent to a function now.
//!
//! AppFlow invokes the function to read the connector's configuration. A `Pending` function refuses
//! to be invoked; one whose last update is `InProgress` answers with its old code, and AppFlow would
//! store the old configuration without an error
//! ([Lambda function states](https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html)).

/// What GetFunctionConfiguration says about being invoked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// Active and not mid-update.
    Ready,
    /// Idle for so long that Lambda took its resources back. Being invoked is what wakes it: the
    /// first invocation fails, and the function is `Pending` for a while.
    Inactive,
    /// Not ready yet, with the state that it is in.
    Not(String),
    /// It will not become ready, with Lambda's own reason.
    Failed(String),
}

/// The members of GetFunctionConfiguration's answer that tell; all optional there.
#[derive(Clone, Copy, Debug, Default)]
pub struct FunctionState<'a> {
    /// `State`.
    pub state: Option<&'a str>,
    /// `StateReason`, or else `StateReasonCode`.
    pub state_reason: Option<&'a str>,
    /// `LastUpdateStatus`.
    pub last_update: Option<&'a str>,
    /// `LastUpdateStatusReason`, or else `LastUpdateStatusReasonCode`.
    pub last_update_reason: Option<&'a str>,
}

impl FunctionState<'_> {
    /// Reads the answer. A state that this crate does not know counts as not ready: waiting in vain
    /// ends in an error that somebody sees, going ahead might store an old configuration unseen.
    pub fn readiness(self) -> Readiness {
        let reason = |reason: Option<&str>| reason.unwrap_or("Lambda gives no reason").to_owned();
        match (self.state, self.last_update) {
            (Some("Failed"), _) => Readiness::Failed(format!(
                "its State is Failed: {}",
                reason(self.state_reason)
            )),
            (_, Some("Failed")) => Readiness::Failed(format!(
                "its LastUpdateStatus is Failed: {}",
                reason(self.last_update_reason)
            )),
            (Some("Inactive"), None | Some("Successful")) => Readiness::Inactive,
            // Lambda leaves the members out for functions that are older than they are, and
            // LastUpdateStatus for a version that was published by an update of the code.
            (None | Some("Active"), None | Some("Successful")) => Readiness::Ready,
            (None | Some("Active" | "Inactive"), Some(status)) => {
                Readiness::Not(format!("its LastUpdateStatus is {status}"))
            }
            (Some(state), _) => Readiness::Not(format!("its State is {state}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_is_read_as_what_it_means_for_an_invocation() {
        use Readiness::{Failed, Inactive, Not, Ready};
        for (state, last_update, expected) in [
            (None, None, Ready),
            (Some("Active"), None, Ready),
            (Some("Active"), Some("Successful"), Ready),
            (None, Some("Successful"), Ready),
            (
                Some("Active"),
                Some("InProgress"),
                Not("its LastUpdateStatus is InProgress".into()),
            ),
            (
                Some("Active"),
                Some("Paused"),
                Not("its LastUpdateStatus is Paused".into()),
            ),
            (Some("Pending"), None, Not("its State is Pending".into())),
            (
                Some("Pending"),
                Some("InProgress"),
                Not("its State is Pending".into()),
            ),
            (
                Some("Dreaming"),
                Some("Successful"),
                Not("its State is Dreaming".into()),
            ),
            (Some("Inactive"), Some("Successful"), Inactive),
            (Some("Inactive"), None, Inactive),
            (
                Some("Inactive"),
                Some("InProgress"),
                Not("its LastUpdateStatus is InProgress".into()),
            ),
            (
                Some("Failed"),
                Some("Successful"),
                Failed("its State is Failed: no subnet".into()),
            ),
            (
                Some("Active"),
                Some("Failed"),
                Failed("its LastUpdateStatus is Failed: Lambda gives no reason".into()),
            ),
        ] {
            let read = FunctionState {
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
