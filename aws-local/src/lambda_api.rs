//! Lambda's REST API: routes requests to calls, and names the event that each causes.

use std::collections::BTreeMap;

use base64::prelude::{BASE64_STANDARD, Engine};
use serde_json::{Value, json};

use crate::answer::{Answer, ApiError};
use crate::lambda::{Code, Lambda, Name, Permission, Publish, Reference};

/// ListVersionsByFunction returns at most 50 versions per page.
const VERSIONS_PAGE: usize = 50;

/// The operations that are implemented.
pub const OPERATIONS: [&str; 16] = [
    "AddPermission",
    "CreateAlias",
    "CreateFunction",
    "DeleteAlias",
    "DeleteFunction",
    "GetAlias",
    "GetFunction",
    "GetFunctionConfiguration",
    "GetPolicy",
    "ListAliases",
    "ListVersionsByFunction",
    "PublishVersion",
    "RemovePermission",
    "UpdateAlias",
    "UpdateFunctionCode",
    "UpdateFunctionConfiguration",
];

/// A Lambda call: its name in the API, and its parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// Such as `PublishVersion`.
    pub operation: &'static str,
    /// The path's, the query's and the body's parameters together.
    pub input: Value,
}

/// The result of a call.
pub struct Done {
    /// The response.
    pub answer: Value,
    /// The function, and CloudTrail's name for the call, if the call deploys.
    pub recorded: Option<(Name, &'static str)>,
}

/// Finds the call in a request. `path` is split at its slashes and decoded.
pub fn route(
    method: &str,
    path: &[String],
    query: &BTreeMap<String, String>,
    body: &Value,
) -> Option<Call> {
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    let (operation, function, rest) = match (method, path.as_slice()) {
        ("POST", ["2015-03-31", "functions"]) => ("CreateFunction", None, None),
        (method, ["2015-03-31", "functions", function, rest @ ..]) => {
            let (operation, extra) = match (method, rest) {
                ("GET", []) => ("GetFunction", None),
                ("DELETE", []) => ("DeleteFunction", None),
                ("GET", ["configuration"]) => ("GetFunctionConfiguration", None),
                ("PUT", ["configuration"]) => ("UpdateFunctionConfiguration", None),
                ("PUT", ["code"]) => ("UpdateFunctionCode", None),
                ("POST", ["versions"]) => ("PublishVersion", None),
                ("GET", ["versions"]) => ("ListVersionsByFunction", None),
                ("POST", ["aliases"]) => ("CreateAlias", None),
                ("GET", ["aliases"]) => ("ListAliases", None),
                ("GET", ["aliases", alias]) => ("GetAlias", Some(("Name", *alias))),
                ("PUT", ["aliases", alias]) => ("UpdateAlias", Some(("Name", *alias))),
                ("DELETE", ["aliases", alias]) => ("DeleteAlias", Some(("Name", *alias))),
                ("POST", ["policy"]) => ("AddPermission", None),
                ("GET", ["policy"]) => ("GetPolicy", None),
                ("DELETE", ["policy", id]) => ("RemovePermission", Some(("StatementId", *id))),
                _ => return None,
            };
            (operation, Some(*function), extra)
        }
        _ => return None,
    };
    let mut input = match body {
        Value::Object(members) => members.clone(),
        _ => serde_json::Map::new(),
    };
    for (name, value) in query {
        input.insert(name.clone(), value.as_str().into());
    }
    for (name, value) in function
        .map(|name| ("FunctionName", name))
        .into_iter()
        .chain(rest)
    {
        input.insert(name.to_owned(), value.into());
    }
    Some(Call {
        operation,
        input: input.into(),
    })
}

/// Handles a call.
pub fn call(lambda: &mut Lambda, call: &Call) -> Result<Done, ApiError> {
    let input = Input(&call.input);
    let reference = input.reference()?;
    let name = &reference.name;
    let mut recorded = None;
    let answer: Answer = match call.operation {
        "CreateFunction" => {
            recorded = Some("CreateFunction20150331");
            lambda.create_function(
                name,
                input.package("Code")?,
                input.structure("CapacityProviderConfig"),
                input.publish()?,
            )
        }
        "UpdateFunctionCode" => {
            recorded = Some("UpdateFunctionCode20150331v2");
            let code = input.package("")?;
            if input.flag("DryRun") {
                lambda.get_configuration(&reference)
            } else {
                lambda.update_code(name, code, input.publish()?)
            }
        }
        "UpdateFunctionConfiguration" => {
            recorded = Some("UpdateFunctionConfiguration20150331v2");
            lambda.update_configuration(name, input.text("Description"))
        }
        "PublishVersion" => {
            recorded = Some("PublishVersion20150331");
            lambda.publish_version(name, input.text("Description"), input.publish_to()?)
        }
        "CreateAlias" => {
            recorded = Some("CreateAlias20150331");
            lambda.create_alias(
                name,
                input.required("Name")?,
                input.required("FunctionVersion")?,
                input.weights().unwrap_or_default(),
            )
        }
        "UpdateAlias" => {
            recorded = Some("UpdateAlias20150331");
            lambda.update_alias(
                name,
                input.required("Name")?,
                input.text("FunctionVersion"),
                input.weights(),
            )
        }
        "GetFunctionConfiguration" => lambda.get_configuration(&reference),
        "GetFunction" => lambda
            .get_configuration(&reference)
            .map(|configuration| json!({ "Configuration": configuration })),
        "DeleteFunction" => lambda.delete_function(&reference).map(|()| Value::Null),
        "ListVersionsByFunction" => {
            let page = input
                .text("MaxItems")
                .and_then(|text| text.parse().ok())
                .unwrap_or(VERSIONS_PAGE);
            lambda.list_versions(name, input.text("Marker"), page.clamp(1, VERSIONS_PAGE))
        }
        "ListAliases" => lambda.list_aliases(name),
        "GetAlias" => lambda.get_alias(name, input.required("Name")?),
        "DeleteAlias" => lambda
            .delete_alias(name, input.required("Name")?)
            .map(|()| Value::Null),
        "AddPermission" => {
            let statement = Permission {
                id: input.required("StatementId")?,
                action: input.required("Action")?,
                principal: input.required("Principal")?,
                source_account: input.text("SourceAccount"),
                source_arn: input.text("SourceArn"),
            };
            lambda.add_permission(&reference, &statement)
        }
        "GetPolicy" => lambda.get_policy(&reference),
        "RemovePermission" => lambda
            .remove_permission(&reference, input.required("StatementId")?)
            .map(|()| Value::Null),
        other => unreachable!("{other} is routed and not handled"),
    };
    Ok(Done {
        answer: answer?,
        recorded: recorded.map(|event_name| (reference.name, event_name)),
    })
}

struct Input<'a>(&'a Value);

