//! What an invocation has to do, which is the same for all of its registrations.

use std::time::SystemTime;

use crate::decide::Cause;
use crate::model::change::RegisterAs;
use crate::model::description::{Description, Template};
use crate::model::function_arn::{Function, FunctionArn};
use crate::model::function_selector::FunctionSelector;
use crate::model::function_state::DeployedCode;
use crate::model::registration::{AppFlowSource, ConnectorLabel, Registration};
use crate::model::update::Update;

/// What an invocation has to do.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Job {
    /// Why.
    pub cause: Cause,
    /// Which functions' registrations it is about.
    pub functions: Functions,
    /// Whether the settings or the sweep name the labels, so that each must be registered.
    pub labels_must_exist: bool,
    /// `FUNCTION_NAME_PREFIX`; empty for all functions.
    pub function_name_prefix: String,
    /// `REGISTER_AS`.
    pub register_as: RegisterAs,
    /// `GRANT_INVOKE`.
    pub grant_invoke: bool,
    /// Whether nothing is written.
    pub dry_run: bool,
    /// `UPDATE_DESCRIPTION`.
    pub description: Option<Template>,
    /// The date of the event, such as `2026-01-31`.
    pub date: String,
    /// When the event's call was made; `None` for a sweep, or if the event does not say so.
    pub event_time: Option<SystemTime>,
    /// The AppFlow of the updater's own account and Region; `None` if that is unknown, as under an
    /// emulator.
    pub appflow: Option<AppFlowSource>,
}

/// Which functions' registrations a job is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Functions {
    /// All.
    All,
    /// The one that was deployed.
    Deployed(Function),
    /// Those that a sweep names.
    Named(Vec<FunctionSelector>),
}

impl Job {
    /// Whether it is a sweep, and not about an event.
    pub fn is_sweep(&self) -> bool {
        matches!(self.cause, Cause::Sweep { .. })
    }

    /// Whether it is about registrations of this function.
    pub fn concerns(&self, function: &Function) -> bool {
        function.name().starts_with(&self.function_name_prefix)
            && match &self.functions {
                Functions::All => true,
                Functions::Deployed(deployed) => deployed == function,
                Functions::Named(named) => named.iter().any(|selector| selector.is(function)),
            }
    }

    /// The AppFlow that invokes this function.
    pub fn appflow(&self, function: &FunctionArn) -> AppFlowSource {
        let own = self.appflow.clone();
        own.unwrap_or_else(|| AppFlowSource::of_function(function))
    }

    /// The update of a registration with a target that has this code; `None` if the updater is not
    /// authorized to read it.
    pub fn update(
        &self,
        label: &ConnectorLabel,
        registration: &Registration,
        target: &FunctionArn,
        code: Option<&DeployedCode>,
    ) -> Update {
        let description = match (&self.description, registration.description.as_deref()) {
            (Some(template), _) => {
                let version = version_text(target, code);
                Some(template.render(target.function().name(), &version, &self.date))
            }
            (None, None) => None,
            (None, Some(own)) => match Description::unchanged(own) {
                Ok(description) => Some(description),
                Err(reason) => {
                    tracing::warn!(
                        connectorLabel = label.as_str(),
                        "the connector's description is left out of the update: {reason}"
                    );
                    None
                }
            },
        };
        Update {
            label: label.clone(),
            target: target.clone(),
            description,
        }
    }
}

/// `{version}`: the version whose configuration AppFlow reads, as Lambda names it, without the `$` that
/// AppFlow rejects. The event's version is not used, because the event may be late.
fn version_text(target: &FunctionArn, code: Option<&DeployedCode>) -> String {
    let qualifier = target.qualifier().map(ToString::to_string);
    let code = code.map(|code| code.version.clone());
    let version = match target.version() {
        Some(_) => qualifier,
        None => code.filter(|version| !version.is_empty()).or(qualifier),
    };
    let version = version.unwrap_or("LATEST".to_owned());
    version.trim_start_matches('$').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::evidence::Configuration;

    const FUNCTION: &str = "arn:aws:lambda:us-east-1:123456789012:function:crm";

    fn description(
        template: Option<&str>,
        own: Option<&str>,
        target: &str,
        version: Option<&str>,
    ) -> Option<String> {
        let job = Job {
            cause: Cause::Sweep { to_newest: false },
            functions: Functions::All,
            labels_must_exist: false,
            function_name_prefix: String::new(),
            register_as: RegisterAs::Follow,
            grant_invoke: false,
            dry_run: false,
            description: template.map(|template| template.parse().unwrap()),
            date: "2026-01-31".to_owned(),
            event_time: None,
            appflow: None,
        };
        let registration = Registration {
            function_arn: FUNCTION.parse().unwrap(),
            description: own.map(str::to_owned),
            configuration: Configuration::default(),
        };
        let target = format!("{FUNCTION}{target}").parse().unwrap();
        let code = version.map(|version| DeployedCode {
            version: version.to_owned(),
            ..DeployedCode::default()
        });
        let label = "acme-crm".parse().unwrap();
        let update = job.update(&label, &registration, &target, code.as_ref());
        assert_eq!((update.label, update.target), (label, target));
        update.description.map(|text| text.to_string())
    }

    #[test]
    fn the_version_in_a_description_is_what_lambda_names() {
        for (target, version, expected) in [
            (":7", Some("7"), "7"),
            (":7", None, "7"),
            (":live", Some("8"), "8"),
            (":live", Some("$LATEST"), "LATEST"),
            (":live", Some(""), "live"),
            (":live", None, "live"),
            ("", Some("$LATEST"), "LATEST"),
            ("", None, "LATEST"),
            (":$LATEST", Some("$LATEST"), "LATEST"),
            (":$LATEST", None, "LATEST"),
            ("", Some("$LATEST.PUBLISHED"), "LATEST.PUBLISHED"),
            (":$LATEST.PUBLISHED", None, "LATEST.PUBLISHED"),
        ] {
            let template = Some("{function} {version} {date}");
            let text = description(template, Some("own"), target, version);
            let expected = format!("crm {expected} 2026-01-31");
            assert_eq!(
                text.as_deref(),
                Some(expected.as_str()),
                "`{target}` {version:?}"
            );
        }
    }

    #[test]
    fn without_a_template_a_connector_keeps_its_description() {
        assert_eq!(
            description(None, Some("own"), "", None).as_deref(),
            Some("own")
        );
        assert_eq!(description(None, None, "", None), None);
        assert_eq!(description(None, Some("a, b"), "", None), None);
    }
}
