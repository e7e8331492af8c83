//! AWS on this machine, with as many connectors as a measurement asks for.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use aws_local::AwsLocal;
use aws_local::answer::ApiError;
use aws_local::place::function_arn;
use aws_local::tls::{Authority, Tls};
use base64::prelude::{BASE64_STANDARD, Engine};
use serde_json::{Value, json};

/// Where systems keep the authorities that they trust.
const ROOTS: [&str; 3] = [
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/ssl/cert.pem",
];
/// The function that is deployed.
const DEPLOYED: &str = "function-0";

/// AWS on this machine.
pub struct World {
    /// The services and the Runtime API.
    pub aws: AwsLocal,
    /// AppFlow and Lambda behind TLS.
    pub tls: Tls,
    /// A file with the system's authorities and the run's: reading them all is part of the start of a client
    /// that trusts the system's.
    pub system_roots: String,
    deployed: u32,
}

impl World {
    /// So many registrations, each of its own function.
    pub fn new(registrations: usize, authority: &Authority, folder: &Path) -> io::Result<Self> {
        let aws = AwsLocal::start(0)?;
        // Older than the minute that connector-updater would wait after a change.
        let old = Duration::from_secs(120);
        aws.state().lambda.date_changes_back(old);
        let tls = aws.serve_tls(authority)?;
        let system = ROOTS.iter().find_map(|path| fs::read_to_string(path).ok());
        let roots = folder.join("roots.pem");
        fs::write(&roots, system.unwrap_or_default() + &authority.certificate)?;
        let mut world = Self {
            aws,
            tls,
            system_roots: roots.to_string_lossy().into_owned(),
            deployed: 0,
        };
        world.register(registrations).map_err(told)?;
        Ok(world)
    }

    fn register(&mut self, registrations: usize) -> Result<(), ApiError> {
        for number in 0..registrations {
            let function = format!("function-{number}");
            self.aws.call(
                "CreateFunction",
                json!({ "FunctionName": function, "Code": { "ZipFile": package(0) } }),
            )?;
            self.aws.call(
                "AddPermission",
                json!({
                    "FunctionName": function,
                    "StatementId": "appflow",
                    "Action": "lambda:InvokeFunction",
                    "Principal": "appflow.amazonaws.com",
                }),
            )?;
            self.aws.call(
                "RegisterConnector",
                json!({
                    "connectorLabel": format!("connector-{number:04}"),
                    "connectorProvisioningType": "LAMBDA",
                    "connectorProvisioningConfig": {
                        "lambda": { "lambdaArn": function_arn(&function) },
                    },
                    "description": "A connector",
                }),
            )?;
        }
        Ok(())
    }

    /// Publishes a new version of one function; gives the event that says so.
    pub fn deploy(&mut self) -> io::Result<String> {
        self.deployed += 1;
        self.aws
            .call(
                "UpdateFunctionCode",
                json!({
                    "FunctionName": DEPLOYED,
                    "ZipFile": package(self.deployed),
                    "Publish": true,
                }),
            )
            .map_err(told)?;
        let event = self.aws.take_events().pop();
        event
            .map(|event| event.to_string())
            .ok_or_else(|| io::Error::other("a deployment without an event"))
    }

    /// That AppFlow has each registration as its function now is.
    pub fn check(&self) -> io::Result<()> {
        match self
            .aws
            .versions()
            .into_iter()
            .find(|(_, has, is)| has != is)
        {
            None => Ok(()),
            Some((label, has, is)) => Err(io::Error::other(format!(
                "AppFlow has version {has} of {label}, which is at {is}"
            ))),
        }
    }
}

fn package(number: u32) -> String {
    let connector: Value = json!({
        "connectorName": "Acme CRM",
        "connectorOwner": "Acme",
        "connectorVersion": format!("1.{number}"),
    });
    BASE64_STANDARD.encode(connector.to_string())
}

fn told(error: ApiError) -> io::Error {
    io::Error::other(format!("{}: {}", error.code, error.message))
}
