//! The deployments in a history.

use aws_local::lambda::Settling;
use aws_local::place::function_arn;
use base64::prelude::{BASE64_STANDARD, Engine};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::history::History;

impl History {
    pub fn deploy(&mut self, function: &str, publish: bool) {
        let package = self.package();
        let input = json!({ "FunctionName": function, "ZipFile": package, "Publish": publish });
        if let Some(answer) = self.deployment("UpdateFunctionCode", input)
            && publish
        {
            self.grant(function, answer["Version"].as_str());
        }
    }

    pub fn publish(&mut self, function: &str) {
        let input = json!({ "FunctionName": function });
        if let Some(answer) = self.deployment("PublishVersion", input) {
            self.grant(function, answer["Version"].as_str());
        }
    }

    pub fn create(&mut self, function: &str) {
        *self
            .world
            .state()
            .lives
            .entry(function.to_owned())
            .or_default() += 1;
        let package = self.package();
        let input = json!({
            "FunctionName": function,
            "Code": { "ZipFile": package },
            "Publish": true,
        });
        self.deployment("CreateFunction", input);
        self.allow(function, None);
        self.grant(function, Some("1"));
        self.create_alias(function);
    }

    pub async fn recreate(&mut self, function: &str) {
        self.collect();
        self.deployment("DeleteFunction", json!({ "FunctionName": function }));
        if self.random.chance(50) {
            let gap = self.random.between(0, 30_000);
            self.pass(gap).await;
        }
        self.create(function);
    }

    pub fn delete_version(&mut self, function: &str) {
        let versions = self.world.versions(function);
        // The last version stays, so that pinned registrations have a version to move to.
        if versions.len() > 1 {
            let version = self.random.of(&versions).to_string();
            let input = json!({ "FunctionName": function, "Qualifier": version });
            self.deployment("DeleteFunction", input);
        }
    }

    /// Draws how long deployments take to become ready from now on.
    pub fn settle(&mut self) {
        let settling = match self.random.below(100) {
            0..80 if self.hasty => Settling::AtOnce,
            0..35 => Settling::AtOnce,
            35..65 => Settling::After(self.random.between(300, 10_000)),
            65..99 => Settling::After(self.random.between(10_000, 90_000)),
            // Longer than an invocation: events may end in the failure queue.
            _ if self.loss => Settling::After(self.random.between(900_000, 1_100_000)),
            _ => Settling::AtOnce,
        };
        if let Settling::After(time) = settling {
            self.settling = self.settling.max(time);
        }
        self.world.tell(format!(
            "from now on, deployments become ready {settling:?}"
        ));
        self.world.aws.state().lambda.settle(settling);
    }

    fn package(&mut self) -> String {
        self.deployed += 1;
        let connector = json!({
            "connectorName": "Acme CRM",
            "connectorOwner": "Acme",
            "connectorVersion": format!("1.{}", self.deployed),
            "supportedApiVersions": ["v1", "v2", "v3"],
        });
        BASE64_STANDARD.encode(connector.to_string())
    }

    pub fn grant(&mut self, function: &str, version: Option<&str>) {
        if !self.grant_invoke {
            self.allow(function, version);
        }
    }

    pub fn allow(&self, function: &str, qualifier: Option<&str>) {
        // The statement may exist already.
        let _ = self.world.aws.call(
            "AddPermission",
            json!({
                "FunctionName": function,
                "Qualifier": qualifier,
                "StatementId": "appflow",
                "Action": "lambda:InvokeFunction",
                "Principal": "appflow.amazonaws.com",
            }),
        );
    }

    /// Makes a call that may be rejected, as deployments are while another one is in progress.
    pub fn deployment(&mut self, operation: &str, input: Value) -> Option<Value> {
        let function = input["FunctionName"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        let answer = self.call(operation, input);
        if answer.is_some() {
            self.changed.insert(function, Instant::now());
        }
        self.collect();
        answer
    }

    pub fn call(&mut self, operation: &str, mut input: Value) -> Option<Value> {
        let answer = self.world.aws.call(operation, input.clone());
        if let Some(members) = input.as_object_mut() {
            members.retain(|name, _| name != "ZipFile" && name != "Code");
        }
        let mut state = self.world.state();
        state.happened();
        let became = match &answer {
            Ok(answer) => format!("{}", answer["Version"]).replace("null", "done"),
            Err(error) => error.message.clone(),
        };
        let deployed = self.deployed;
        state.tell(format!(
            "{operation} {input}, connector 1.{deployed}: {became}"
        ));
        answer.ok()
    }
}

/// The ARN of a function of the account, with a qualifier.
pub fn arn(function: &str, qualifier: Option<&str>) -> String {
    let arn = function_arn(function);
    qualifier.map_or(arn.clone(), |qualifier| format!("{arn}:{qualifier}"))
}
