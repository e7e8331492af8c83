//! The part of Lambda that connectors need: functions with versions, aliases, states, and resource
//! policies. A function's code is the connector configuration that it returns.

mod alias;
mod code;
mod deployment;
mod function;
mod invocation;
mod policy;
mod reference;
mod state;
mod state_change;

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

pub use alias::{Alias, Provisioning};
pub use code::Code;
pub use deployment::Publish;
pub use invocation::Refusal;
pub use policy::Permission;
pub use reference::{Name, Reference};
pub use state::{LastUpdate, Settling, State};
pub(crate) use state_change::StateChange;

use crate::answer::ApiError;
use crate::clock::Clock;
use crate::place::PARTITION;
use function::{Deployed, Function};
use reference::{LATEST, LATEST_PUBLISHED};
use state::Settles;

/// The state of Lambda in one Region.
#[derive(Default)]
pub struct Lambda {
    functions: BTreeMap<Name, Function>,
    revisions: u64,
    /// The clock of `LastModified` and of events.
    pub(crate) clock: Clock,
    /// How far changes are dated back.
    dated_back: Duration,
    /// The latest `LastModified`.
    modified: Option<SystemTime>,
    /// How long old code is served after a change.
    old_code_served: Duration,
    /// How long reads do not know a version that was just published.
    versions_unknown: Duration,
    /// How long lists lack it.
    versions_unlisted: Duration,
    /// When a new deployment becomes ready.
    settling: Settling,
    /// The versions that were deployed, and are not known to be ready.
    changed: Vec<(Name, String)>,
}

impl Lambda {
    /// Sets when new deployments become ready.
    pub fn settle(&mut self, settling: Settling) {
        self.settling = settling;
    }

    /// From now on, `LastModified` (which is later than all before) and the times of events are this much in the
    /// past, as if the updater
    /// heard of each change that late: it does not rely on a change of the last minute.
    pub fn date_changes_back(&mut self, by: Duration) {
        self.dated_back = by;
    }

    /// The time that a change is given now.
    pub(crate) fn time(&self) -> SystemTime {
        self.clock.now() - self.dated_back
    }

    /// After a change of `$LATEST`, `$LATEST.PUBLISHED`, or an alias, invocations run what was there before
    /// for this long, as they may for up to a minute. It counts from the change.
    pub fn serve_old_code_for(&mut self, time: Duration) {
        self.old_code_served = time;
    }

    /// GetFunctionConfiguration and ListVersionsByFunction do not know a version that was just published for
    /// this long.
    pub fn versions_unknown_for(&mut self, time: Duration) {
        self.versions_unknown = time;
        self.versions_unlisted = time;
    }

    /// ListVersionsByFunction alone does not know a version that was just published for this long.
    pub fn versions_unlisted_for(&mut self, time: Duration) {
        self.versions_unlisted = time;
    }

    /// Puts a function or version into a state, which it keeps until it is deployed again.
    pub fn put_into(
        &mut self,
        reference: &Reference,
        state: State,
        last_update: LastUpdate,
    ) -> Result<(), ApiError> {
        let version = self.version_of(reference)?;
        let deployed = self.deployed_mut(reference)?;
        deployed.state = state;
        deployed.last_update = last_update;
        deployed.settles = Settles::Never;
        self.changed(&reference.name, &version);
        Ok(())
    }

    /// The versions that a function has, lowest first.
    pub fn versions(&self, name: &Name) -> Vec<u64> {
        self.functions
            .get(name)
            .map(|function| function.versions.keys().copied().collect())
            .unwrap_or_default()
    }

    /// The names of all functions.
    pub fn names(&self) -> Vec<Name> {
        self.functions.keys().cloned().collect()
    }

    /// What a function, version, or alias would return if it were ready and anybody could invoke it.
    /// `None` if it does not exist, and for `$LATEST` of a function on Lambda Managed Instances, which
    /// cannot be invoked.
    pub fn configuration(&self, arn: &str) -> Option<&Value> {
        let reference = Reference::parse(arn)?;
        let function = self.functions.get(&reference.name)?;
        let version = match reference.qualifier.as_deref() {
            Some(alias) if function.aliases.contains_key(alias) => {
                function.aliases[alias].settled_version()
            }
            other => other.unwrap_or(function.unqualified()),
        };
        function
            .deployed(version)
            .filter(|deployed| deployed.settled == State::Active)
            .map(|deployed| match (&deployed.last_update, &deployed.before) {
                (LastUpdate::Failed(_), Some(before)) => &before.configuration,
                _ => &deployed.code.configuration,
            })
    }

    /// GetFunctionConfiguration of a function, a version, or an alias's version.
    pub fn get_configuration(&mut self, reference: &Reference) -> Result<Value, ApiError> {
        let version = self.version_of(reference)?;
        let alias = reference
            .qualifier
            .as_deref()
            .filter(|text| *text != version);
        let name = &reference.name;
        let deployed = self.deployed_mut(reference)?;
        if alias.is_none() && !deployed.is_known() {
            return Err(not_found(reference));
        }
        let answer = self.describe(name, &version, alias)?;
        let function = self.function_mut(name)?;
        if let Some(deployed) = function.deployed_mut(&version) {
            deployed.look();
        }
        Ok(answer)
    }

