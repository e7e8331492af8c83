//! Aliases, and their calls.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::reference::{LATEST, Name, Reference};
use super::{Lambda, not_found, revision_id};
use crate::answer::ApiError;

/// An alias.
#[derive(Clone, Debug, PartialEq)]
pub struct Alias {
    /// The version that it points at, or `$LATEST`.
    pub version: String,
    /// The weight of each additional version, while traffic shifts.
    pub weights: BTreeMap<String, f64>,
    pub(super) description: String,
    pub(super) revision: u64,
    /// How often it was invoked: while traffic shifts, its versions take turns.
    pub(super) turns: usize,
    /// How long Lambda provisions concurrency for it after each move.
    pub(super) provisioning: Option<Provisioning>,
    /// Whether its weights are Lambda's own.
    pub(super) has_own_weights: bool,
    /// When Lambda takes its own weights away.
    pub(super) provisioned_at: Option<Instant>,
    /// The version from before the last move, and until when invocations still run it.
    pub(super) stale: Option<(String, Instant)>,
}

/// When Lambda has provisioned concurrency for an alias that moved. Until then, it sends all traffic to the
/// version from before by a weight of its own, and takes that away without any call or event.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Provisioning {
    /// After this time.
    After(Duration),
    /// When [`Lambda::finish_provisioning`] is called.
    UntilFinished,
}

impl Lambda {
    /// CreateAlias.
    pub fn create_alias(
        &mut self,
        name: &Name,
        alias: &str,
        version: &str,
        weights: BTreeMap<String, f64>,
    ) -> Result<Value, ApiError> {
        self.check_versions(name, version, &weights)?;
        let revision = self.next_revision();
        let function = self.function_mut(name)?;
        if function.aliases.contains_key(alias) {
            return Err(ApiError::new(
                "ResourceConflictException",
                format!("Alias already exists: {}", name.arn(Some(alias))),
            ));
        }
        let mut created = Alias {
            version: version.to_owned(),
            weights,
            description: String::new(),
            revision,
            turns: 0,
            provisioning: None,
            has_own_weights: false,
            provisioned_at: None,
            stale: None,
        };
        let answer = created.describe(name, alias);
        function.aliases.insert(alias.to_owned(), created);
        Ok(answer)
    }

    /// UpdateAlias. `None` leaves a member unchanged.
    pub fn update_alias(
        &mut self,
        name: &Name,
        alias: &str,
        version: Option<&str>,
        weights: Option<BTreeMap<String, f64>>,
    ) -> Result<Value, ApiError> {
        let mut changed = self.alias(name, alias)?.clone();
        let runs = changed.turn();
        let before = changed.version.clone();
        if let Some(version) = version.filter(|version| *version != before) {
            changed.version = version.to_owned();
            changed.take_own_weights();
        }
        if let Some(weights) = weights {
            changed.weights = weights;
            changed.has_own_weights = false;
        }
        if let Some(provisioning) = changed.provisioning
            && changed.version != before
            && changed.weights.is_empty()
            && changed.version != runs
        {
            changed.weights = BTreeMap::from([(runs.clone(), 1.0)]);
            changed.has_own_weights = true;
            changed.provisioned_at = match provisioning {
                Provisioning::After(time) => Some(Instant::now() + time),
                Provisioning::UntilFinished => None,
            };
        }
        changed.stale = Some((runs, Instant::now() + self.old_code_served));
        changed.revision = self.next_revision();
        self.check_versions(name, &changed.version, &changed.weights)?;
        let answer = changed.describe(name, alias);
        self.function_mut(name)?
            .aliases
            .insert(alias.to_owned(), changed);
        Ok(answer)
    }

    /// DeleteAlias, which succeeds even if the alias does not exist.
    pub fn delete_alias(&mut self, name: &Name, alias: &str) -> Result<(), ApiError> {
        let function = self.function_mut(name)?;
        function.aliases.remove(alias);
        function.policies.remove(alias);
        Ok(())
    }

    /// From now on, Lambda provisions concurrency for this alias whenever it moves.
    pub fn provision_concurrency(
        &mut self,
        name: &Name,
        alias: &str,
        provisioning: Provisioning,
    ) -> Result<(), ApiError> {
        self.alias(name, alias)?.provisioning = Some(provisioning);
        Ok(())
    }

