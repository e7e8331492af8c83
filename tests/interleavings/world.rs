//! A minimal AWS: one Lambda function, its registrations in AppFlow, and what can happen to them. Times
//! are increasing numbers, and the code of a deployment is its time.

use std::collections::BTreeMap;
use std::fmt;

use connector_updater::model::change::Change;
use connector_updater::model::client_token::ClientToken;
use connector_updater::model::evidence::Configuration;
use connector_updater::model::function_arn::{FunctionArn, Qualifier, Version};
use connector_updater::model::plan::Plan;
use connector_updater::model::readiness::{Found, Look, Readiness};
use connector_updater::model::registration::Registration;
use connector_updater::model::service_error::{ErrorKind, Operation, ServiceError};
use connector_updater::model::versions::Versions;

/// The alias that registrations may follow.
pub const ALIAS: &str = "live";

/// The code of a deployment, by its time.
pub type Code = u8;

/// AppFlow, and Lambda's one function.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct World {
    pub function: Function,
    /// By connector label.
    pub registrations: BTreeMap<String, Registered>,
    /// What AppFlow has read for calls whose response was lost, and has not yet stored.
    pub unclaimed: Vec<Read>,
    /// The client tokens that AppFlow has seen, each with what was sent, and the deployment whose event
    /// was its cause.
    tokens: Vec<(ClientToken, Sent, u8)>,
    now: Code,
}

/// A Lambda function.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Function {
    /// How often it was deleted and recreated.
    pub generation: u8,
    latest: Code,
    /// The code that still runs while the function is being updated.
    before: Option<Code>,
    versions: BTreeMap<Version, Code>,
    /// The version that is still `Pending`.
    pending: Option<Version>,
    alias: Version,
}

/// What AppFlow holds of a connector.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Registered {
    pub arn: FunctionArn,
    pub description: String,
    pub code: Code,
}

/// The parameters of an update except its token: the label, the ARN, and the description.
type Sent = (String, FunctionArn, Option<String>);

/// An update whose configuration AppFlow has read and not yet stored.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Read {
    cause: u8,
    plan: Plan,
    code: Code,
}

impl Read {
    /// The registration that it is of.
    pub fn label(&self) -> &str {
        self.plan.label.as_str()
    }
}

impl World {
    /// A function with this many versions, whose alias points at the first one.
    pub fn new(versions: u64, registrations: &[(&str, &str)]) -> Self {
        let mut world = Self {
            function: Function {
                generation: 0,
                latest: 0,
                before: None,
                versions: BTreeMap::new(),
                pending: None,
                alias: Version::MIN,
            },
            registrations: BTreeMap::new(),
            unclaimed: Vec::new(),
            tokens: Vec::new(),
            now: 0,
        };
        for _ in 0..versions {
            world.publish();
        }
        world.settle();
        for (label, qualifier) in registrations {
            let arn: FunctionArn = format!("{}{qualifier}", arn()).parse().unwrap();
            let code = world.answers(&arn).expect("a function that answers");
            let description = "first".to_owned();
            world.registrations.insert(
                (*label).to_owned(),
                Registered {
                    arn,
                    description,
                    code,
                },
            );
        }
        world
    }

    fn tick(&mut self) -> Code {
        self.now += 1;
        self.now
    }

    // Deployments.

    /// UpdateFunctionCode. The old code runs until the update is complete.
    pub fn change_latest(&mut self) -> Change {
        let code = self.tick();
        self.function.before = Some(self.function.latest);
        self.function.latest = code;
        Change::LatestChanged
    }

    /// UpdateFunctionCode with `publish`.
    pub fn publish(&mut self) -> Change {
        self.change_latest();
        let function = &mut self.function;
        let newest = function.versions.keys().last();
        let version = newest.map_or(Version::MIN, |newest| newest.saturating_add(1));
        function.versions.insert(version, function.latest);
        function.pending = Some(version);
        Change::Published(Some(version))
    }

