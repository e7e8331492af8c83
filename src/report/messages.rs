//! The texts of skips, failures, and services' errors. A message says what failed, on what, the
//! service's own words and request id, and what to do. It promises no retry, because a synchronous
//! invocation gets none.

use crate::decide::Skip;
use crate::model::function_arn::{FunctionArn, Qualifier};
use crate::model::function_state::Unready;
use crate::model::service_error::{ErrorKind, Operation, ServiceError};
use crate::reconcile::outcome::Failure;
use crate::report::command::{allow_appflow, clear_weights};

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
                    Operation::ListVersionsByFunction.action()
                )
            }
        }
        Skip::FollowsAlias(alias) => {
            format!("registered with alias {alias}: it is updated when the alias moves")
        }
        Skip::AnotherAlias { moved, registered } => {
            format!("registered with alias {registered}, and alias {moved} moved")
        }
        Skip::AliasIsSplit(alias) => format!(
            "alias {alias} splits its traffic between two versions, either of which could answer \
             AppFlow: the registration is updated when the alias sends everything to one"
        ),
        Skip::AliasUnknown(alias) => format!(
            "registered with alias {alias}, and whether it points at $LATEST is unknown: the updater's \
             role does not allow {}",
            Operation::GetAlias.action()
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
        Skip::Behind(newest) => format!(
            "version {newest} is newer. A sweep does not move a version-pinned registration, because \
             somebody may have rolled it back. To move it, sweep with {{\"sweep\": {{\"move\": true}}}}"
        ),
        Skip::VersionsUnknown(version) => format!(
            "registered with version {version}, and whether a newer one exists is unknown: the \
             updater's role does not allow {}",
            Operation::ListVersionsByFunction.action()
        ),
        Skip::Orphaned(error) => format!(
            "the function, version, or alias no longer exists: {error}. Unregister the connector, or \
             redeploy the function"
        ),
        Skip::NoVersion(function) => format!(
            "the registered version no longer exists, and {function} has no published version. \
             Unregister the connector, or redeploy the function"
        ),
    }
}

/// That somebody else updated a registration right after the updater.
pub(super) fn replaced_by(arn: &FunctionArn) -> String {
    format!(
        "after this update, AppFlow has {arn}: somebody else registered it, so it is left unchanged"
    )
}

