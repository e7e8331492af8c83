//! AppFlow's API for custom connectors: register, update, describe, list, and unregister them.

use std::cell::Cell;
use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, SystemTime};

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use serde_json::{Value, json};

use crate::answer::{Answer, ApiError};
use crate::clock::Clock;
use crate::constraints::{ARN, CLIENT_TOKEN, DESCRIPTION, LABEL, Members, NEXT_TOKEN};
use crate::lambda::{Lambda, Refusal};
use crate::place::{ACCOUNT, PARTITION, REGION};

/// How long a client token is remembered (UpdateConnectorRegistration, `clientToken`).
const TOKEN_LIFE: Duration = Duration::from_secs(8 * 60 * 60);
/// How many connectors can be registered here. AWS's quota is not published; this one is large enough
/// for load tests.
const QUOTA: usize = 2000;
/// The page size of ListConnectors without `maxResults`.
const DEFAULT_PAGE: i64 = 20;
/// Some of AppFlow's own connectors, which ListConnectors lists too.
const OWN_CONNECTORS: [&str; 7] = [
    "EventBridge",
    "Marketo",
    "S3",
    "Salesforce",
    "Servicenow",
    "Slack",
    "Zendesk",
];

/// Connectors with a label that AWS itself provides: one that DescribeConnector knows, and one that it does
/// not.
const AWS_CONNECTORS: [&str; 2] = ["GitHub", "HubSpot"];

/// The operations that read a function's configuration and store it.
const STORING: [&str; 2] = ["RegisterConnector", "UpdateConnectorRegistration"];

/// The state of AppFlow in one account and Region.
#[derive(Default)]
pub struct AppFlow {
    registrations: BTreeMap<String, Registration>,
    tokens: HashMap<Token, UsedToken>,
    /// What was read and is stored later, by the calls' numbers.
    read: BTreeMap<u64, Read>,
    /// By how much the clock for tokens was advanced.
    skipped: Duration,
    pub(crate) clock: Clock,
    /// Whether ListConnectors lists connectors with a label that AWS itself provides.
    lists_aws_connectors: bool,
    /// How often lists were shuffled, if they are.
    shuffles: Option<Cell<usize>>,
}

/// A registered connector.
#[derive(Clone, Debug, PartialEq)]
pub struct Registration {
    /// The function's ARN, as it was registered.
    pub lambda_arn: String,
    /// The description, if it was given one.
    pub description: Option<String>,
    /// What the function returned when AppFlow last invoked it.
    pub configuration: Value,
    registered_at: f64,
}

/// What a RegisterConnector or UpdateConnectorRegistration call stores.
struct Read {
    label: String,
    lambda_arn: String,
    description: Option<String>,
    configuration: Value,
    registers: bool,
    input: Value,
    token: Option<Token>,
}

/// The first half of a call that stores something.
enum Progress {
    /// Its client token was used for the same call before, with this response.
    Repeated(Value),
    /// The function's configuration was read.
    Read(Read),
}

/// An operation, and its client token.
type Token = (String, String);

struct UsedToken {
    at: SystemTime,
    input: Value,
    answer: Value,
}

impl AppFlow {
    /// A registration by its label.
    pub fn registration(&self, label: &str) -> Option<&Registration> {
        self.registrations.get(label)
    }

    /// All registrations by their labels.
    pub fn registrations(&self) -> &BTreeMap<String, Registration> {
        &self.registrations
    }

    /// Gives a connector a description that no request could set.
    pub fn describe_as(&mut self, label: &str, description: &str) {
        if let Some(registration) = self.registrations.get_mut(label) {
            registration.description = Some(description.to_owned());
        }
    }

    /// From now on, ListConnectors lists connectors of type `CustomConnector` that AWS itself provides, as
    /// public output shows them. DescribeConnector knows one of them, which has no function, and not the
    /// other.
    pub fn list_aws_connectors(&mut self) {
        self.lists_aws_connectors = true;
    }

    /// From now on, each description has its lists in another order.
    pub fn shuffle_lists(&mut self) {
        self.shuffles = Some(Cell::default());
    }

    /// Advances the clock for client tokens.
    pub fn pass(&mut self, time: Duration) {
        self.skipped += time;
    }

