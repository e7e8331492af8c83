//! The texts of skips, failures, and services' errors. A message says what failed, on what, the
//! service's own words and request id, and what to do. It promises no retry, because a synchronous
//! invocation gets none.

use std::fmt;

use crate::model::function_arn::{FunctionArn, Qualifier, Version};
use crate::model::service_error::{ErrorKind, Operation, ServiceError};
use crate::reconcile::decide::Skip;
use crate::reconcile::outcome::{Failure, Gone};
use crate::report::command::AllowAppFlowCommand;

/// Why a registration was left alone.
pub(super) fn skip(skip: &Skip) -> String {
    match skip {
        Skip::Older {
            published,
            registered,
            confirmed,
        } => {
            let older =
                format!("version {published} is older than the registered version {registered}");
            if *confirmed {
                older
            } else {
                format!(
                    "{older}. Cannot check whether version {registered} still exists: the updater's \
                     role does not allow {}",
                    Operation::GetFunctionConfiguration.action()
                )
            }
        }
        Skip::FollowsAlias(alias) => {
            format!("registered with alias {alias}: it is updated when the alias moves")
        }
        Skip::AnotherAlias { moved, registered } => {
            format!("registered with alias {registered}, and alias {moved} moved")
        }
        Skip::AliasIsShifting(alias) => format!(
            "alias {alias} still shifts traffic between two versions: the registration is updated \
             when the shift ends"
        ),
        Skip::PinnedToVersion(version) => {
            format!("registered with version {version}: it moves when a version is published")
        }
        Skip::FollowsLatest => {
            "registered without a version: it is updated when a version is published, or, with \
             WatchLatest=true, when the function's code or configuration changes"
                .to_owned()
        }
        Skip::FollowsLatestPublished => {
            "registered with $LATEST.PUBLISHED: it is updated when that is published".to_owned()
        }
    }
}

/// Why a sweep skipped a registration.
pub(super) fn orphaned(gone: &Gone) -> String {
    let what = match gone {
        Gone::Missing(error) => {
            format!("the function, version, or alias no longer exists: {error}")
        }
        Gone::Versions(function) => {
            format!(
                "the registered version no longer exists, and {function} has no published version"
            )
        }
    };
    format!("{what}. Unregister the connector, or redeploy the function")
}

/// That a registration stays behind the newest version.
pub(super) fn behind(newest: Version) -> String {
    format!(
        "version {newest} is newer. A sweep does not move a version-pinned registration, because \
         somebody may have rolled it back. To move it, sweep with {{\"sweep\": {{\"move\": true}}}}"
    )
}

/// That somebody else updated a registration right after the updater.
pub(super) fn since(arn: &FunctionArn) -> String {
    format!(
        "after this update, AppFlow has {arn}: somebody else registered it, so it is left unchanged"
    )
}

/// Why a registration could not be updated, and what to do.
pub(super) fn failure(failure: &Failure, target: Option<&FunctionArn>) -> String {
    let target = target.map_or_else(|| "the function".to_owned(), ToString::to_string);
    match failure {
        Failure::Label(error) => {
            format!("AppFlow lists a label that cannot be described: {error}")
        }
        Failure::NotRegistered => {
            "AppFlow has no registration with this label. Register the connector, or remove the \
             label from CONNECTOR_LABELS or the sweep"
                .to_owned()
        }
        Failure::NoFunction(why) => {
            format!("{why}. Only connectors that a Lambda function provides can be updated")
        }
        Failure::Describe(error) | Failure::Function(error) => with_advice(error),
        Failure::Unchecked(error) => format!(
            "updated, but could not check whether {target} changed in the meantime: {}",
            with_advice(error)
        ),
        Failure::NoVersion(function) => format!(
            "{function} has no published version to move to. Publish one, or re-register the \
             connector"
        ),
        Failure::FunctionFailed(reason) => {
            format!("{target} cannot be invoked: {reason}. Fix and redeploy the function")
        }
        Failure::NonInvocable => format!(
            "{target} cannot be invoked: its State is ActiveNonInvocable. On Lambda Managed \
             Instances, re-register the connector without a qualifier or with $LATEST.PUBLISHED"
        ),
        Failure::NotReady(state) => format!(
            "timed out while waiting for {target}: {state}. Sweep once the function is Active"
        ),
        Failure::KeepsChanging => {
            format!("{target} changed during every update. Sweep once its deployments have ended")
        }
        Failure::Update { error, grant, .. } => {
            let mut text = with_advice(error);
            if let Some(grant) = grant {
                text = format!("{text}. Before that, {}", with_advice(grant));
            }
            if let Some(command) = command(failure, &target) {
                text.push_str(&command);
            }
            text
        }
    }
}

