//! The calls that deploy and delete functions and versions.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use super::code::Code;
use super::function::{Deployed, Function};
use super::reference::{LATEST, LATEST_PUBLISHED, Name, Reference};
use super::state::{LastUpdate, State};
use super::{Lambda, not_found};
use crate::answer::ApiError;
use crate::clock;

/// What to publish to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Publish {
    /// A new numbered version.
    Version,
    /// `$LATEST.PUBLISHED`, which is replaced: `PublishTo` is `LATEST_PUBLISHED`. Only a function on
    /// Lambda Managed Instances has it.
    LatestPublished,
}

impl Lambda {
    /// CreateFunction. With a `CapacityProviderConfig` the function is on Lambda Managed Instances. The
    /// response has the unqualified ARN even if a version is published.
    pub fn create_function(
        &mut self,
        name: &Name,
        code: Code,
        capacity_provider: Option<Value>,
        publish: Option<Publish>,
    ) -> Result<Value, ApiError> {
        if self.functions.contains_key(name) {
            return Err(ApiError::new(
                "ResourceConflictException",
                format!("Function already exist: {}", name.name),
            ));
        }
        if let Some(publish) = publish {
            check_publish(publish, capacity_provider.as_ref())?;
        }
        let settled = match capacity_provider {
            Some(_) => State::ActiveNonInvocable,
            None => State::Active,
        };
        let function = Function {
            latest: self.deploy(code, None, settled),
            latest_published: None,
            versions: BTreeMap::new(),
            published: 0,
            aliases: BTreeMap::new(),
            capacity_provider,
            policies: BTreeMap::new(),
        };
        self.functions.insert(name.clone(), function);
        self.changed(name, LATEST);
        match publish {
            Some(publish) => {
                let mut published = self.publish(name, None, publish)?;
                published["FunctionArn"] = name.arn(None).into();
                Ok(published)
            }
            None => self.describe(name, LATEST, None),
        }
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
        let removed = match qualifier.as_str() {
            LATEST_PUBLISHED => function.latest_published.take(),
            version => version
                .parse()
                .ok()
                .and_then(|version: u64| function.versions.remove(&version)),
        };
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
        publish: Option<Publish>,
    ) -> Result<Value, ApiError> {
        if let Some(publish) = publish {
            self.can_publish(name, publish)?;
        }
        let before = self.not_mid_update(name, LATEST)?;
        let latest = self.deploy(code, Some(before.code), before.settled);
        self.function_mut(name)?.latest = latest;
        self.changed(name, LATEST);
        match publish {
            Some(publish) => self.publish(name, None, publish),
            None => self.describe(name, LATEST, None),
        }
    }

    /// UpdateFunctionConfiguration.
    pub fn update_configuration(
        &mut self,
        name: &Name,
        description: Option<&str>,
    ) -> Result<Value, ApiError> {
        let before = self.not_mid_update(name, LATEST)?;
        let mut latest = self.deploy(before.code.clone(), Some(before.code), before.settled);
        latest.description = description.unwrap_or(&before.description).to_owned();
        self.function_mut(name)?.latest = latest;
        self.changed(name, LATEST);
        self.describe(name, LATEST, None)
    }

    /// PublishVersion, which returns the latest version if nothing changed since.
    pub fn publish_version(
        &mut self,
        name: &Name,
        description: Option<&str>,
        publish: Publish,
    ) -> Result<Value, ApiError> {
        self.can_publish(name, publish)?;
        self.not_mid_update(name, LATEST)?;
        self.publish(name, description, publish)
    }

