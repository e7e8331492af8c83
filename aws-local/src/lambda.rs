//! Lambda: functions with their versions, aliases, states and resource policies, as far as they
//! matter to a connector. Its code is the connector configuration that a function answers with.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use std::time::{Duration, Instant};

use base64::prelude::{BASE64_STANDARD, Engine};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::answer::ApiError;
use crate::place::{ACCOUNT, PARTITION, REGION};

/// The state of Lambda in one Region.
#[derive(Default)]
pub struct Lambda {
    functions: BTreeMap<Name, Function>,
    revisions: u64,
    /// How what is deployed from now on becomes ready.
    settling: Settling,
}

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
    /// A version, an alias or `$LATEST`.
    pub qualifier: Option<String>,
}

/// How long a function that was deployed is `Pending`, or its update `InProgress`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Settling {
    /// It is ready at once.
    #[default]
    AtOnce,
    /// It is ready after GetFunctionConfiguration has shown so many times that it is not.
    AfterLooks(u32),
    /// It is ready after this time.
    After(Duration),
    /// It is never ready.
    Never,
}

/// A function's state.
#[derive(Clone, Debug, PartialEq)]
pub enum State {
    /// `Active`.
    Active,
    /// `Pending`: it cannot be invoked.
    Pending,
    /// `Inactive`: invoking it fails, and wakes it.
    Inactive,
    /// `Failed`, with the reason.
    Failed(String),
    /// A state of a later day.
    Other(String),
}

/// `LastUpdateStatus`.
#[derive(Clone, Debug, PartialEq)]
pub enum LastUpdate {
    /// `Successful`.
    Successful,
    /// `InProgress`: the code before the update still answers.
    InProgress,
    /// `Failed`, with the reason.
    Failed(String),
}

#[derive(Clone, Debug)]
struct Function {
    latest: Deployed,
    versions: BTreeMap<u64, Deployed>,
    /// Numbers are never given twice in a function's life.
    published: u64,
    aliases: BTreeMap<String, Alias>,
    /// By the qualifier that the statements are for; the empty one is the unqualified function.
    policies: BTreeMap<String, Vec<Value>>,
}

/// The code under one version, or under `$LATEST`.
#[derive(Clone, Debug)]
struct Deployed {
    code: Code,
    /// What answers while an update is in progress.
    before: Option<Code>,
    description: String,
    state: State,
    last_update: LastUpdate,
    settles: Settles,
    modified: String,
    revision: u64,
}

#[derive(Clone, Debug)]
enum Settles {
    Settled,
    AfterLooks(u32),
    At(Instant),
    Never,
}

/// A deployment package: what the connector answers with.
#[derive(Clone, Debug, PartialEq)]
pub struct Code {
    sha256: String,
    size: usize,
    configuration: Value,
}

/// An alias.
#[derive(Clone, Debug, PartialEq)]
pub struct Alias {
    /// The version that it points at, or `$LATEST`.
    pub version: String,
    /// The weight of each further version, for as long as traffic shifts.
    pub weights: BTreeMap<String, f64>,
    description: String,
    revision: u64,
    /// Who answered last while traffic shifts.
    turns: usize,
}

/// Why a function did not answer AppFlow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// There is no such function, version or alias.
    NoFunction(String),
    /// Its resource policy does not let the caller in.
    NotAllowed(String),
    /// It cannot be invoked in the state that it is in.
    NotNow(String),
}

impl Code {
    /// A package: a zip file with a `connector.json` at its top, or that JSON alone. Any other
    /// package makes a connector whose version is named after its bytes.
    pub fn package(bytes: &[u8]) -> Self {
        let sha256 = BASE64_STANDARD.encode(Sha256::digest(bytes));
        let configuration = serde_json::from_slice::<Value>(bytes)
            .ok()
            .or_else(|| serde_json::from_slice(&connector_json(bytes)?).ok())
            .filter(Value::is_object)
            .unwrap_or_else(
                || json!({ "connectorName": "package", "connectorVersion": sha256.get(..8) }),
            );
        Self {
            sha256,
            size: bytes.len(),
            configuration,
        }
    }

    /// A connector of which only the version matters.
    pub fn connector(version: &str) -> Self {
        let configuration = json!({
            "connectorName": "Acme CRM",
            "connectorOwner": "Acme",
            "connectorVersion": version,
            "connectorModes": ["SOURCE"],
            "canUseAsSource": true,
            "canUseAsDestination": false,
            "authenticationConfig": { "isApiKeyAuthSupported": true },
            "supportedApiVersions": ["v1"],
            "supportedOperators": ["PROJECTION", "EQUAL_TO"],
            "supportedTriggerTypes": ["Scheduled", "OnDemand"],
        });
        Self::package(configuration.to_string().as_bytes())
    }
}

/// The connector of a zip file.
fn connector_json(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).ok()?;
    let mut text = Vec::new();
    archive
        .by_name("connector.json")
        .ok()?
        .read_to_end(&mut text)
        .ok()?;
    Some(text)
}