    /// Handles one call. `None` for an unknown operation.
    pub fn call(&mut self, operation: &str, input: &Value, lambda: &mut Lambda) -> Option<Answer> {
        Some(match operation {
            operation if STORING.contains(&operation) => self
                .progress(operation, input, lambda)
                .and_then(|progress| match progress {
                    Progress::Repeated(answer) => Ok(answer),
                    Progress::Read(read) => self.keep(read),
                }),
            "DescribeConnector" => self.describe(input),
            "ListConnectors" => self.list(input),
            "UnregisterConnector" => self.unregister(input),
            _ => return None,
        })
    }

    /// The first half of RegisterConnector or UpdateConnectorRegistration: reads the function's
    /// configuration, which [`store`](Self::store) then stores by the call's number. Returns the
    /// response of any other call, and of one whose client token says that it is done.
    pub fn begin(
        &mut self,
        number: u64,
        operation: &str,
        input: &Value,
        lambda: &mut Lambda,
    ) -> Option<Answer> {
        if !STORING.contains(&operation) {
            return self.call(operation, input, lambda);
        }
        match self.progress(operation, input, lambda) {
            Ok(Progress::Repeated(answer)) => Some(Ok(answer)),
            Ok(Progress::Read(read)) => {
                self.read.insert(number, read);
                None
            }
            Err(error) => Some(Err(error)),
        }
    }

    /// The second half: stores what was read, and returns the response.
    pub fn store(&mut self, number: u64) -> Answer {
        match self.read.remove(&number) {
            Some(read) => self.keep(read),
            // Everything was reset since.
            None => Err(ApiError::new(
                "InternalServerException",
                "Nothing was read.",
            )),
        }
    }

    /// Honors the client token: a repeated call has the same response and does nothing. The same token
    /// with other parameters, or of a call that is still in progress, is rejected. A call that failed
    /// leaves its token unused: what AppFlow does there is not documented.
    fn progress(
        &mut self,
        operation: &str,
        input: &Value,
        lambda: &mut Lambda,
    ) -> Result<Progress, ApiError> {
        let token = Members::of(input)?.text("clientToken", &CLIENT_TOKEN)?;
        let token = token.map(|token| (operation.to_owned(), token.to_owned()));
        let now = self.now();
        self.tokens.retain(|_, used| now < used.at + TOKEN_LIFE);
        if let Some(used) = token.as_ref().and_then(|token| self.tokens.get(token)) {
            if used.input == *input {
                return Ok(Progress::Repeated(used.answer.clone()));
            }
            return Err(ApiError::new(
                "ConflictException",
                "The clientToken was used with other parameters in the last 8 hours.",
            ));
        }
        if token.is_some() && self.read.values().any(|read| read.token == token) {
            return Err(ApiError::new(
                "ConflictException",
                "A call with this clientToken is in progress.",
            ));
        }
        let mut read = if operation == "RegisterConnector" {
            self.register(input, lambda)?
        } else {
            self.update(input, lambda)?
        };
        read.token = token;
        Ok(Progress::Read(read))
    }

    fn register(&self, input: &Value, lambda: &mut Lambda) -> Result<Read, ApiError> {
        let members = Members::of(input)?;
        let label = members.required_text("connectorLabel", &LABEL)?;
        let description = members.text("description", &DESCRIPTION)?;
        members.required_choice("connectorProvisioningType", &["LAMBDA"])?;
        let arn = members
            .required_structure("connectorProvisioningConfig")?
            .required_structure("lambda")?
            .required_text("lambdaArn", &ARN)?;
        self.room_for(label)?;
        Ok(Read {
            label: label.to_owned(),
            lambda_arn: arn.to_owned(),
            description: description.map(str::to_owned),
            configuration: configuration(lambda, arn)?,
            registers: true,
            input: input.clone(),
            token: None,
        })
    }

    fn room_for(&self, label: &str) -> Result<(), ApiError> {
        if self.registrations.contains_key(label) {
            return Err(ApiError::new(
                "ConflictException",
                format!("A connector with the label {label} is registered already."),
            ));
        }
        if self.registrations.len() >= QUOTA {
            return Err(ApiError::new(
                "ServiceQuotaExceededException",
                format!("The account has {QUOTA} custom connectors, which is its quota."),
            ));
        }
        Ok(())
    }