    /// Lambda takes its own weights away from an alias.
    pub fn finish_provisioning(&mut self, name: &Name, alias: &str) -> Result<(), ApiError> {
        self.alias(name, alias)?.take_own_weights();
        Ok(())
    }

    /// GetAlias.
    pub fn get_alias(&mut self, name: &Name, alias: &str) -> Result<Value, ApiError> {
        Ok(self.alias(name, alias)?.describe(name, alias))
    }

    /// ListAliases, all on one page.
    pub fn list_aliases(&mut self, name: &Name) -> Result<Value, ApiError> {
        let function = self.function_mut(name)?;
        let aliases: Vec<Value> = function
            .aliases
            .iter_mut()
            .map(|(alias, described)| described.describe(name, alias))
            .collect();
        Ok(json!({ "Aliases": aliases }))
    }

    fn alias(&mut self, name: &Name, alias: &str) -> Result<&mut Alias, ApiError> {
        self.functions
            .get_mut(name)
            .and_then(|function| function.aliases.get_mut(alias))
            .ok_or_else(|| {
                not_found(&Reference {
                    name: name.clone(),
                    qualifier: Some(alias.to_owned()),
                })
            })
    }

    fn check_versions(
        &mut self,
        name: &Name,
        version: &str,
        weights: &BTreeMap<String, f64>,
    ) -> Result<(), ApiError> {
        let invalid = |message: &str| Err(ApiError::new("InvalidParameterValueException", message));
        if weights.len() > 1 || weights.contains_key(version) {
            return invalid("An alias can have one additional version, which is another one.");
        }
        if weights.values().any(|weight| !(0.0..=1.0).contains(weight)) {
            return invalid("The weight of a version is from 0.0 to 1.0.");
        }
        if !weights.is_empty() && (version == LATEST || weights.contains_key(LATEST)) {
            return invalid(
                "$LATEST is not supported for an alias pointing to more than 1 version",
            );
        }
        for version in std::iter::once(version).chain(weights.keys().map(String::as_str)) {
            self.version_of(&Reference {
                name: name.clone(),
                qualifier: Some(version.to_owned()),
            })?;
        }
        Ok(())
    }
}

impl Alias {
    /// The version that its next invocation runs. While traffic shifts, its versions take turns.
    pub(super) fn turn(&mut self) -> String {
        self.settle_by_time();
        if let Some((stale, until)) = &self.stale
            && Instant::now() < *until
        {
            return stale.clone();
        }
        match self.weights.iter().find(|(_, weight)| **weight > 0.0) {
            // The additional version first, so that a test sees if AppFlow reads during a shift.
            Some((additional, weight)) if *weight >= 1.0 || self.turns.is_multiple_of(2) => {
                self.turns += 1;
                additional.clone()
            }
            _ => {
                self.turns += 1;
                self.version.clone()
            }
        }
    }

    /// The version that gets all traffic, or most of it, once nothing lags.
    pub(super) fn settled_version(&self) -> &str {
        let asked = self.weights.iter().find(|(_, weight)| **weight >= 1.0);
        match asked {
            Some((version, _)) if !self.has_own_weights => version,
            _ => &self.version,
        }
    }

    fn settle_by_time(&mut self) {
        if self.provisioned_at.is_some_and(|at| Instant::now() >= at) {
            self.take_own_weights();
        }
    }

    /// Takes weights of Lambda's own away.
    fn take_own_weights(&mut self) {
        if self.has_own_weights {
            self.weights.clear();
            self.has_own_weights = false;
        }
        self.provisioned_at = None;
    }

    fn describe(&mut self, name: &Name, alias: &str) -> Value {
        self.settle_by_time();
        let mut described = json!({
            "AliasArn": name.arn(Some(alias)),
            "Name": alias,
            "FunctionVersion": self.version,
            "Description": self.description,
            "RevisionId": revision_id(self.revision),
        });
        if !self.weights.is_empty() {
            described["RoutingConfig"] = json!({ "AdditionalVersionWeights": self.weights });
        }
        described
    }
}
