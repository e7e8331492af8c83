//! The events of deployments, and which of them reach the updater.

use serde_json::Value;

use crate::random::Random;
use crate::world::{World, split};

/// An event on its way to the updater.
#[derive(Clone, Debug)]
pub struct Event {
    pub payload: Value,
    /// What it is, in the trace.
    pub told: String,
    pub function: String,
    /// How often the function had been created when it happened.
    pub life: u32,
    /// The version that was published.
    pub version: Option<u64>,
}

/// Which events an account has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sources {
    /// CloudTrail's records.
    Trail,
    /// CloudTrail's records and Lambda's own state events.
    Both,
    /// Lambda's own state events, and CloudTrail's records of alias calls, which are not state changes.
    States,
}

impl Event {
    /// Takes the events since the last call of this function.
    pub fn take(world: &World, sources: Sources, random: &mut Random) -> Vec<Self> {
        let events = world.aws.take_events();
        let events = events.into_iter().filter_map(|event| {
            let event = Self::of(world, event)?;
            let alias = event.payload["detail"]["eventName"]
                .as_str()
                .is_some_and(|name| name.contains("Alias"));
            let of_state = event.payload["detail"]["eventName"].is_null();
            (of_state || alias || sources != Sources::States).then_some(event)
        });
        let mut events: Vec<Self> = events.collect();
        for event in &mut events {
            event.say_less(random);
        }
        events
    }

    fn of(world: &World, payload: Value) -> Option<Self> {
        let detail = &payload["detail"];
        let answer = &detail["responseElements"];
        let (told, arn) = match detail["eventName"].as_str() {
            Some(name) => {
                let name = name.split("2015").next().unwrap_or(name);
                let arn = answer["aliasArn"].as_str();
                (name.to_owned(), arn.or(answer["functionArn"].as_str())?)
            }
            None => {
                let arn = payload["resources"][0].as_str()?;
                (format!("{} now", detail["state"]), arn)
            }
        };
        let (function, qualifier) = split(arn);
        let qualifier = qualifier.unwrap_or_default();
        // CreateFunction's response has an unqualified ARN even where it published version 1.
        let version = answer["version"].as_str().unwrap_or(&qualifier);
        let active = detail["eventName"].is_string() || detail["state"] == "Active";
        Some(Self {
            told: format!(
                "{} {told} {function}:{qualifier}",
                payload["id"].as_str().unwrap_or_default().get(..8)?
            ),
            life: world.state().life(&function),
            version: version.parse().ok().filter(|_| active),
            function,
            payload,
        })
    }
}
