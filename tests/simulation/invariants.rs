//! The invariants that a history is checked for, as far as they are visible from outside.

use std::collections::BTreeMap;

use connector_updater::decide::Skip;
use connector_updater::reconcile::outcome::{ConnectorResult, Outcome};
use serde_json::Value;
use tokio::time::Instant;

use crate::deployments;
use crate::world::{World, split};

/// After an invocation during which nothing else happened: AppFlow has the target of each registration
/// that it reports as updated, and holds what that returns. Aliases that were unsettled when it `began` do
/// not count: only the event of the alias itself knows when it moved.
pub fn updated(world: &World, connectors: &[ConnectorResult], began: Instant) {
    for connector in connectors {
        let Outcome::Updated { target, .. } = &connector.outcome else {
            continue;
        };
        let target = target.to_string();
        let label = &connector.label;
        let Some((arn, held)) = held(world, label) else {
            continue;
        };
        if arn != target {
            world.violated(format!("{label} was updated to {target}, and is at {arn}"));
        } else if !is_unsettled(world, &arn, began) {
            holds(world, label, &arn, &held);
        }
    }
}

/// Each deployment has a connector version of its own, and differs in nothing else.
pub fn evidence_is_no_false_alarm(world: &World, connectors: &[ConnectorResult]) {
    for connector in connectors {
        if let Outcome::Updated {
            evidence: Some(evidence),
            ..
        } = &connector.outcome
            && evidence.changed.is_empty() != (evidence.previous_version == evidence.version)
        {
            world.violated(format!("{}: {evidence:?}", connector.label));
        }
    }
}

/// Every registration holds what its function returns now: that of an alias, what the version returns that
/// gets all of its traffic.
pub fn all_hold(world: &World) {
    each_holds(world, |_, _| true);
}

/// The same, without those whose function, version, or alias does not exist.
pub fn all_that_exist_hold(world: &World) {
    each_holds(world, |_, arn| {
        world.aws.state().lambda.configuration(arn).is_some()
    });
}

/// The same, without those that a plain sweep reports as behind and whose function was recreated. They
/// can hold what the version of that number of the deleted function returned: a sweep writes nothing
/// backward, so it does not refresh them.
pub fn all_hold_but_recreated_behind(world: &World, swept: &[ConnectorResult]) {
    each_holds(world, |label, arn| {
        let mut swept = swept.iter().filter(|connector| connector.label == label);
        let behind =
            swept.any(|connector| matches!(connector.outcome, Outcome::Skipped(Skip::Behind(_))));
        !(behind && world.state().life(&split(arn).0) > 1)
    });
}

fn each_holds(world: &World, is_meant: impl Fn(&str, &str) -> bool) {
    for (label, ..) in world.registrations() {
        if let Some((arn, held)) = held(world, &label)
            && is_meant(&label, &arn)
        {
            holds(world, &label, &arn, &held);
        }
    }
}

/// No version-pinned registration is at an older version than one that still exists and whose event was
/// handled. Without loss, that is the newest one.
///
/// These do not count: events whose handling began before an operator's latest change of the
/// registration, because the operator may have rolled it back; registrations at a deleted version,
/// because there is no event for a deletion; and functions with an event in the failure queue.
pub fn none_is_older_than_handled(world: &World) {
    for (label, function, qualifier) in world.registrations() {
        let Some(version) = qualifier.and_then(|qualifier| qualifier.parse::<u64>().ok()) else {
            continue;
        };
        let existing = world.versions(&function);
        let mut state = world.state();
        if !existing.contains(&version) || state.given_up.contains(&function) {
            continue;
        }
        let life = state.life(&function);
        let since = state.operators.get(&label).map(|change| change.at);
        let newest = state
            .handled
            .iter()
            .filter(|handled| handled.function == function && handled.life == life)
            .filter(|handled| existing.contains(&handled.version))
            .filter(|handled| since.is_none_or(|since| handled.began > since))
            .map(|handled| handled.version)
            .max();
        if let Some(newest) = newest
            && newest > version
        {
            state.violated(format!(
                "{label} is at version {version}, and the event of version {newest} was handled"
            ));
        }
    }
}

/// Every version-pinned registration is at the newest version.
pub fn all_are_at_the_newest(world: &World) {
    for (label, function, qualifier) in world.registrations() {
        let Some(version) = qualifier.and_then(|qualifier| qualifier.parse::<u64>().ok()) else {
            continue;
        };
        let newest = world.versions(&function).last().copied();
        if newest != Some(version) {
            world.violated(format!(
                "{label} is at version {version}, and the newest is {newest:?}"
            ));
        }
    }
}

/// The registrations whose version exists, which a plain sweep leaves where they are.
pub fn standing(world: &World) -> BTreeMap<String, String> {
    let registrations = world.registrations();
    let standing = registrations.into_iter().filter_map(|(label, ..)| {
        let (arn, _) = held(world, &label)?;
        let exists = world.aws.state().lambda.configuration(&arn).is_some();
        exists.then_some((label, arn))
    });
    standing.collect()
}

/// A plain sweep has moved none of these.
pub fn none_has_moved(world: &World, standing: &BTreeMap<String, String>) {
    for (label, arn) in standing {
        match held(world, label) {
            Some((now, _)) if now == *arn => {}
            other => world.violated(format!(
                "a plain sweep moved {label} from {arn} to {other:?}"
            )),
        }
    }
}

fn held(world: &World, label: &str) -> Option<(String, Value)> {
    let aws = world.aws.state();
    let registration = aws.appflow.registration(label)?;
    Some((
        registration.lambda_arn.clone(),
        registration.configuration.clone(),
    ))
}

fn holds(world: &World, label: &str, arn: &str, held: &Value) {
    let runs = runs(world, arn);
    let answers = world.aws.state().lambda.configuration(&runs).cloned();
    if answers.as_ref() != Some(held) {
        let version = |configuration: &Value| configuration["connectorVersion"].to_string();
        let answers = answers.as_ref().map(version);
        let ((_, qualifier), (_, runs)) = (split(arn), split(&runs));
        world.violated(format!(
            "{label} at {qualifier:?} holds {}, and its function returns {answers:?} from {runs:?}",
            version(held)
        ));
    }
}

/// The ARN of what an invocation of `arn` runs: of an alias that gives an additional version all of its
/// traffic, that version's, whoever gave it.
fn runs(world: &World, arn: &str) -> String {
    let function = split(arn).0;
    let weights = alias(world, arn).map(|mut alias| alias["RoutingConfig"].take());
    let weights = weights
        .as_ref()
        .and_then(|weights| weights["AdditionalVersionWeights"].as_object());
    let additional = weights
        .into_iter()
        .flatten()
        .find(|(_, weight)| **weight == 1.0);
    additional.map_or(arn.to_owned(), |(version, _)| {
        deployments::arn(&function, Some(version))
    })
}

/// Whether what an invocation runs could change without a call since an invocation began, or is one of two
/// versions.
fn is_unsettled(world: &World, arn: &str, began: Instant) -> bool {
    let Some(alias) = alias(world, arn) else {
        return false;
    };
    let unsettled = world.state().unsettled.get(&split(arn).0).copied();
    unsettled.is_some_and(|until| began < until) || !alias["RoutingConfig"].is_null()
}

/// The alias of an ARN.
fn alias(world: &World, arn: &str) -> Option<Value> {
    let (function, Some(qualifier)) = split(arn) else {
        return None;
    };
    let alias = serde_json::json!({ "FunctionName": function, "Name": qualifier });
    world.aws.call("GetAlias", alias).ok()
}