    /// ListVersionsByFunction: `$LATEST`, `$LATEST.PUBLISHED` if there is one, then the versions from
    /// the lowest up.
    pub fn list_versions(
        &mut self,
        name: &Name,
        marker: Option<&str>,
        page: usize,
    ) -> Result<Value, ApiError> {
        let function = self.function_mut(name)?;
        let mut versions = vec![LATEST.to_owned()];
        versions.extend(
            function
                .latest_published
                .as_ref()
                .map(|_| LATEST_PUBLISHED.to_owned()),
        );
        let known = function
            .versions
            .iter()
            .filter(|(_, version)| version.is_listed());
        versions.extend(known.map(|(number, _)| number.to_string()));
        let start = marker.and_then(|marker| marker.parse().ok()).unwrap_or(0);
        let end = versions.len().min(start + page);
        let next = (end < versions.len()).then(|| end.to_string());
        let listed = versions
            .get(start..end)
            .unwrap_or_default()
            .iter()
            .map(|version| self.describe(name, version, None))
            .collect::<Result<Vec<Value>, _>>()?;
        Ok(json!({ "Versions": listed, "NextMarker": next }))
    }

    fn next_revision(&mut self) -> u64 {
        self.revisions += 1;
        self.revisions
    }

    fn function_mut(&mut self, name: &Name) -> Result<&mut Function, ApiError> {
        self.functions.get_mut(name).ok_or_else(|| {
            not_found(&Reference {
                name: name.clone(),
                qualifier: None,
            })
        })
    }

    /// The version that a reference resolves to, if it exists.
    fn version_of(&mut self, reference: &Reference) -> Result<String, ApiError> {
        let function = self.function_mut(&reference.name)?;
        let qualifier = reference.qualifier.as_deref().unwrap_or(LATEST);
        let version = match function.aliases.get(qualifier) {
            Some(alias) => alias.version.clone(),
            None => qualifier.to_owned(),
        };
        match function.deployed(&version) {
            Some(_) => Ok(version),
            None => Err(not_found(reference)),
        }
    }

    fn deployed_mut(&mut self, reference: &Reference) -> Result<&mut Deployed, ApiError> {
        let version = self.version_of(reference)?;
        self.function_mut(&reference.name)?
            .deployed_mut(&version)
            .ok_or_else(|| not_found(reference))
    }

    /// A version as Lambda describes it, with its own ARN or an alias's.
    fn describe(
        &mut self,
        name: &Name,
        version: &str,
        alias: Option<&str>,
    ) -> Result<Value, ApiError> {
        let function = self.function_mut(name)?;
        let capacity_provider = function.capacity_provider.clone();
        let deployed = function.deployed_mut(version).ok_or_else(|| {
            not_found(&Reference {
                name: name.clone(),
                qualifier: Some(version.to_owned()),
            })
        })?;
        deployed.settle_by_time();
        let qualifier = alias.or(Some(version).filter(|version| *version != LATEST));
        let mut described = json!({
            "FunctionName": name.name,
            "FunctionArn": name.arn(qualifier),
            "Runtime": "provided.al2023",
            "Role": format!("arn:{PARTITION}:iam::{}:role/{}", name.account, name.name),
            "Handler": "bootstrap",
            "CodeSize": deployed.code.size,
            "Description": deployed.description,
            "Timeout": 30,
            "MemorySize": 256,
            "LastModified": deployed.modified,
            "CodeSha256": deployed.code.sha256,
            "Version": version,
            "TracingConfig": { "Mode": "PassThrough" },
            "RevisionId": revision_id(deployed.revision),
            "PackageType": "Zip",
            "Architectures": ["arm64"],
            "EphemeralStorage": { "Size": 512 },
            "SnapStart": { "ApplyOn": "None", "OptimizationStatus": "Off" },
            "State": deployed.state.name(),
            "LastUpdateStatus": deployed.last_update.name(),
        });
        if let Some(capacity_provider) = capacity_provider {
            described["CapacityProviderConfig"] = capacity_provider;
        }
        if let Some(reason) = deployed.state.reason() {
            described["StateReason"] = reason.into();
        }
        if let Some(code) = deployed.state.reason_code() {
            described["StateReasonCode"] = code.into();
        }
        if let LastUpdate::Failed(reason) = &deployed.last_update {
            described["LastUpdateStatusReason"] = reason.as_str().into();
            described["LastUpdateStatusReasonCode"] = "InternalError".into();
        }
        Ok(described)
    }
}

fn revision_id(revision: u64) -> String {
    format!("00000000-0000-4000-8000-{revision:012x}")
}

fn not_found(reference: &Reference) -> ApiError {
    ApiError::new(
        "ResourceNotFoundException",
        format!(
            "Function not found: {}",
            reference.name.arn(reference.qualifier.as_deref())
        ),
    )
}
