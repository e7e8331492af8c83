//! Aliases, and their calls.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::reference::{Name, Reference};
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
        let created = Alias {
            version: version.to_owned(),
            weights,
            description: String::new(),
            revision,
            turns: 0,
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
        if let Some(version) = version {
            changed.version = version.to_owned();
        }
        if let Some(weights) = weights {
            changed.weights = weights;
        }
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

    /// GetAlias.
    pub fn get_alias(&self, name: &Name, alias: &str) -> Result<Value, ApiError> {
        Ok(self.alias(name, alias)?.describe(name, alias))
    }

    /// ListAliases, all on one page.
    pub fn list_aliases(&mut self, name: &Name) -> Result<Value, ApiError> {
        let function = self.function_mut(name)?;
        let aliases: Vec<Value> = function
            .aliases
            .iter()
            .map(|(alias, described)| described.describe(name, alias))
            .collect();
        Ok(json!({ "Aliases": aliases }))
    }

    fn alias(&self, name: &Name, alias: &str) -> Result<&Alias, ApiError> {
        self.functions
            .get(name)
            .and_then(|function| function.aliases.get(alias))
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
    fn describe(&self, name: &Name, alias: &str) -> Value {
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
