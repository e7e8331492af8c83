//! What Lambda and AppFlow do late or in another order: drawn once for each history.

use std::time::Duration;

use serde_json::json;

use crate::deployments::arn;
use crate::events::Event;
use crate::history::History;
use crate::random::Random;

/// A change is settled once this time has passed: old code is served for less than a minute.
pub const MINUTE: Duration = Duration::from_secs(60);

impl History {
    /// Draws how late the services are.
    ///
    /// Old code is served for less than a minute since the change, as `LastModified` has its time, and not
    /// since the update is no longer in progress: whether Lambda may serve it longer where an update takes
    /// longer than a minute is unknown, and nothing that the updater can read would show it.
    pub fn lag(&mut self) {
        self.old_code_served = match self.random.below(3) {
            0 => Duration::ZERO,
            1 => self.random.between(50_000, 59_999),
            _ => self.random.between(0, 59_999),
        };
        // Less than the half minute that the updater gives a version.
        let versions_unknown = match self.random.chance(30) {
            true => Duration::ZERO,
            false => self.random.between(0, 25_000),
        };
        let lists_aws_connectors = self.random.chance(50);
        let shuffles_lists = self.random.chance(50);
        let old_code_served = self.old_code_served;
        self.world.tell(format!(
            "old code is served for {old_code_served:?}, versions are unknown for {versions_unknown:?}{}{}",
            if lists_aws_connectors { ", AWS's connectors are listed" } else { "" },
            if shuffles_lists { ", lists are in any order" } else { "" },
        ));
        let mut aws = self.world.aws.state();
        aws.lambda.serve_old_code_for(old_code_served);
        aws.lambda.versions_unknown_for(versions_unknown);
        if lists_aws_connectors {
            aws.appflow.list_aws_connectors();
        }
        if shuffles_lists {
            aws.appflow.shuffle_lists();
        }
    }
}

impl Event {
    /// Makes a record say less than it could, as CloudTrail does at times.
    pub fn say_less(&mut self, random: &mut Random) {
        let publishes = self.payload["detail"]["requestParameters"]["publish"] == true;
        let empty = json!({});
        let asked = self
            .payload
            .pointer("/detail/requestParameters/routingConfig/additionalVersionWeights");
        let asks_for_no_weights = asked.is_none_or(|asked| *asked == empty);
        let name = self.payload["detail"]["eventName"].as_str();
        let updates_code = name.is_some_and(|name| name.starts_with("UpdateFunctionCode"));
        let Some(answer) = self.payload.pointer_mut("/detail/responseElements") else {
            return;
        };
        if !answer["aliasArn"].is_null() {
            // Whether the record has the weights that Lambda puts on the alias is unknown.
            if asks_for_no_weights && random.chance(50) {
                answer["routingConfig"].take();
            }
        } else if random.chance(4) {
            // CloudTrail cuts long answers.
            *answer = json!({ "omitted": true });
            self.told.push_str(", cut");
        } else if publishes && updates_code && random.chance(25) {
            answer["functionArn"] = arn(&self.function, None).into();
            answer["version"].take();
            self.told.push_str(", without the number");
        }
    }
}