    fn update(&self, input: &Value, lambda: &mut Lambda) -> Result<Read, ApiError> {
        let members = Members::of(input)?;
        let label = members.required_text("connectorLabel", &LABEL)?;
        let description = members.text("description", &DESCRIPTION)?;
        let arn = match members.structure("connectorProvisioningConfig")? {
            None => None,
            Some(provisioning) => match provisioning.structure("lambda")? {
                None => None,
                Some(lambda) => Some(lambda.required_text("lambdaArn", &ARN)?),
            },
        };
        let registration = self
            .registration(label)
            .ok_or_else(|| not_registered(label))?;
        let arn = arn.unwrap_or(&registration.lambda_arn);
        Ok(Read {
            label: label.to_owned(),
            lambda_arn: arn.to_owned(),
            description: description.map(str::to_owned),
            configuration: configuration(lambda, arn)?,
            registers: false,
            input: input.clone(),
            token: None,
        })
    }

    /// Stores what was read, if the connector still exists, or can still be registered.
    fn keep(&mut self, read: Read) -> Answer {
        let label = &read.label;
        let answer = json!({ "connectorArn": connector_arn(label) });
        if read.registers {
            self.room_for(label)?;
            let registration = Registration {
                lambda_arn: read.lambda_arn,
                description: read.description,
                configuration: read.configuration,
                registered_at: registered_at(self.clock.now()),
            };
            self.registrations.insert(read.label, registration);
        } else {
            let registration = self
                .registrations
                .get_mut(label)
                .ok_or_else(|| not_registered(label))?;
            registration.lambda_arn = read.lambda_arn;
            registration.configuration = read.configuration;
            if read.description.is_some() {
                registration.description = read.description;
            }
        }
        if let Some(token) = read.token {
            let used = UsedToken {
                at: self.now(),
                input: read.input,
                answer: answer.clone(),
            };
            self.tokens.insert(token, used);
        }
        Ok(answer)
    }

    /// The clock for client tokens.
    fn now(&self) -> SystemTime {
        self.clock.now() + self.skipped
    }

    fn describe(&self, input: &Value) -> Answer {
        let members = Members::of(input)?;
        let label = members.text("connectorLabel", &LABEL)?;
        let mut types = OWN_CONNECTORS.to_vec();
        types.push("CustomConnector");
        let connector_type = members.required_choice("connectorType", &types)?;
        if connector_type != "CustomConnector" {
            return Ok(json!({ "connectorConfiguration": {
                "connectorType": connector_type,
                "connectorName": connector_type,
                "canUseAsSource": true,
            }}));
        }
        let Some(label) = label else {
            return Err(ApiError::new(
                "ValidationException",
                "connectorLabel is required for connectorType CustomConnector.",
            ));
        };
        if self.lists_aws_connectors && label == AWS_CONNECTORS[0] {
            return Ok(json!({ "connectorConfiguration": {
                "connectorType": "CUSTOMCONNECTOR",
                "connectorLabel": label,
                "connectorName": label,
                "connectorOwner": "AWS",
                "canUseAsSource": true,
            }}));
        }
        let registration = self
            .registration(label)
            .ok_or_else(|| not_registered(label))?;
        let mut configuration = registration.configuration.clone();
        if let Some(shuffles) = &self.shuffles {
            shuffles.update(|shuffles| shuffles + 1);
            rotate(&mut configuration, shuffles.get());
        }
        // As recorded: the enumerations are not spelled as in the API model.
        let own = json!({
            "connectorType": "CUSTOMCONNECTOR",
            "connectorLabel": label,
            "connectorDescription": registration.described(),
            "connectorArn": null,
            "connectorProvisioningType": "Lambda",
            "connectorProvisioningConfig": { "lambda": { "lambdaArn": registration.lambda_arn } },
            "registeredAt": registration.registered_at,
            "registeredBy": "CUSTOM",
        });
        if let (Some(configuration), Value::Object(own)) = (configuration.as_object_mut(), own) {
            configuration.extend(own);
        }
        Ok(json!({ "connectorConfiguration": configuration }))
    }

