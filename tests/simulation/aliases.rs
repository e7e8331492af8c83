//! Aliases in a history: moves, shifts of traffic, and the weights that Lambda itself gives while it
//! provisions concurrency.

use aws_local::lambda::Provisioning;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::history::{History, LIVE};
use crate::lags::MINUTE;
use crate::world::name;

impl History {
    /// Draws whether Lambda provisions concurrency for the aliases of this history, and how long: less than
    /// the time of one invocation, or until the end of the history, which is within the three tries of an
    /// event.
    pub fn provision(&mut self) {
        self.provisioning = match self.random.below(10) {
            0..3 => Some(Provisioning::After(self.random.between(1_000, 400_000))),
            3 => Some(Provisioning::UntilFinished),
            _ => None,
        };
        if let Some(provisioning) = self.provisioning {
            self.world
                .tell(format!("Lambda provisions concurrency: {provisioning:?}"));
        }
    }

    /// Creates the alias of a function that has one version.
    pub fn create_alias(&mut self, function: &str) {
        let input = json!({ "FunctionName": function, "Name": LIVE, "FunctionVersion": "1" });
        self.deployment("CreateAlias", input);
        self.allow(function, Some(LIVE));
        if let Some(provisioning) = self.provisioning {
            let lambda = &mut self.world.aws.state().lambda;
            // A call that was rejected has left no alias.
            let _ = lambda.provision_concurrency(&name(function), LIVE, provisioning);
        }
    }

    /// Moves the alias, or begins or ends a shift of its traffic, or points it at `$LATEST`.
    pub fn move_alias(&mut self, function: &str) {
        let versions = self.world.versions(function);
        let version = match versions.last() {
            Some(newest) if self.random.chance(50) => newest.to_string(),
            _ => self.random.of(&versions).to_string(),
        };
        let other = self.random.of(&versions).to_string();
        let share = self.random.between(50, 950).as_secs_f64();
        match self.random.below(20) {
            0..5 if other != version => {
                self.point_alias(function, &version, json!({ other: share }))
            }
            // The end of a shift by hand.
            5..8 if other != version => self.point_alias(function, &version, json!({ other: 1.0 })),
            8..11 => self.point_alias(function, "$LATEST", json!({})),
            _ => self.point_alias(function, &version, json!({})),
        }
        if self.random.chance(50) {
            // What a sweep reads shortly after a move must not be the last word.
            let delay = self.random.between(45_000, 59_500);
            self.sweep_later(delay);
        }
    }

    fn point_alias(&mut self, function: &str, version: &str, weights: Value) {
        let asks_for_none = weights == json!({});
        let input = json!({
            "FunctionName": function,
            "Name": LIVE,
            "FunctionVersion": version,
            "RoutingConfig": { "AdditionalVersionWeights": weights },
        });
        let Some(answer) = self.deployment("UpdateAlias", input) else {
            return;
        };
        let of_lambda = asks_for_none && !answer["RoutingConfig"].is_null();
        let provisioned = match self.provisioning {
            Some(Provisioning::After(time)) if of_lambda => time,
            _ => MINUTE,
        };
        let mut state = self.world.state();
        state.unsettled.insert(
            function.to_owned(),
            Instant::now() + provisioned.max(MINUTE),
        );
        match of_lambda && self.provisioning == Some(Provisioning::UntilFinished) {
            true => state.provisioning.insert(function.to_owned()),
            false => state.provisioning.remove(function),
        };
    }

    /// At the end of a history, each alias comes to send all of its traffic to one version: shifts end by a
    /// call, which has an event, and Lambda takes away its own weights without one.
    pub fn settle_aliases(&mut self) {
        for function in self.functions.clone() {
            let input = json!({ "FunctionName": function, "Name": LIVE });
            let Ok(alias) = self.world.aws.call("GetAlias", input) else {
                continue;
            };
            if self.world.state().provisioning.remove(function) {
                self.world
                    .tell(format!("Lambda has provisioned concurrency for {function}"));
                let lambda = &mut self.world.aws.state().lambda;
                // It exists: it was just read.
                let _ = lambda.finish_provisioning(&name(function), LIVE);
                continue;
            }
            let weights = alias["RoutingConfig"]["AdditionalVersionWeights"].as_object();
            let version = alias["FunctionVersion"].as_str().unwrap_or_default();
            let shifting = weights.and_then(|weights| {
                weights
                    .iter()
                    .find(|(_, weight)| weight.as_f64().is_some_and(|weight| weight < 1.0))
            });
            if let Some((additional, _)) = shifting {
                let weights = match self.random.chance(50) {
                    true => json!({ additional: 1.0 }),
                    false => json!({}),
                };
                self.point_alias(function, version, weights);
            }
        }
    }
}
