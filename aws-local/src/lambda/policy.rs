//! Resource policies, which Lambda keeps for each qualifier.

use serde_json::{Value, json};

use super::Lambda;
use super::reference::Reference;
use crate::answer::ApiError;

/// The parameters of AddPermission.
#[derive(Clone, Copy, Debug)]
pub struct Permission<'a> {
    /// `StatementId`
    pub id: &'a str,
    /// `Action`
    pub action: &'a str,
    /// `Principal`, a service's.
    pub principal: &'a str,
    /// `SourceAccount`
    pub source_account: Option<&'a str>,
    /// `SourceArn`
    pub source_arn: Option<&'a str>,
}

impl Lambda {
    /// AddPermission.
    pub fn add_permission(
        &mut self,
        reference: &Reference,
        statement: &Permission<'_>,
    ) -> Result<Value, ApiError> {
        self.version_of(reference)?;
        let key = reference.policy_key();
        let resource = reference
            .name
            .arn(Some(key.as_str()).filter(|key| !key.is_empty()));
        let statements = self
            .function_mut(&reference.name)?
            .policies
            .entry(key)
            .or_default();
        if statements.iter().any(|other| other["Sid"] == statement.id) {
            return Err(ApiError::new(
                "ResourceConflictException",
                format!(
                    "The statement id ({}) provided already exists. Please provide a new statement \
                     id, or remove the existing statement.",
                    statement.id
                ),
            ));
        }
        let mut condition = serde_json::Map::new();
        if let Some(account) = statement.source_account {
            condition.insert(
                "StringEquals".into(),
                json!({ "AWS:SourceAccount": account }),
            );
        }
        if let Some(arn) = statement.source_arn {
            condition.insert("ArnLike".into(), json!({ "AWS:SourceArn": arn }));
        }
        let mut added = json!({
            "Sid": statement.id,
            "Effect": "Allow",
            "Principal": { "Service": statement.principal },
            "Action": statement.action,
            "Resource": resource,
        });
        if !condition.is_empty() {
            added["Condition"] = condition.into();
        }
        statements.push(added.clone());
        Ok(json!({ "Statement": added.to_string() }))
    }

    /// GetPolicy.
    pub fn get_policy(&mut self, reference: &Reference) -> Result<Value, ApiError> {
        self.version_of(reference)?;
        let key = reference.policy_key();
        let statements = self
            .function_mut(&reference.name)?
            .policies
            .get(&key)
            .filter(|statements| !statements.is_empty())
            .ok_or_else(|| {
                ApiError::new(
                    "ResourceNotFoundException",
                    "The resource you requested does not exist.",
                )
            })?;
        let policy = json!({ "Version": "2012-10-17", "Id": "default", "Statement": statements });
        Ok(json!({ "Policy": policy.to_string() }))
    }

    /// RemovePermission.
    pub fn remove_permission(&mut self, reference: &Reference, id: &str) -> Result<(), ApiError> {
        let key = reference.policy_key();
        let statements = self
            .function_mut(&reference.name)?
            .policies
            .entry(key)
            .or_default();
        let before = statements.len();
        statements.retain(|statement| statement["Sid"] != id);
        if statements.len() == before {
            return Err(ApiError::new(
                "ResourceNotFoundException",
                format!("Statement {id} is not found in resource policy."),
            ));
        }
        Ok(())
    }
}

/// Whether a statement allows a service to invoke the function on behalf of this account and resource.
pub(super) fn allows(statement: &Value, principal: &str, account: &str, source_arn: &str) -> bool {
    let action = statement["Action"].as_str().unwrap_or_default();
    let condition = &statement["Condition"];
    statement["Principal"]["Service"] == principal
        && matches!(action, "lambda:InvokeFunction" | "lambda:*" | "*")
        && condition["StringEquals"]["AWS:SourceAccount"]
            .as_str()
            .is_none_or(|expected| expected == account)
        && condition["ArnLike"]["AWS:SourceArn"]
            .as_str()
            .is_none_or(|pattern| match pattern.strip_suffix('*') {
                Some(prefix) => source_arn.starts_with(prefix),
                None => source_arn == pattern,
            })
}
