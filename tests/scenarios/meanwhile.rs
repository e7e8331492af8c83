//! What others do to function `crm` and its registrations while the updater works: hooks for
//! `Aws::once_before` and `Aws::once_after`.

use aws_local::World;
use aws_local::lambda::{LastUpdate, Reference, State};
use serde_json::{Value, json};

use crate::world::{CRM, arn, package};

/// Makes a call, which must succeed.
pub fn call(world: &mut World, operation: &str, input: &Value) {
    if let Err(error) = world.call(operation, input) {
        panic!("{operation} {input}: {error:?}");
    }
}

/// A deployment pipeline deploys a connector version without publishing it.
pub fn change_latest(connector_version: &str) -> impl FnOnce(&mut World) + Send + use<> {
    let input = json!({ "FunctionName": CRM, "ZipFile": package(connector_version) });
    move |world| call(world, "UpdateFunctionCode", &input)
}

/// A deployment pipeline publishes a connector version.
pub fn publish(connector_version: &str) -> impl FnOnce(&mut World) + Send + use<> {
    let zip = package(connector_version);
    let input = json!({ "FunctionName": CRM, "ZipFile": zip, "Publish": true });
    move |world| call(world, "UpdateFunctionCode", &input)
}

/// A deployment pipeline points an alias at a version.
pub fn move_alias(alias: &'static str, version: u64) -> impl FnOnce(&mut World) + Send {
    move |world| {
        let version = version.to_string();
        let input = json!({ "FunctionName": CRM, "Name": alias, "FunctionVersion": version });
        call(world, "UpdateAlias", &input);
    }
}

/// An operator points a registration at a qualifier of the function.
pub fn repoint(label: &str, qualifier: &str) -> impl FnOnce(&mut World) + Send + use<> {
    let input = json!({
        "connectorLabel": label,
        "connectorProvisioningConfig": { "lambda": { "lambdaArn": arn(CRM, Some(qualifier)) } },
    });
    move |world| call(world, "UpdateConnectorRegistration", &input)
}

/// An operator gives a registration another description.
pub fn describe(label: &'static str, description: &'static str) -> impl FnOnce(&mut World) + Send {
    move |world| {
        let input = json!({ "connectorLabel": label, "description": description });
        call(world, "UpdateConnectorRegistration", &input);
    }
}

/// Puts the function, or one of its versions, into a state.
pub fn put_into(world: &mut World, name: &str, state: State, last_update: LastUpdate) {
    let reference = Reference::parse(name).expect("a name");
    let put = world.lambda.put_into(&reference, state, last_update);
    put.expect("a function");
}

/// Runs a hook after every call of an operation, not only after the next one.
pub fn after_each(
    world: &mut World,
    operation: &'static str,
    mut happens: impl FnMut(&mut World) + Send + 'static,
) {
    world.once_after(operation, move |world| {
        happens(world);
        after_each(world, operation, happens);
    });
}