    /// UpdateAlias: to the newest version.
    pub fn move_alias(&mut self) -> Option<Change> {
        let newest = *self.function.versions.keys().last()?;
        (newest != self.function.alias && self.function.pending.is_none()).then(|| {
            self.function.alias = newest;
            Change::AliasMoved {
                alias: ALIAS.to_owned(),
                shifting: false,
            }
        })
    }

    /// DeleteFunction, and CreateFunction with `publish`: its versions are numbered from 1 again.
    pub fn recreate(&mut self) -> Change {
        let code = self.tick();
        self.function = Function {
            generation: self.function.generation + 1,
            latest: code,
            before: None,
            versions: [(Version::MIN, code)].into(),
            pending: Some(Version::MIN),
            alias: Version::MIN,
        };
        Change::Published(Some(Version::MIN))
    }

    /// Whether a deployment is in progress: Lambda rejects others in the meantime.
    pub fn is_settling(&self) -> bool {
        self.function.before.is_some() || self.function.pending.is_some()
    }

    /// Completes the deployment in progress.
    pub fn settle(&mut self) {
        self.function.before = None;
        self.function.pending = None;
    }

    /// Whether a version of this generation exists.
    pub fn has(&self, generation: u8, version: Version) -> bool {
        self.function.generation == generation && self.function.versions.contains_key(&version)
    }

    // Lambda.

    fn version(&self, arn: &FunctionArn) -> Result<Option<Version>, ServiceError> {
        let version = match arn.qualifier() {
            Some(Qualifier::Version(version)) => *version,
            Some(Qualifier::Alias(_)) => self.function.alias,
            _ => return Ok(None),
        };
        if self.function.versions.contains_key(&version) {
            Ok(Some(version))
        } else {
            Err(error(
                Operation::GetFunctionConfiguration,
                ErrorKind::NotFound,
            ))
        }
    }

    /// GetFunctionConfiguration.
    pub fn look(&self, arn: &FunctionArn) -> Result<Look, ServiceError> {
        let (version, code, readiness) = match self.version(arn)? {
            Some(version) => {
                let pending = self.function.pending == Some(version);
                let readiness = if pending {
                    Readiness::NotYet("its State is Pending".to_owned())
                } else {
                    Readiness::Ready
                };
                let code = self.function.versions[&version];
                (version.to_string(), code, readiness)
            }
            None => {
                let readiness = match self.function.before {
                    Some(_) => Readiness::NotYet("its LastUpdateStatus is InProgress".to_owned()),
                    None => Readiness::Ready,
                };
                ("$LATEST".to_owned(), self.function.latest, readiness)
            }
        };
        let found = Found {
            version,
            code_sha256: format!("code {code}"),
            last_modified: format!("at {code}"),
        };
        Ok(Look { readiness, found })
    }

    /// ListVersionsByFunction.
    pub fn versions(&self) -> Versions {
        let mut versions = Versions::default();
        for (version, code) in &self.function.versions {
            versions.add(*version, &format!("code {code}"));
        }
        versions
    }

    /// What an invocation of this ARN by AppFlow returns.
    pub fn answers(&self, arn: &FunctionArn) -> Result<Code, ErrorKind> {
        match self.version(arn) {
            Err(_) => Err(ErrorKind::NotFound),
            Ok(None) => Ok(self.function.before.unwrap_or(self.function.latest)),
            Ok(Some(version)) if self.function.pending == Some(version) => {
                Err(ErrorKind::ConnectorServer)
            }
            Ok(Some(version)) => Ok(self.function.versions[&version]),
        }
    }

    // AppFlow.

    /// DescribeConnector.
    pub fn describe(&self, label: &str) -> Registration {
        let registered = &self.registrations[label];
        let code = [("connectorVersion".to_owned(), u64::from(registered.code))];
        Registration {
            function_arn: registered.arn.clone(),
            source: None,
            description: Some(registered.description.clone()),
            configuration: Configuration::new(Some(registered.code.to_string()), code.into_iter()),
        }
    }