/// The command that allows AppFlow to invoke a version or alias, if that may be what is missing: a
/// permission covers only the ARN that it was added for, so a new version has none.
fn command(failure: &Failure, target: &str) -> Option<String> {
    let Failure::Update {
        error,
        grant,
        source: Some(source),
    } = failure
    else {
        return None;
    };
    let arn: FunctionArn = target.parse().ok()?;
    let refused = matches!(
        error.kind,
        ErrorKind::AccessDenied | ErrorKind::ConnectorServer | ErrorKind::Invalid
    );
    let qualified = matches!(
        arn.qualifier(),
        Some(Qualifier::Version(_) | Qualifier::Alias(_))
    );
    if !qualified || !(refused || grant.is_some()) {
        return None;
    }
    let command = AllowAppFlowCommand { arn: &arn, source };
    let mut text = format!(". If AppFlow is not yet allowed to invoke {arn}, run: {command}");
    if arn.version().is_some() && grant.is_none() {
        text.push_str(". GRANT_INVOKE=true does so for each new version");
    }
    Some(text)
}

/// A service's error, and what to do about it.
pub(super) fn with_advice(error: &ServiceError) -> String {
    format!("{error}. {}", Advice(error))
}

/// What an operator does about a service's error.
struct Advice<'a>(&'a ServiceError);

