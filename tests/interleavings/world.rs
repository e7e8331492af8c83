//! A minimal AWS: one Lambda function, and its registration in AppFlow.

use std::fmt;

use connector_updater::model::evidence::Configuration;
use connector_updater::model::function_arn::{FunctionArn, Qualifier};
use connector_updater::model::registration::Registration;
use connector_updater::model::service_error::{ErrorKind, Operation, ServiceError};
use connector_updater::model::update::Update;

use crate::lambda::{Code, Function};

/// Which delivery of which event an invocation is of. No two that are under way are of the same one.
pub type Delivery = (u8, u8);

/// AppFlow with one registration, and Lambda with one function.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct World {
    pub function: Function,
    pub registered: Registered,
    /// Updates that AppFlow has read and not yet stored.
    pub unstored: Vec<Unstored>,
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
    /// The first move of the alias whose minute ended after AppFlow had read this.
    due: Option<u8>,
}

impl World {
    /// A function whose connector is registered with this qualifier: it has two versions, or three if it
    /// is registered with the alias, which points at the first one.
    pub fn new(qualifier: &str) -> Self {
        let arn: FunctionArn = format!("{}{qualifier}", arn()).parse().expect("an ARN");
        let function = Function::new(if qualifier == ":live" { 3 } else { 2 });
        let code = function.runs(&arn).expect("a function that answers")[0];
        Self {
            function,
            registered: Registered {
                arn,
                description: "first".to_owned(),
                code,
            },
            unstored: Vec::new(),
        }
    }

    /// DescribeConnector. The configuration is left out: a round compares it only to tell what an update
    /// changed.
    pub fn describe(&self) -> Registration {
        Registration {
            function_arn: self.registered.arn.clone(),
            description: Some(self.registered.description.clone()),
            configuration: Configuration::default(),
        }
    }

    /// The second half of UpdateConnectorRegistration.
    pub fn store(&mut self, read: Unstored) {
        let Unstored { update, code, .. } = read;
        self.registered.arn = update.target;
        self.registered.code = code;
        if let Some(description) = update.description {
            self.registered.description = description.to_string();
        }
        self.forget_moves();
    }

    /// Completes the deployment in progress. Where nobody invokes `$LATEST`, it makes no difference whether
    /// old code runs.
    pub fn settle(&mut self) {
        self.function.settle();
        let is_invoked = match self.registered.arn.qualifier() {
            Some(Qualifier::Version(_)) => false,
            Some(Qualifier::Alias(_)) => self.function.alias_is_latest(),
            _ => true,
        };
        if !is_invoked {
            self.function.end_minute_of_latest();
        }
    }

    /// Ends the oldest minute of the alias.
    pub fn end_minute_of_alias(&mut self) {
        let event = self.function.end_minute_of_alias();
        for unstored in &mut self.unstored {
            unstored.due.get_or_insert(event);
        }
        self.forget_moves();
    }

    /// Forgets the moves of the alias in whose minute nothing was read that is not stored.
    fn forget_moves(&mut self) {
        let due = self.unstored.iter().filter_map(|unstored| unstored.due);
        self.function.forget_moves(due.min());
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
        let Ok(codes) = self.function.runs(&new.arn) else {
            return false;
        };
        new.code = codes[0];
        let is_changed = new != self.registered;
        self.registered = new;
        is_changed
    }
}

impl Unstored {
    /// The first half of UpdateConnectorRegistration: AppFlow reads the configuration, from this code.
    pub fn new(of: Delivery, update: &Update, code: Code) -> Self {
        Self {
            of,
            is_awaited: true,
            update: update.clone(),
            code,
            due: None,
        }
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