impl<'a> Input<'a> {
    fn text(&self, name: &str) -> Option<&'a str> {
        self.0[name].as_str()
    }

    fn required(&self, name: &str) -> Result<&'a str, ApiError> {
        self.text(name).ok_or_else(|| {
            ApiError::new(
                "InvalidParameterValueException",
                format!("{name} is missing."),
            )
        })
    }

    fn flag(&self, name: &str) -> bool {
        self.0[name].as_bool().unwrap_or(false)
    }

    fn structure(&self, name: &str) -> Option<Value> {
        Some(self.0[name].clone()).filter(Value::is_object)
    }

    /// Whether to publish, and under which version.
    fn publish(&self) -> Result<Option<Publish>, ApiError> {
        let publish = self.publish_to()?;
        Ok(self.flag("Publish").then_some(publish))
    }

    fn publish_to(&self) -> Result<Publish, ApiError> {
        match self.text("PublishTo") {
            None => Ok(Publish::Version),
            Some("LATEST_PUBLISHED") => Ok(Publish::LatestPublished),
            Some(other) => Err(ApiError::new(
                "ValidationException",
                format!(
                    "1 validation error detected: Value '{other}' at 'publishTo' failed to satisfy \
                     constraint: Member must satisfy enum value set: [LATEST_PUBLISHED]"
                ),
            )),
        }
    }

    fn reference(&self) -> Result<Reference, ApiError> {
        let text = self.required("FunctionName")?;
        let mut reference = Reference::parse(text).ok_or_else(|| {
            ApiError::new(
                "ValidationException",
                format!("{text} is not a function's name."),
            )
        })?;
        if let Some(qualifier) = self.text("Qualifier") {
            reference.qualifier = Some(qualifier.to_owned());
        }
        Ok(reference)
    }

    /// The deployment package: `ZipFile`, at the top or in a structure.
    fn package(&self, structure: &str) -> Result<Code, ApiError> {
        let holder = if structure.is_empty() {
            self.0
        } else {
            &self.0[structure]
        };
        let bytes = holder["ZipFile"]
            .as_str()
            .and_then(|text| BASE64_STANDARD.decode(text).ok());
        match bytes {
            Some(bytes) => Ok(Code::package(&bytes)),
            None => Err(ApiError::new(
                "InvalidParameterValueException",
                "ZipFile must be the deployment package, in Base64.",
            )),
        }
    }

    fn weights(&self) -> Option<BTreeMap<String, f64>> {
        let routing = self.0["RoutingConfig"].as_object()?;
        let weights = routing
            .get("AdditionalVersionWeights")
            .and_then(Value::as_object);
        Some(
            weights
                .into_iter()
                .flatten()
                .filter_map(|(version, weight)| Some((version.clone(), weight.as_f64()?)))
                .collect(),
        )
    }
}
