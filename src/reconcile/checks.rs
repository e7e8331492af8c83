//! What each answer to the checks after an update means for a round.

use crate::decide::Cause;
use crate::model::change::Change;
use crate::model::function_arn::{FunctionArn, Versions};
use crate::model::function_state::{DeployedCode, FunctionState, Readiness};
use crate::model::registration::Registration;
use crate::model::service_error::{ErrorKind, ServiceError};
use crate::reconcile::answers::{Answer, Step};
use crate::reconcile::ends::{End, Round};
use crate::reconcile::outcome::Failure;
use crate::reconcile::progress::Pause;

/// The most updates of a registration whose function changes each time; then it is an error.
const UPDATES: u8 = 8;

impl Round<'_> {
    /// The target was read after the update: the round continues if it is what it was before.
    pub(super) fn checked(
        &mut self,
        target: &FunctionArn,
        code: &DeployedCode,
        read: Answer<FunctionState>,
    ) -> Step<()> {
        match read {
            Ok(now) if now.code == *code && now.readiness.is_ready() => Ok(()),
            Ok(now) => Err(self.changed(target, Some(now.readiness))),
            Err(error) if error.kind == ErrorKind::NotFound => Err(self.changed(target, None)),
            Err(error) => self.unchecked(target, error),
        }
    }

    /// The versions were listed after an update to one of them: the round continues if none is newer.
    pub(super) fn newest_checked(
        &mut self,
        target: &FunctionArn,
        listed: Answer<Versions>,
    ) -> Step<()> {
        match listed {
            Ok(versions) if versions.last().copied() > target.version() => {
                let newest = Change::Published(versions.last().copied());
                self.progress.cause = Some(Cause::Changed(newest));
                Err(self.changed(target, None))
            }
            Ok(_) => Ok(()),
            Err(error) if error.kind == ErrorKind::NotFound => Ok(()),
            Err(error) => self.unchecked(target, error),
        }
    }

    /// A check after the update was not answered.
    fn unchecked(&mut self, target: &FunctionArn, error: ServiceError) -> Step<()> {
        if error.kind != ErrorKind::AccessDenied {
            return Err(self.fail(Some(target), Failure::Unchecked(error)));
        }
        tracing::warn!(
            functionArn = %target,
            "not authorized to check whether the function changed during the update: {error}"
        );
        Ok(())
    }

    /// The registration was described after its update and the check of the target.
    pub(super) fn finished(&mut self, target: FunctionArn, described: Answer<Registration>) -> End {
        if let Err(error) = &described {
            tracing::warn!(
                connectorLabel = self.label.as_str(),
                "updated, but what the update changed is unknown: {error}"
            );
        }
        self.end_updated(target, described.ok().as_ref())
    }

    /// The function changed during the update, perhaps into a state that is waited for.
    fn changed(&mut self, target: &FunctionArn, readiness: Option<Readiness>) -> End {
        if self.progress.updates >= UPDATES {
            return self.fail(Some(target), Failure::KeepsChanging);
        }
        match readiness {
            Some(Readiness::NotYet(unready)) => self.wait(target.clone(), unready),
            _ => self.again(Pause::None),
        }
    }
}