impl Reference {
    /// Reads a `FunctionName`: a bare name, a partial ARN or an ARN, with or without a qualifier.
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

    /// The qualifier under which policies are kept: `$LATEST` shares that of the function.
    fn policy_key(&self) -> String {
        self.qualifier
            .clone()
            .filter(|qualifier| qualifier != "$LATEST")
            .unwrap_or_default()
    }
}

impl Name {
    /// The function's ARN, with a qualifier where one is given.
    pub fn arn(&self, qualifier: Option<&str>) -> String {
        let Self { account, name } = self;
        let arn = format!("arn:{PARTITION}:lambda:{REGION}:{account}:function:{name}");
        match qualifier {
            Some(qualifier) => format!("{arn}:{qualifier}"),
            None => arn,
        }
    }
}

impl Lambda {
    /// How what is deployed from now on becomes ready.
    pub fn settle(&mut self, settling: Settling) {
        self.settling = settling;
    }

    /// Puts a function or version into a state of its own, for good.
    pub fn put_into(
        &mut self,
        reference: &Reference,
        state: State,
        last_update: LastUpdate,
    ) -> Result<(), ApiError> {
        let deployed = self.deployed_mut(reference)?;
        deployed.state = state;
        deployed.last_update = last_update;
        deployed.settles = Settles::Never;
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

    /// What a function, version or alias would answer now if it were ready and let anybody in.
    pub fn configuration(&self, arn: &str) -> Option<&Value> {
        let reference = Reference::parse(arn)?;
        let function = self.functions.get(&reference.name)?;
        let version = match reference.qualifier.as_deref() {
            Some(alias) if function.aliases.contains_key(alias) => {
                function.aliases[alias].version.as_str()
            }
            other => other.unwrap_or("$LATEST"),
        };
        function
            .deployed(version)
            .map(|deployed| &deployed.code.configuration)
    }

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
        let revision = self.next_revision();
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
            revision,
            ..latest.clone()
        };
        function.published += 1;
        let version = function.published;
        function.versions.insert(version, published);
        self.describe(name, &version.to_string(), None)
    }

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

    /// UpdateAlias. What is `None` stays as it is.
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

    /// DeleteAlias, which succeeds for one that is not there.
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

    /// GetFunctionConfiguration: one look at a function, a version or the version of an alias.
    pub fn get_configuration(&mut self, reference: &Reference) -> Result<Value, ApiError> {
        let version = self.version_of(reference)?;
        let alias = reference
            .qualifier
            .as_deref()
            .filter(|text| *text != version);
        let name = &reference.name;
        let answer = self.describe(name, &version, alias)?;
        let function = self.function_mut(name)?;
        if let Some(deployed) = function.deployed_mut(&version) {
            deployed.look();
        }
        Ok(answer)
    }

    /// ListVersionsByFunction: `$LATEST`, then the versions from the lowest up.
    pub fn list_versions(
        &mut self,
        name: &Name,
        marker: Option<&str>,
        page: usize,
    ) -> Result<Value, ApiError> {
        let mut versions = vec!["$LATEST".to_owned()];
        let function = self.function_mut(name)?;
        versions.extend(function.versions.keys().map(ToString::to_string));
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

    /// What a function answers to a service's DescribeConnectorConfigurationRequest at this moment:
    /// the old configuration while an update is in progress, nothing while it is `Pending`, and
    /// nothing without a statement for this very ARN.
    pub fn describe_connector(
        &mut self,
        arn: &str,
        principal: &str,
        source_account: &str,
        source_arn: &str,
    ) -> Result<Value, Refusal> {
        let reference = Reference::parse(arn)
            .ok_or_else(|| Refusal::NoFunction(format!("{arn} is not a function.")))?;
        let gone = || Refusal::NoFunction(format!("There is no function {arn}."));
        let key = reference.policy_key();
        let function = self.functions.get_mut(&reference.name).ok_or_else(gone)?;
        let version = function
            .turn(reference.qualifier.as_deref().unwrap_or("$LATEST"))
            .ok_or_else(gone)?;
        let allowed = function.policies.get(&key).is_some_and(|statements| {
            statements
                .iter()
                .any(|statement| allows(statement, principal, source_account, source_arn))
        });
        if !allowed {
            return Err(Refusal::NotAllowed(format!(
                "{principal} is not authorized to perform: lambda:InvokeFunction on resource: {arn}"
            )));
        }
        let deployed = function.deployed_mut(&version).ok_or_else(gone)?;
        deployed.settle_by_time();
        match (&deployed.state, &deployed.last_update) {
            (State::Inactive, _) => {
                deployed.state = State::Pending;
                deployed.settles = Settles::AfterLooks(1);
                Err(Refusal::NotNow(format!(
                    "{arn} is Inactive and is being woken."
                )))
            }
            (State::Active, LastUpdate::InProgress) => {
                let answers = deployed.before.as_ref().unwrap_or(&deployed.code);
                Ok(answers.configuration.clone())
            }
            (State::Active, _) => Ok(deployed.code.configuration.clone()),
            (state, _) => Err(Refusal::NotNow(format!(
                "{arn} cannot be invoked: its state is {}.",
                state.name()
            ))),
        }
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
            modified: jiff::Timestamp::now()
                .strftime("%Y-%m-%dT%H:%M:%S.000+0000")
                .to_string(),
            revision: self.next_revision(),
        }
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

    /// The version that a reference comes to, if it exists.
    fn version_of(&mut self, reference: &Reference) -> Result<String, ApiError> {
        let function = self.function_mut(&reference.name)?;
        let qualifier = reference.qualifier.as_deref().unwrap_or("$LATEST");
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

    /// A version as Lambda describes it, under its own ARN or an alias's.
    fn describe(
        &mut self,
        name: &Name,
        version: &str,
        alias: Option<&str>,
    ) -> Result<Value, ApiError> {
        let function = self.function_mut(name)?;
        let deployed = function.deployed_mut(version).ok_or_else(|| {
            not_found(&Reference {
                name: name.clone(),
                qualifier: Some(version.to_owned()),
            })
        })?;
        deployed.settle_by_time();
        let qualifier = alias.or(Some(version).filter(|version| *version != "$LATEST"));
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
        match &deployed.state {
            State::Pending => {
                described["StateReason"] = "The function is being created.".into();
                described["StateReasonCode"] = "Creating".into();
            }
            State::Failed(reason) => {
                described["StateReason"] = reason.as_str().into();
                described["StateReasonCode"] = "InternalError".into();
            }
            State::Active | State::Inactive | State::Other(_) => {}
        }
        if let LastUpdate::Failed(reason) = &deployed.last_update {
            described["LastUpdateStatusReason"] = reason.as_str().into();
            described["LastUpdateStatusReasonCode"] = "InternalError".into();
        }
        Ok(described)
    }
}

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

impl Function {
    fn deployed(&self, version: &str) -> Option<&Deployed> {
        if version == "$LATEST" {
            return Some(&self.latest);
        }
        self.versions.get(&version.parse().ok()?)
    }

    fn deployed_mut(&mut self, version: &str) -> Option<&mut Deployed> {
        if version == "$LATEST" {
            return Some(&mut self.latest);
        }
        self.versions.get_mut(&version.parse().ok()?)
    }

    /// The version that answers an invocation of a qualifier; an alias that shifts traffic lets
    /// its versions answer in turns.
    fn turn(&mut self, qualifier: &str) -> Option<String> {
        let Some(alias) = self.aliases.get_mut(qualifier) else {
            return self.deployed(qualifier).map(|_| qualifier.to_owned());
        };
        let others: Vec<&String> = alias.weights.keys().collect();
        let turn = alias.turns % (others.len() + 1);
        alias.turns += 1;
        // The new version first: what is read during a shift is not what the alias will stay at.
        match others.get(turn) {
            Some(version) => Some((*version).clone()),
            None => Some(alias.version.clone()),
        }
    }
}

impl Deployed {
    /// One look by GetFunctionConfiguration.
    fn look(&mut self) {
        if let Settles::AfterLooks(left) = &mut self.settles {
            *left = left.saturating_sub(1);
            if *left == 0 {
                self.settle();
            }
        }
    }

    fn settle_by_time(&mut self) {
        if matches!(self.settles, Settles::At(at) if Instant::now() >= at) {
            self.settle();
        }
    }

    fn settle(&mut self) {
        self.state = State::Active;
        self.last_update = LastUpdate::Successful;
        self.before = None;
        self.settles = Settles::Settled;
    }
}

impl Settling {
    fn is_at_once(self) -> bool {
        matches!(self, Self::AtOnce | Self::AfterLooks(0))
    }

    fn start(self) -> Settles {
        match self {
            Self::AtOnce | Self::AfterLooks(0) => Settles::Settled,
            Self::AfterLooks(looks) => Settles::AfterLooks(looks),
            Self::After(time) => Settles::At(Instant::now() + time),
            Self::Never => Settles::Never,
        }
    }
}

impl State {
    fn name(&self) -> &str {
        match self {
            Self::Active => "Active",
            Self::Pending => "Pending",
            Self::Inactive => "Inactive",
            Self::Failed(_) => "Failed",
            Self::Other(name) => name,
        }
    }
}

impl LastUpdate {
    fn name(&self) -> &'static str {
        match self {
            Self::Successful => "Successful",
            Self::InProgress => "InProgress",
            Self::Failed(_) => "Failed",
        }
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

/// Whether a statement lets a service in that acts for this account and resource.
fn allows(statement: &Value, principal: &str, account: &str, source_arn: &str) -> bool {
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