/// Why a registration could not be updated, and what to do.
pub(super) fn failure(failure: &Failure, target: Option<&FunctionArn>) -> String {
    let arn = target;
    let target = arn.map_or_else(|| "the function".to_owned(), ToString::to_string);
    match failure {
        Failure::Label(error) => {
            format!("AppFlow lists a label that cannot be described: {error}")
        }
        Failure::NotRegistered => {
            "AppFlow has no registration with this label. Register the connector, or remove the \
             label from CONNECTOR_LABELS or the sweep"
                .to_owned()
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
        Failure::NotReady(unready) => {
            let advice = match (unready, arn.and_then(|arn| Some((arn, arn.qualifier()?)))) {
                (Unready::Provisioning { .. }, Some((arn, alias))) => format!(
                    "If nobody set this weight on purpose, and `aws lambda \
                     get-provisioned-concurrency-config` says that provisioning failed, fix it, or send \
                     the alias's traffic to its own version: {}",
                    clear_weights(arn, alias)
                ),
                (Unready::State(_), _) => "Sweep once the function is Active".to_owned(),
                _ => "Sweep to update the registration".to_owned(),
            };
            format!("timed out while waiting for {target}: {unready}. {advice}")
        }
        Failure::KeepsChanging => {
            format!("{target} changed during every update. Sweep once its deployments have ended")
        }
        Failure::Update {
            error,
            grant_error,
            appflow,
        } => {
            let mut text = with_advice(error);
            if let Some(error) = grant_error {
                text = format!("{text}. Before that, {}", with_advice(error));
            }
            if let Some((arn, appflow)) = arn.zip(appflow.as_ref())
                && may_lack_permission(arn, error, grant_error.is_some())
            {
                let command = allow_appflow(arn, appflow);
                text = format!(
                    "{text}. If AppFlow is not yet allowed to invoke {arn}, run: {command}"
                );
                if arn.version().is_some() && grant_error.is_none() {
                    text.push_str(". GRANT_INVOKE=true does so for each new version");
                }
            }
            text
        }
    }
}

/// Whether AppFlow may lack the permission to invoke this version or alias: a permission covers only the
/// ARN that it was added for, so a new version has none.
fn may_lack_permission(arn: &FunctionArn, error: &ServiceError, grant_failed: bool) -> bool {
    use ErrorKind::{AccessDenied, ConnectorServer, Invalid};
    let qualified = matches!(
        arn.qualifier(),
        Some(Qualifier::Version(_) | Qualifier::Alias(_))
    );
    qualified && (grant_failed || matches!(error.kind, AccessDenied | ConnectorServer | Invalid))
}

/// A service's error, and what to do about it.
pub(super) fn with_advice(error: &ServiceError) -> String {
    let action = error.operation.action();
    let advice = match error.kind {
        ErrorKind::AccessDenied => {
            let mut advice = format!(
                "Check that the updater's role allows {action} on the resource that the message names"
            );
            // AppFlow invokes the function.
            if error.operation == Operation::UpdateConnectorRegistration {
                advice.push_str(", and that the function's resource policy lets AppFlow invoke it");
            }
            return format!("{error}. {advice}");
        }
        ErrorKind::NoFunction | ErrorKind::ProvidedByAws => {
            "Only connectors that a Lambda function provides can be updated"
        }
        ErrorKind::NotSent => {
            "Nothing was sent. Check that the environment has AWS_REGION, AWS_ACCESS_KEY_ID, and \
                 AWS_SECRET_ACCESS_KEY, which Lambda sets"
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
    };
    format!("{error}. {advice}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::function_arn::Version;
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
                Skip::AliasIsSplit("live".to_owned()),
                "alias live splits its traffic",
                "when the alias sends everything to one",
            ),
            (
                Skip::AliasUnknown("live".to_owned()),
                "registered with alias live",
                "lambda:GetAlias",
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
        let missing = skip(&Skip::Orphaned(error(ErrorKind::NotFound)));
        let versions = skip(&Skip::NoVersion(ARN.parse().unwrap()));
        let newer = skip(&Skip::Behind(version(8)));
        let unknown = skip(&Skip::VersionsUnknown(version(8)));
        let other = replaced_by(&format!("{ARN}:live").parse().unwrap());
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
            (
                &unknown,
                "registered with version 8",
                "lambda:ListVersionsByFunction",
            ),
            (&other, "after this update, AppFlow has", ":live"),
        ] {
            assert!(text.starts_with(begins) && text.contains(says), "{text}");
        }
    }

    #[test]
    fn a_wait_that_timed_out_says_what_it_was_for_and_what_to_do() {
        let target = format!("{ARN}:live").parse().unwrap();
        let told = |unready: &Unready| failure(&Failure::NotReady(unready.clone()), Some(&target));
        let provisioning = Unready::Provisioning {
            runs: Qualifier::Version(version(6)),
            version: Qualifier::Version(version(7)),
        };
        for (unready, advice) in [
            (provisioning, "aws lambda update-alias"),
            (
                Unready::State("its State is Pending".to_owned()),
                "Sweep once the function is Active",
            ),
            (Unready::JustChanged, "Sweep to update the registration"),
            (Unready::Unknown, "Sweep to update the registration"),
        ] {
            let text = told(&unready);
            let begins = format!("timed out while waiting for {target}: {unready}. ");
            assert!(text.starts_with(&begins) && text.contains(advice), "{text}");
        }
    }

    #[test]
    fn the_command_is_told_where_a_permission_can_be_what_is_missing() {
        use ErrorKind::{AccessDenied, Conflict, ConnectorServer, Invalid};
        let appflow = || Some(AppFlowSource::of_function(&ARN.parse().unwrap()));
        let (grant, none) = (|| Some(error(AccessDenied)), || None);
        let told = |qualifier: &str, kind, grant_error, appflow| {
            let target = format!("{ARN}{qualifier}").parse().unwrap();
            let error = error(kind);
            let text = failure(
                &Failure::Update {
                    error,
                    grant_error,
                    appflow,
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
                told(":7", kind, none(), appflow()),
                "the command and the setting"
            );
            assert_eq!(told(":7", kind, grant(), appflow()), "the command");
            assert_eq!(told(":live", kind, none(), appflow()), "the command");
            assert_eq!(told(":7", kind, none(), None), "neither");
            for qualifier in ["", ":$LATEST", ":$LATEST.PUBLISHED"] {
                assert_eq!(told(qualifier, kind, none(), appflow()), "neither");
            }
        }
        assert_eq!(told(":7", Conflict, none(), appflow()), "neither");
        assert_eq!(told(":7", Conflict, grant(), appflow()), "the command");
        assert_eq!(told(":live", Conflict, grant(), appflow()), "the command");
    }

    #[test]
    fn only_an_update_that_is_denied_speaks_of_the_function_s_resource_policy() {
        for operation in Operation::ALL {
            let denied = ServiceError {
                kind: ErrorKind::AccessDenied,
                ..ServiceError::out_of_time(operation)
            };
            let text = with_advice(&denied);
            assert!(text.contains(&operation.action()), "{text}");
            let updates = operation == Operation::UpdateConnectorRegistration;
            assert_eq!(text.contains("resource policy"), updates, "{text}");
        }
    }
}