    fn list(&self, input: &Value) -> Answer {
        let members = Members::of(input)?;
        let page = members
            .number("maxResults", 1, 100)?
            .unwrap_or(DEFAULT_PAGE) as usize;
        // The token is the last name of the previous page, so that no connector is repeated or left
        // out when others are registered or unregistered between pages.
        let after = members
            .text("nextToken", &NEXT_TOKEN)?
            .map(|token| {
                BASE64_URL_SAFE_NO_PAD
                    .decode(token)
                    .ok()
                    .and_then(|bytes| String::from_utf8(bytes).ok())
                    .ok_or_else(|| ApiError::new("ValidationException", "Invalid nextToken."))
            })
            .transpose()?;

        let own = OWN_CONNECTORS.iter().map(|name| {
            let connector = json!({
                "connectorName": name,
                "connectorType": name,
                "connectorOwner": "AWS",
            });
            ((*name).to_owned(), connector)
        });
        let custom = self.registrations.iter().map(|(label, registration)| {
            let connector = json!({
                "connectorLabel": label,
                "connectorName": registration.configuration["connectorName"],
                "connectorOwner": registration.configuration["connectorOwner"],
                "connectorVersion": registration.configuration["connectorVersion"],
                "connectorModes": registration.configuration["connectorModes"],
                "connectorDescription": registration.described(),
                "connectorType": "CUSTOMCONNECTOR",
                "connectorProvisioningType": "Lambda",
                "registeredAt": registration.registered_at,
            });
            (label.clone(), connector)
        });
        let of_aws = AWS_CONNECTORS.iter().filter(|_| self.lists_aws_connectors);
        let of_aws = of_aws.map(|label| {
            let connector = json!({
                "connectorLabel": label,
                "connectorName": label,
                "connectorOwner": "AWS",
                "connectorType": "CUSTOMCONNECTOR",
            });
            ((*label).to_owned(), connector)
        });
        let mut rest: Vec<(String, Value)> = own
            .chain(custom)
            .chain(of_aws)
            .filter(|(name, _)| after.as_ref().is_none_or(|after| name > after))
            .collect();
        rest.sort_by(|(a, _), (b, _)| a.cmp(b));
        let more = rest.len() > page;
        rest.truncate(page);
        let next = rest
            .last()
            .filter(|_| more)
            .map(|(name, _)| BASE64_URL_SAFE_NO_PAD.encode(name));
        let connectors: Vec<Value> = rest.into_iter().map(|(_, connector)| connector).collect();
        Ok(json!({ "connectors": connectors, "nextToken": next }))
    }

    fn unregister(&mut self, input: &Value) -> Answer {
        let label = Members::of(input)?.required_text("connectorLabel", &LABEL)?;
        match self.registrations.remove(label) {
            Some(_) => Ok(json!({})),
            None => Err(not_registered(label)),
        }
    }
}

impl Registration {
    /// Its description, or else its connector's name.
    fn described(&self) -> Value {
        match &self.description {
            Some(description) => description.as_str().into(),
            None => self.configuration["connectorName"].clone(),
        }
    }
}

/// Rotates every list by this many items.
fn rotate(value: &mut Value, by: usize) {
    match value {
        Value::Array(items) if !items.is_empty() => {
            let by = by % items.len();
            items.rotate_left(by);
            items.iter_mut().for_each(|item| rotate(item, by));
        }
        Value::Object(members) => members.values_mut().for_each(|member| rotate(member, by)),
        _ => {}
    }
}

/// A time in whole seconds, as AppFlow writes it.
fn registered_at(time: SystemTime) -> f64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    since.unwrap_or_default().as_secs() as f64
}

/// Invokes the function for its configuration, as AppFlow does when a connector is registered or
/// updated. Which errors AppFlow returns if that fails is an assumption.
fn configuration(lambda: &mut Lambda, arn: &str) -> Answer {
    let source = format!("arn:{PARTITION}:appflow:{REGION}:{ACCOUNT}:connector");
    lambda
        .describe_connector(arn, "appflow.amazonaws.com", ACCOUNT, &source)
        .map_err(|refusal| match refusal {
            Refusal::NoFunction(message) => ApiError::new("ResourceNotFoundException", message),
            Refusal::NotAllowed(message) => ApiError::new("AccessDeniedException", message),
            Refusal::NotNow(message) => ApiError::new(
                "ConnectorServerException",
                format!("Error while communicating to connector: {message}"),
            ),
        })
}

fn connector_arn(label: &str) -> String {
    format!("arn:{PARTITION}:appflow:{REGION}:{ACCOUNT}:connector/{label}")
}

fn not_registered(label: &str) -> ApiError {
    ApiError::new(
        "ResourceNotFoundException",
        format!("There is no connector with the label {label}."),
    )
}
