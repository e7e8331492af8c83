//! Forms of CloudTrail's records that deployments in the field have.

use serde_json::{Value, json};

use crate::world::{CRM, World, arn, connector, package};

/// An updater that may let AppFlow invoke new versions, and registrations of `crm`: `plain`, and `pinned` to
/// version 6.
fn world() -> World {
    let world = World::with(&[("GRANT_INVOKE", "true")]);
    world.function(CRM, 6);
    world.allow(CRM, Some("6"));
    world.register("plain", &arn(CRM, None));
    world.register("pinned", &arn(CRM, Some("6")));
    world
}

fn named(mut event: Value, name: &str) -> Value {
    event["detail"]["eventName"] = json!(name);
    event
}

#[test]
fn a_call_counts_under_its_older_name_and_without_a_date_as_under_its_newest() {
    let world = world();
    for (version, name) in [
        (7, "UpdateFunctionCode20150331"),
        (8, "UpdateFunctionCode"),
        (9, "UpdateFunctionCode20150331v2"),
    ] {
        let connector_version = format!("1.{version}");
        let event = world.publish(CRM, &connector_version);
        world.answer(named(event, name));
        let pinned = (version.to_string(), connector_version.clone());
        assert_eq!(world.held("pinned"), pinned, "{name}");
        assert_eq!(world.held("plain").1, connector_version, "{name}");
    }
    for name in [
        "UpdateFunctionConfiguration20150331",
        "UpdateFunctionConfiguration",
    ] {
        world.call(
            "UpdateFunctionConfiguration",
            json!({ "FunctionName": CRM, "Description": name }),
        );
        let answer = world.answer(named(world.event(), name));
        assert_eq!(connector(&answer, "plain")["outcome"], "updated", "{name}");
    }
}

#[test]
fn a_function_that_is_created_with_its_first_version_has_an_event_of_that_version() {
    let world = world();
    world.call("DeleteFunction", json!({ "FunctionName": CRM }));
    world.call(
        "CreateFunction",
        json!({ "FunctionName": CRM, "Code": { "ZipFile": package("9.0") }, "Publish": true }),
    );
    world.allow(CRM, None);
    let event = world.event();
    let response = &event["detail"]["responseElements"];
    assert_eq!(response["functionArn"], arn(CRM, None));
    assert_eq!(response["version"], "1");
    world.answer(event);
    assert_eq!(world.held("pinned"), ("1".into(), "9.0".into()));
    assert_eq!(world.held("plain").1, "9.0");
}

#[test]
fn the_newest_version_is_looked_up_where_the_record_of_a_call_that_publishes_lacks_it() {
    let world = world();
    for (version, create) in [(7, false), (8, true)] {
        let connector_version = format!("1.{version}");
        let mut event = world.publish(CRM, &connector_version);
        let response = event["detail"]["responseElements"].as_object_mut();
        let response = response.expect("a response");
        response.remove("version");
        response.insert("functionArn".to_owned(), json!(arn(CRM, None)));
        if create {
            event = named(event, "CreateFunction20150331");
        }
        world.answer(event);
        let pinned = (version.to_string(), connector_version);
        assert_eq!(world.held("pinned"), pinned);
    }
}
