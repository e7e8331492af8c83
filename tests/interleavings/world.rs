//! A minimal AWS: one Lambda function, its registration in AppFlow, and what can happen to them. Times
//! are increasing numbers, and the code of a deployment is its time.

use std::collections::BTreeMap;
use std::fmt;

use connector_updater::model::change::Change;
use connector_updater::model::evidence::Configuration;
use connector_updater::model::function_arn::{FunctionArn, Qualifier, Version, Versions};
use connector_updater::model::function_state::{DeployedCode, FunctionState, Readiness};
use connector_updater::model::registration::Registration;
use connector_updater::model::service_error::{ErrorKind, Operation, ServiceError};
use connector_updater::model::update::Update;

/// The alias that the registration may follow.
pub const ALIAS: &str = "live";

/// The code of a deployment, by its time.
pub type Code = u8;

/// Which delivery of which event an invocation is of. No two that are under way are of the same one.
pub type Delivery = (u8, u8);

/// AppFlow with one registration, and Lambda with one function.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct World {
    pub function: Function,
    pub registered: Registered,
    /// Updates that AppFlow has read and not yet stored.
    pub unstored: Vec<Unstored>,
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

/// What AppFlow holds of the connector.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Registered {
    pub arn: FunctionArn,
    pub description: String,
    pub code: Code,
}

/// An update whose configuration AppFlow has read and not yet stored.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Unstored {
    /// Whose update it is.
    pub of: Delivery,
    /// Whether the invocation still waits for the response.
    pub is_awaited: bool,
    update: Update,
    code: Code,
}

impl World {
    /// A function with two versions, whose alias points at the first one. The connector is registered
    /// with this qualifier.
    pub fn new(qualifier: &str) -> Self {
        let registered: FunctionArn = format!("{}{qualifier}", arn()).parse().expect("an ARN");
        let mut world = Self {
            function: Function {
                generation: 0,
                latest: 0,
                before: None,
                versions: BTreeMap::new(),
                pending: None,
                alias: Version::MIN,
            },
            registered: Registered {
                arn: registered.clone(),
                description: "first".to_owned(),
                code: 0,
            },
            unstored: Vec::new(),
            now: 0,
        };
        world.publish();
        world.publish();
        world.settle();
        world.registered.code = world.answers(&registered).expect("a function that answers");
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
        let newest = self.newest();
        let version = newest.map_or(Version::MIN, |newest| newest.saturating_add(1));
        let function = &mut self.function;
        function.versions.insert(version, function.latest);
        function.pending = Some(version);
        Change::Published(Some(version))
    }

    /// UpdateAlias: to the newest version.
    pub fn move_alias(&mut self) -> Option<Change> {
        let newest = self.newest()?;
        (newest != self.function.alias && self.function.pending.is_none()).then(|| {
            self.function.alias = newest;
            Change::AliasMoved {
                alias: ALIAS.to_owned(),
                split: false,
                asked: None,
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

    /// The newest version.
    pub fn newest(&self) -> Option<Version> {
        self.function.versions.keys().last().copied()
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
    pub fn function(&self, arn: &FunctionArn) -> Result<FunctionState, ServiceError> {
        let (version, code, not_yet) = match self.version(arn)? {
            Some(version) => {
                let is_pending = self.function.pending == Some(version);
                let code = self.function.versions[&version];
                let not_yet = is_pending.then_some("its State is Pending");
                (version.to_string(), code, not_yet)
            }
            None => {
                let is_updating = self.function.before.is_some();
                let not_yet = is_updating.then_some("its LastUpdateStatus is InProgress");
                ("$LATEST".to_owned(), self.function.latest, not_yet)
            }
        };
        let not_yet = not_yet.map(|state| Readiness::NotYet(state.to_owned()));
        Ok(FunctionState {
            readiness: not_yet.unwrap_or(Readiness::Ready),
            code: DeployedCode {
                version,
                code_sha256: format!("code {code}"),
                last_modified: format!("at {code}"),
            },
        })
    }

    /// ListVersionsByFunction.
    pub fn versions(&self) -> Versions {
        self.function.versions.keys().copied().collect()
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

    /// DescribeConnector. The configuration is left out: a round compares it only to tell what an update
    /// changed.
    pub fn describe(&self) -> Registration {
        Registration {
            function_arn: self.registered.arn.clone(),
            description: Some(self.registered.description.clone()),
            configuration: Configuration::default(),
        }
    }

    /// The first half of UpdateConnectorRegistration: what to store.
    pub fn read(&self, of: Delivery, update: &Update) -> Result<Unstored, ServiceError> {
        match self.answers(&update.target) {
            Ok(code) => Ok(Unstored {
                of,
                is_awaited: true,
                update: update.clone(),
                code,
            }),
            Err(kind) => Err(error(Operation::UpdateConnectorRegistration, kind)),
        }
    }

    /// The second half.
    pub fn store(&mut self, read: Unstored) {
        let Unstored { update, code, .. } = read;
        self.registered.arn = update.target;
        self.registered.code = code;
        if let Some(description) = update.description {
            self.registered.description = description.to_string();
        }
    }

    /// Whether AppFlow has not yet stored something that it read for this delivery.
    pub fn is_storing(&self, delivery: Delivery) -> bool {
        self.unstored.iter().any(|unstored| unstored.of == delivery)
    }

    /// UpdateConnectorRegistration by an operator: another ARN, or another description. `false` if AppFlow
    /// refuses, or if nothing changes.
    pub fn operate(&mut self, change: &Operator) -> bool {
        let mut new = self.registered.clone();
        match change {
            Operator::Point(qualifier) => new.arn = new.arn.with_qualifier(qualifier.clone()),
            Operator::Describe => new.description = "second".to_owned(),
        }
        let Ok(code) = self.answers(&new.arn) else {
            return false;
        };
        new.code = code;
        let is_changed = new != self.registered;
        self.registered = new;
        is_changed
    }
}

/// What an operator does to the registration by hand.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Operator {
    /// Registers it with another qualifier, or none.
    Point(Option<Qualifier>),
    /// Gives it another description.
    Describe,
}

/// The function's unqualified ARN.
pub fn arn() -> FunctionArn {
    "arn:aws:lambda:us-east-1:123456789012:function:crm"
        .parse()
        .expect("an ARN")
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

/// How an ARN ends.
pub fn ending(arn: &FunctionArn) -> String {
    let qualifier = arn.qualifier();
    qualifier.map_or("no qualifier".to_owned(), |qualifier| {
        format!(":{qualifier}")
    })
}

impl fmt::Display for Registered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            arn,
            description,
            code,
        } = self;
        write!(
            f,
            "{}, code {code}, description \"{description}\"",
            ending(arn)
        )
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Point(None) => f.write_str("registers it without a qualifier"),
            Self::Point(Some(qualifier)) => write!(f, "registers it with :{qualifier}"),
            Self::Describe => f.write_str("describes it"),
        }
    }
}
