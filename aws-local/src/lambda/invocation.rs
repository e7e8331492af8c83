//! A service's invocation of a connector's function.

use serde_json::Value;

use super::Lambda;
use super::policy::allows;
use super::reference::Reference;
use super::state::{LastUpdate, Settles, State};

/// Why an invocation failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// There is no such function, version or alias.
    NoFunction(String),
    /// Its resource policy does not allow the caller.
    NotAllowed(String),
    /// It cannot be invoked in its state.
    NotNow(String),
}

impl Lambda {
    /// What a function returns for a DescribeConnectorConfigurationRequest now: the old configuration while an
    /// update is in progress, if it failed, and as long as old code is served after it; an error while the
    /// function is `Pending`, or if there is no statement for exactly this ARN.
    pub fn describe_connector(
        &mut self,
        arn: &str,
        principal: &str,
        source_account: &str,
        source_arn: &str,
    ) -> Result<Value, Refusal> {
        let reference = Reference::parse(arn)
            .ok_or_else(|| Refusal::NoFunction(format!("{arn} is not a function.")))?;
        let gone = || Refusal::NoFunction(format!("There is no function {arn}."));
        let key = reference.policy_key();
        let function = self.functions.get_mut(&reference.name).ok_or_else(gone)?;
        let version = function
            .turn(
                reference
                    .qualifier
                    .as_deref()
                    .unwrap_or(function.unqualified()),
            )
            .ok_or_else(gone)?;
        let allowed = function.policies.get(&key).is_some_and(|statements| {
            statements
                .iter()
                .any(|statement| allows(statement, principal, source_account, source_arn))
        });
        if !allowed {
            return Err(Refusal::NotAllowed(format!(
                "{principal} is not authorized to perform: lambda:InvokeFunction on resource: {arn}"
            )));
        }
        let deployed = function.deployed_mut(&version).ok_or_else(gone)?;
        deployed.settle_by_time();
        match (&deployed.state, &deployed.last_update) {
            (State::Inactive, _) => {
                deployed.state = State::Pending;
                deployed.settles = Settles::AfterLooks(1);
                self.changed(&reference.name, &version);
                Err(Refusal::NotNow(format!(
                    "{arn} is Inactive and is being woken."
                )))
            }
            (State::Active, LastUpdate::InProgress | LastUpdate::Failed(_)) => {
                let answers = deployed.before.as_ref().unwrap_or(&deployed.code);
                Ok(answers.configuration.clone())
            }
            (State::Active, LastUpdate::Successful) => Ok(deployed.served().configuration.clone()),
            (state, _) => Err(Refusal::NotNow(format!(
                "{arn} cannot be invoked: its state is {}.",
                state.name()
            ))),
        }
    }
}
