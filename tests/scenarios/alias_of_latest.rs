//! An alias that points at `$LATEST` has no event of its own when that changes.

use aws_local::faults::Fault;
use serde_json::{Value, json};

use crate::world::{CRM, World, arn, connector};

/// `crm` at version 1, registered with the alias `dev`, which points at `$LATEST`; and the event of the alias.
fn dev() -> (World, Value) {
    let world = World::new();
    world.function(CRM, 1);
    world.call(
        "CreateAlias",
        json!({ "FunctionName": CRM, "Name": "dev", "FunctionVersion": "$LATEST" }),
    );
    let created = world.event();
    world.allow(CRM, Some("dev"));
    world.register("dev", &arn(CRM, Some("dev")));
    (world, created)
}

#[test]
fn it_is_refreshed_by_every_change_of_latest() {
    let (world, _) = dev();
    world.answer(world.change_latest(CRM, "2.0"));
    assert_eq!(world.held("dev"), ("dev".into(), "2.0".into()));
    world.answer(world.publish(CRM, "3.0"));
    assert_eq!(world.held("dev"), ("dev".into(), "3.0".into()));

    world.call(
        "UpdateFunctionConfiguration",
        json!({ "FunctionName": CRM, "Description": "new" }),
    );
    let answer = world.answer(world.event());
    assert_eq!(connector(&answer, "dev")["outcome"], "updated");
}

#[test]
fn it_is_skipped_with_a_warning_where_it_may_not_be_read_except_by_its_own_event_and_sweeps() {
    let (world, created) = dev();
    let denied = Fault::error("GetAlias", "AccessDeniedException");
    world.aws.fault(denied);
    let changed = world.change_latest(CRM, "2.0");
    let published = world.publish(CRM, "3.0");
    for event in [&changed, &published] {
        let answer = world.answer(event);
        let skipped = connector(&answer, "dev");
        assert_eq!(skipped["outcome"], "skipped");
        let reason = skipped["reason"].as_str().unwrap_or_default();
        assert!(
            reason.contains("whether it points at $LATEST is unknown"),
            "{reason}"
        );
        assert!(reason.contains("lambda:GetAlias"), "{reason}");
    }
    let lines = world.log_with("registration skipped");
    let line = lines.iter().find(|line| line["outcome"] == "skipped");
    assert_eq!(line.expect("a line")["level"], "WARN");
    assert_eq!(world.held("dev").1, "1.1");

    world.answer(&created);
    assert_eq!(world.held("dev").1, "3.0");
    world.change_latest(CRM, "4.0");
    world.answer(r#"{"sweep": {}}"#);
    assert_eq!(world.held("dev").1, "4.0");
}

#[test]
fn an_alias_that_no_longer_exists_is_skipped_by_other_events() {
    let (world, _) = dev();
    world.call("DeleteAlias", json!({ "FunctionName": CRM, "Name": "dev" }));
    let answer = world.answer(world.change_latest(CRM, "2.0"));
    assert_eq!(connector(&answer, "dev")["outcome"], "skipped");
    assert_eq!(world.held("dev").1, "1.1");
}
