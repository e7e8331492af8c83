//! The calls that change what is deployed.

use std::collections::BTreeMap;

use serde_json::Value;

use super::code::Code;
use super::function::{Deployed, Function};
use super::reference::{Name, Reference};
use super::state::{LastUpdate, State};
use super::{Lambda, not_found};
use crate::answer::ApiError;

impl Lambda {
    /// CreateFunction.
    pub fn create_function(
        &mut self,
        name: &Name,
        code: Code,
        publish: bool,
    ) -> Result<Value, ApiError> {
        if self.functions.contains_key(name) {
            return Err(ApiError::new(
                "ResourceConflictException",
                format!("Function already exist: {}", name.name),
            ));
        }
        let latest = self.deploy(code, None);
        let function = Function {
            latest,
            versions: BTreeMap::new(),
            published: 0,
            aliases: BTreeMap::new(),
            policies: BTreeMap::new(),
        };
        self.functions.insert(name.clone(), function);
        if publish {
            return self.publish(name, None);
        }
        self.describe(name, "$LATEST", None)
    }

    /// DeleteFunction, of the whole function or of one version.
    pub fn delete_function(&mut self, reference: &Reference) -> Result<(), ApiError> {
        let function = self.function_mut(&reference.name)?;
        let Some(qualifier) = &reference.qualifier else {
            self.functions.remove(&reference.name);
            return Ok(());
        };
        if function
            .aliases
            .values()
            .any(|alias| alias.version == *qualifier || alias.weights.contains_key(qualifier))
        {
            return Err(ApiError::new(
                "ResourceConflictException",
                format!("Version {qualifier} has an alias."),
            ));
        }
        let removed = qualifier
            .parse()
            .ok()
            .and_then(|version: u64| function.versions.remove(&version));
        function.policies.remove(qualifier);
        match removed {
            Some(_) => Ok(()),
            None => Err(not_found(reference)),
        }
    }

    /// UpdateFunctionCode.
    pub fn update_code(
        &mut self,
        name: &Name,
        code: Code,
        publish: bool,
    ) -> Result<Value, ApiError> {
        let before = self.not_mid_update(name)?;
        let latest = self.deploy(code, Some(before.code));
        self.function_mut(name)?.latest = latest;
        if publish {
            return self.publish(name, None);
        }
        self.describe(name, "$LATEST", None)
    }

    /// UpdateFunctionConfiguration.
    pub fn update_configuration(
        &mut self,
        name: &Name,
        description: Option<&str>,
    ) -> Result<Value, ApiError> {
        let before = self.not_mid_update(name)?;
        let mut latest = self.deploy(before.code.clone(), Some(before.code));
        latest.description = description.unwrap_or(&before.description).to_owned();
        self.function_mut(name)?.latest = latest;
        self.describe(name, "$LATEST", None)
    }

    /// PublishVersion. With nothing changed since the last one, that one is the answer.
    pub fn publish_version(
        &mut self,
        name: &Name,
        description: Option<&str>,
    ) -> Result<Value, ApiError> {
        self.not_mid_update(name)?;
        self.publish(name, description)
    }

    fn publish(&mut self, name: &Name, description: Option<&str>) -> Result<Value, ApiError> {
        let settling = self.settling;
        let (revision, modified) = (self.next_revision(), self.next_modified());
        let function = self.function_mut(name)?;
        let latest = &function.latest;
        let unchanged = function.versions.iter().next_back().filter(|(_, newest)| {
            newest.code == latest.code
                && description.is_none_or(|description| description == newest.description)
        });
        if let Some((version, _)) = unchanged {
            let version = version.to_string();
            return self.describe(name, &version, None);
        }
        let published = Deployed {
            description: description.unwrap_or(&latest.description).to_owned(),
            state: if settling.is_at_once() {
                State::Active
            } else {
                State::Pending
            },
            last_update: LastUpdate::Successful,
            before: None,
            settles: settling.start(),
            modified,
            revision,
            ..latest.clone()
        };
        function.published += 1;
        let version = function.published;
        function.versions.insert(version, published);
        self.describe(name, &version.to_string(), None)
    }

    /// `$LATEST`, which Lambda changes and publishes only while no update of it is in progress.
    fn not_mid_update(&mut self, name: &Name) -> Result<Deployed, ApiError> {
        let latest = &mut self.function_mut(name)?.latest;
        latest.settle_by_time();
        if latest.last_update == LastUpdate::InProgress || latest.state == State::Pending {
            return Err(ApiError::new(
                "ResourceConflictException",
                format!(
                    "The operation cannot be performed at this time. An update is in progress for \
                     resource: {}",
                    name.arn(None)
                ),
            ));
        }
        Ok(latest.clone())
    }

    fn deploy(&mut self, code: Code, before: Option<Code>) -> Deployed {
        let settling = self.settling;
        let ready = settling.is_at_once();
        Deployed {
            state: if before.is_some() || ready {
                State::Active
            } else {
                State::Pending
            },
            last_update: if before.is_none() || ready {
                LastUpdate::Successful
            } else {
                LastUpdate::InProgress
            },
            code,
            before,
            description: String::new(),
            settles: settling.start(),
            modified: self.next_modified(),
            revision: self.next_revision(),
        }
    }

    /// A `LastModified` that nothing had before: two deployments within one millisecond get two.
    fn next_modified(&mut self) -> String {
        let now = jiff::Timestamp::now().as_millisecond();
        self.modified = now.max(self.modified + 1);
        jiff::Timestamp::from_millisecond(self.modified)
            .unwrap_or_default()
            .strftime("%Y-%m-%dT%H:%M:%S%.3f+0000")
            .to_string()
    }
}