    /// The first half of UpdateConnectorRegistration: what to store, or `None` for a call that was done
    /// before. `in_progress` are the calls that AppFlow has not yet stored.
    pub fn read<'a>(
        &self,
        cause: u8,
        plan: &Plan,
        mut in_progress: impl Iterator<Item = &'a Read>,
    ) -> Result<Option<Read>, ServiceError> {
        let refused = |kind| Err(error(Operation::UpdateConnectorRegistration, kind));
        let mut seen = self.tokens.iter();
        if let Some((_, before, _)) = seen.find(|(token, ..)| *token == plan.token) {
            // The same token for another call is a bug in the updater.
            return if *before == sent(plan) {
                Ok(None)
            } else {
                refused(ErrorKind::Invalid)
            };
        }
        let mut unstored = self.unclaimed.iter();
        if in_progress.any(|read| read.plan.token == plan.token)
            || unstored.any(|read| read.plan.token == plan.token)
        {
            return refused(ErrorKind::Conflict);
        }
        match self.answers(&plan.target) {
            Ok(code) => Ok(Some(Read {
                cause,
                plan: plan.clone(),
                code,
            })),
            Err(kind) => refused(kind),
        }
    }

    /// The second half.
    pub fn store(&mut self, read: Read) {
        let Read { cause, plan, code } = read;
        self.tokens.push((plan.token.clone(), sent(&plan), cause));
        let label = plan.label.as_str();
        let registered = self.registrations.get_mut(label).expect("it is registered");
        registered.arn = plan.target;
        registered.code = code;
        if let Some(description) = plan.description {
            registered.description = description.to_string();
        }
    }

    /// Whether something that was read because of this event is still in `unclaimed`.
    pub fn is_storing(&self, cause: u8) -> bool {
        self.unclaimed.iter().any(|read| read.cause == cause)
    }

    /// Forgets the tokens of an event, which no call will have again.
    pub fn forget_tokens(&mut self, cause: u8) {
        self.tokens.retain(|(.., of)| *of != cause);
    }

    /// UpdateConnectorRegistration by an operator: another ARN, or another description.
    pub fn operate(&mut self, label: &str, change: &Operator) -> bool {
        let registered = &self.registrations[label];
        let (arn, description) = match change {
            Operator::Point(qualifier) => {
                let arn = registered.arn.with_qualifier(qualifier.clone());
                (arn, registered.description.clone())
            }
            Operator::Describe => (registered.arn.clone(), "second".to_owned()),
        };
        let Ok(code) = self.answers(&arn) else {
            return false;
        };
        let new = Registered {
            arn,
            description,
            code,
        };
        let changed = self.registrations[label] != new;
        self.registrations.insert(label.to_owned(), new);
        changed
    }
}

/// What an operator does to a registration by hand.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Operator {
    /// Registers it with another qualifier, or none.
    Point(Option<Qualifier>),
    /// Gives it another description.
    Describe,
}

fn sent(plan: &Plan) -> Sent {
    let description = plan.description.as_ref().map(ToString::to_string);
    (plan.label.to_string(), plan.target.clone(), description)
}

/// The function's unqualified ARN.
pub fn arn() -> FunctionArn {
    "arn:aws:lambda:us-east-1:123456789012:function:crm"
        .parse()
        .unwrap()
}

/// An error of a call.
pub fn error(operation: Operation, kind: ErrorKind) -> ServiceError {
    ServiceError {
        operation,
        kind,
        code: None,
        message: String::new(),
        request_id: None,
    }
}

impl fmt::Display for Registered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let qualifier = self.arn.qualifier();
        let qualifier = qualifier.map_or("no qualifier".to_owned(), |qualifier| {
            format!(":{qualifier}")
        });
        write!(
            f,
            "{qualifier}, code {}, description \"{}\"",
            self.code, self.description
        )
    }
}
