//! Parses the function names and ARNs in calls.

use crate::place::{ACCOUNT, PARTITION, REGION};

/// The unpublished code.
pub(super) const LATEST: &str = "$LATEST";
/// The version of a function on Lambda Managed Instances that can be published repeatedly.
pub(super) const LATEST_PUBLISHED: &str = "$LATEST.PUBLISHED";

/// A function's account and name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name {
    /// The account that owns the function.
    pub account: String,
    /// The bare name.
    pub name: String,
}

/// A function, perhaps with a qualifier, as a caller named it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The function.
    pub name: Name,
    /// A version, an alias, `$LATEST` or `$LATEST.PUBLISHED`.
    pub qualifier: Option<String>,
}

impl Reference {
    /// Parses a `FunctionName`: a bare name, a partial ARN, or an ARN, with or without a qualifier.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts: Vec<&str> = text.split(':').collect();
        let mut account = ACCOUNT;
        if parts.len() >= 7 && parts[0] == "arn" && parts[2] == "lambda" && parts[5] == "function" {
            if parts[3] != REGION {
                return None;
            }
            account = parts[4];
            parts.drain(..6);
        } else if parts.len() >= 3 && parts[1] == "function" {
            account = parts[0];
            parts.drain(..2);
        } else if parts.len() >= 2 && parts[0] == "function" {
            parts.drain(..1);
        }
        let (name, qualifier) = match parts.as_slice() {
            [name] => (*name, None),
            [name, qualifier] => (*name, Some((*qualifier).to_owned())),
            _ => return None,
        };
        (!name.is_empty()).then(|| Self {
            name: Name {
                account: account.to_owned(),
                name: name.to_owned(),
            },
            qualifier,
        })
    }

    /// The qualifier of the resource policy: `$LATEST` and `$LATEST.PUBLISHED` share the unqualified
    /// function's. For the latter, that is an assumption.
    pub(super) fn policy_key(&self) -> String {
        self.qualifier
            .clone()
            .filter(|qualifier| qualifier != LATEST && qualifier != LATEST_PUBLISHED)
            .unwrap_or_default()
    }
}

impl Name {
    /// The function's ARN, with a qualifier if there is one.
    pub fn arn(&self, qualifier: Option<&str>) -> String {
        let Self { account, name } = self;
        let arn = format!("arn:{PARTITION}:lambda:{REGION}:{account}:function:{name}");
        match qualifier {
            Some(qualifier) => format!("{arn}:{qualifier}"),
            None => arn,
        }
    }
}
