//! What an update changed: the difference between two descriptions of a connector, which is all that
//! AppFlow shows of it.

use std::collections::{BTreeMap, BTreeSet};

/// Members of `connectorConfiguration` that describe the registration and not the connector. They are
/// not evidence: an update changes some of them whatever the connector's configuration is.
const NOT_THE_CONNECTORS: [&str; 6] = [
    "connectorArn",
    "connectorDescription",
    "connectorLabel",
    "connectorProvisioningConfig",
    "registeredAt",
    "registeredBy",
];

/// AppFlow's copy of a connector's configuration: DescribeConnector's `connectorConfiguration`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Configuration {
    /// `connectorVersion`.
    pub version: Option<String>,
    /// The connector's own members by name, each with a digest of its value.
    members: BTreeMap<String, u64>,
}

/// What an update changed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Evidence {
    /// `connectorVersion` before the update.
    pub previous_version: Option<String>,
    /// `connectorVersion` after it.
    pub version: Option<String>,
    /// The names of the members of `connectorConfiguration` that differ, sorted.
    pub changed: Vec<String>,
}

impl Configuration {
    /// A configuration of these members, each with a digest of its value.
    pub fn new(version: Option<String>, members: impl Iterator<Item = (String, u64)>) -> Self {
        let members = members.filter(|(name, _)| !NOT_THE_CONNECTORS.contains(&name.as_str()));
        Self {
            version,
            members: members.collect(),
        }
    }

    /// What an update changed, if AppFlow had `self` before it and has `after` now.
    pub fn evidence(&self, after: &Self) -> Evidence {
        let names: BTreeSet<&String> = self.members.keys().chain(after.members.keys()).collect();
        let differs = |name: &&String| self.members.get(*name) != after.members.get(*name);
        Evidence {
            previous_version: self.version.clone(),
            version: after.version.clone(),
            changed: names.into_iter().filter(differs).cloned().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn configuration(version: &str, members: &[(&str, u64)]) -> Configuration {
        let members = members
            .iter()
            .map(|(name, digest)| ((*name).to_owned(), *digest));
        Configuration::new(Some(version.to_owned()), members)
    }

    #[test]
    fn what_differs_is_named_once_and_sorted() {
        let before = configuration("1", &[("logoURL", 1), ("gone", 1), ("connectorVersion", 1)]);
        let after = configuration(
            "2",
            &[("connectorVersion", 2), ("logoURL", 1), ("added", 1)],
        );
        assert_eq!(
            before.evidence(&after),
            Evidence {
                previous_version: Some("1".to_owned()),
                version: Some("2".to_owned()),
                changed: vec!["added".into(), "connectorVersion".into(), "gone".into()],
            }
        );
    }

    #[test]
    fn what_an_update_changes_by_itself_does_not_count() {
        let all = |digest| NOT_THE_CONNECTORS.map(|name| (name, digest));
        let evidence = configuration("1", &all(1)).evidence(&configuration("1", &all(2)));
        assert_eq!(evidence.changed, [] as [String; 0]);
    }
}