    fn publish(
        &mut self,
        name: &Name,
        description: Option<&str>,
        publish: Publish,
    ) -> Result<Value, ApiError> {
        let function = self.function_mut(name)?;
        let previous = match publish {
            Publish::Version => function
                .versions
                .iter()
                .next_back()
                .map(|(version, newest)| (version.to_string(), newest.clone())),
            Publish::LatestPublished => function
                .latest_published
                .clone()
                .map(|previous| (LATEST_PUBLISHED.to_owned(), previous)),
        };
        let latest = function.latest.clone();
        if let Some((version, _)) = previous.as_ref().filter(|(_, previous)| {
            previous.code == latest.code
                && description.is_none_or(|description| description == previous.description)
        }) {
            return self.describe(name, version, None);
        }
        // `$LATEST.PUBLISHED` is replaced: its old code runs until the new one is ready.
        let before = previous
            .filter(|_| publish == Publish::LatestPublished)
            .map(|(_, previous)| previous.code);
        let mut published = self.deploy(latest.code, before, State::Active);
        published.description = description.unwrap_or(&latest.description).to_owned();
        let (versions_unknown, versions_unlisted) = (self.versions_unknown, self.versions_unlisted);
        let function = self.function_mut(name)?;
        let version = match publish {
            Publish::Version => {
                published.known_from = Some(Instant::now() + versions_unknown);
                published.listed_from = Some(Instant::now() + versions_unlisted);
                function.published += 1;
                function.versions.insert(function.published, published);
                function.published.to_string()
            }
            Publish::LatestPublished => {
                function.latest_published = Some(published);
                LATEST_PUBLISHED.to_owned()
            }
        };
        self.changed(name, &version);
        self.describe(name, &version, None)
    }

    /// Checks that a function can be published, before anything changes.
    fn can_publish(&mut self, name: &Name, publish: Publish) -> Result<(), ApiError> {
        let function = self.function_mut(name)?;
        check_publish(publish, function.capacity_provider.as_ref())?;
        if publish == Publish::LatestPublished && function.latest_published.is_some() {
            self.not_mid_update(name, LATEST_PUBLISHED)?;
        }
        Ok(())
    }

    /// A version, or `$LATEST`, if no update of it is in progress: otherwise Lambda rejects the call.
    fn not_mid_update(&mut self, name: &Name, version: &str) -> Result<Deployed, ApiError> {
        let qualifier = Some(version).filter(|version| *version != LATEST);
        let deployed = self.deployed_mut(&Reference {
            name: name.clone(),
            qualifier: qualifier.map(str::to_owned),
        })?;
        deployed.settle_by_time();
        if deployed.last_update == LastUpdate::InProgress || deployed.state == State::Pending {
            return Err(ApiError::new(
                "ResourceConflictException",
                format!(
                    "The operation cannot be performed at this time. An update is in progress for \
                     resource: {}",
                    name.arn(qualifier)
                ),
            ));
        }
        Ok(deployed.clone())
    }

    fn deploy(&mut self, code: Code, before: Option<Code>, settled: State) -> Deployed {
        let settling = self.settling;
        let now = Instant::now();
        let ready = settling.is_at_once();
        Deployed {
            state: if before.is_some() || ready {
                settled.clone()
            } else {
                State::Pending
            },
            settled,
            last_update: if before.is_none() || ready {
                LastUpdate::Successful
            } else {
                LastUpdate::InProgress
            },
            code,
            stale: before
                .clone()
                .map(|code| (code, now + self.old_code_served)),
            before,
            known_from: None,
            listed_from: None,
            description: String::new(),
            settles: settling.start(),
            modified: self.next_modified(),
            revision: self.next_revision(),
        }
    }

    /// A unique `LastModified`, even for two deployments within one millisecond.
    fn next_modified(&mut self) -> String {
        let next = self.modified.map(|last| last + Duration::from_millis(1));
        let now = self.time();
        let modified = next.map_or(now, |next| next.max(now));
        self.modified = Some(modified);
        clock::text(modified, "%Y-%m-%dT%H:%M:%S%.3f+0000")
    }
}

fn check_publish(publish: Publish, capacity_provider: Option<&Value>) -> Result<(), ApiError> {
    if publish == Publish::LatestPublished && capacity_provider.is_none() {
        return Err(ApiError::new(
            "InvalidParameterValueException",
            "PublishTo is for functions on Lambda Managed Instances only.",
        ));
    }
    Ok(())
}