impl fmt::Display for Advice<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let operation = self.0.operation;
        f.write_str(match self.0.kind {
            ErrorKind::AccessDenied => {
                return write!(
                    f,
                    "Check that the updater's role allows {} on the resource that the message \
                     names, and that the function's resource policy lets AppFlow invoke it",
                    operation.action()
                );
            }
            ErrorKind::NotFound => "Check that the registration and its function still exist",
            ErrorKind::Invalid => {
                "The service rejects the request: compare the registration with the message"
            }
            ErrorKind::QuotaExceeded => "Raise the AppFlow quota that the message names",
            ErrorKind::ConnectorAuthentication => {
                "The connector's function refused AppFlow: check its response to a \
                 DescribeConnectorConfigurationRequest"
            }
            ErrorKind::ConnectorServer => {
                "The connector's function did not answer AppFlow within 10 seconds, or its response \
                 was not a connector configuration: see the function's own log"
            }
            ErrorKind::Conflict => {
                "Another change of the same resource is in progress: sweep once it is done"
            }
            ErrorKind::Exists => "Delete the existing resource that the message names",
            ErrorKind::Throttled => {
                "The account's request rate is used up: sweep later, or some labels at a time"
            }
            ErrorKind::Internal => "The service has an internal error: sweep later",
            ErrorKind::NoAnswer => {
                "Check network access from the function to the service's endpoint, such as its VPC \
                 configuration and the endpoint variables"
            }
            ErrorKind::OutOfTime => {
                "Sweep some labels at a time, or give the function a longer timeout where it has \
                 less than Lambda's 15 minutes"
            }
            ErrorKind::Other => "See the service's documentation for this error",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::registration::AppFlowSource;

    const ARN: &str = "arn:aws:lambda:us-east-1:123456789012:function:crm";

    fn version(number: u64) -> Version {
        Version::new(number).unwrap()
    }

    fn error(kind: ErrorKind) -> ServiceError {
        ServiceError {
            kind,
            ..ServiceError::out_of_time(Operation::UpdateConnectorRegistration)
        }
    }

    #[test]
    fn every_skip_says_what_would_have_updated_the_registration() {
        let older = |confirmed| Skip::Older {
            published: version(7),
            registered: version(8),
            confirmed,
        };
        let another = Skip::AnotherAlias {
            moved: "beta".to_owned(),
            registered: "live".to_owned(),
        };
        let unknown = "registered version 8. Cannot check whether version 8 still exists";
        for (skipped, begins, says) in [
            (older(true), "version 7 is older than", "version 8"),
            (older(false), "version 7 is older than", unknown),
            (
                Skip::FollowsAlias("live".to_owned()),
                "registered with alias live",
                "when the alias moves",
            ),
            (another, "registered with alias live", "alias beta moved"),
            (
                Skip::AliasIsShifting("live".to_owned()),
                "alias live still shifts traffic",
                "when the shift ends",
            ),
            (
                Skip::PinnedToVersion(version(7)),
                "registered with version 7",
                "when a version is published",
            ),
            (
                Skip::FollowsLatest,
                "registered without a version",
                "when the function's code or configuration changes",
            ),
            (
                Skip::FollowsLatestPublished,
                "registered with $LATEST.PUBLISHED",
                "when that is published",
            ),
        ] {
            let text = skip(&skipped);
            assert!(text.starts_with(begins) && text.contains(says), "{text}");
        }
    }

    #[test]
    fn what_a_sweep_finds_is_told_with_what_to_do() {
        let missing = orphaned(&Gone::Missing(error(ErrorKind::NotFound)));
        let versions = orphaned(&Gone::Versions(ARN.parse().unwrap()));
        let newer = behind(version(8));
        let other = since(&format!("{ARN}:live").parse().unwrap());
        for (text, begins, says) in [
            (
                &missing,
                "the function, version, or alias no longer exists",
                "Unregister the connector",
            ),
            (&versions, "the registered version no longer exists", ARN),
            (
                &newer,
                "version 8 is newer",
                "{\"sweep\": {\"move\": true}}",
            ),
            (&other, "after this update, AppFlow has", ":live"),
        ] {
            assert!(text.starts_with(begins) && text.contains(says), "{text}");
        }
    }

    #[test]
    fn the_command_is_told_where_a_permission_can_be_what_is_missing() {
        use ErrorKind::{AccessDenied, Conflict, ConnectorServer, Invalid};
        let source = || Some(AppFlowSource::beside(&ARN.parse().unwrap()));
        let (grant, none) = (|| Some(error(AccessDenied)), || None);
        let told = |qualifier: &str, kind, grant, source| {
            let target = format!("{ARN}{qualifier}").parse().unwrap();
            let error = error(kind);
            let text = failure(
                &Failure::Update {
                    error,
                    grant,
                    source,
                },
                Some(&target),
            );
            match (
                text.contains("add-permission"),
                text.contains("GRANT_INVOKE=true"),
            ) {
                (true, true) => "the command and the setting",
                (true, false) => "the command",
                (false, false) => "neither",
                (false, true) => "the setting",
            }
        };
        for kind in [AccessDenied, ConnectorServer, Invalid] {
            assert_eq!(
                told(":7", kind, none(), source()),
                "the command and the setting"
            );
            assert_eq!(told(":7", kind, grant(), source()), "the command");
            assert_eq!(told(":live", kind, none(), source()), "the command");
            assert_eq!(told(":7", kind, none(), None), "neither");
            for qualifier in ["", ":$LATEST", ":$LATEST.PUBLISHED"] {
                assert_eq!(told(qualifier, kind, none(), source()), "neither");
            }
        }
        assert_eq!(told(":7", Conflict, none(), source()), "neither");
        assert_eq!(told(":7", Conflict, grant(), source()), "the command");
        assert_eq!(told(":live", Conflict, grant(), source()), "the command");
    }
}
