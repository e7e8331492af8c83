//! An invocation uses its 900 seconds, and no more.

use std::time::Duration;

use aws_local::lambda::Settling;
use aws_local::place::function_arn;
use connector_updater::report::error::Error;
use serde_json::json;
use tokio::time::Instant;

use crate::clock;
use crate::conditions::Conditions;
use crate::invocations::Environments;
use crate::world::World;

const SWEEP: &str = r#"{"sweep": {}}"#;

#[test]
fn an_invocation_reports_what_it_waits_for_right_before_it_times_out() {
    clock::run(async {
        let world = World::new(Conditions::new(1));
        let updater = Environments::new(&world, false);
        let call = |operation: &str, input| world.aws.call(operation, input).expect(operation);
        call(
            "CreateFunction",
            json!({ "FunctionName": "crm", "Code": { "ZipFile": "e30=" } }),
        );
        call(
            "AddPermission",
            json!({
                "FunctionName": "crm",
                "StatementId": "appflow",
                "Action": "lambda:InvokeFunction",
                "Principal": "appflow.amazonaws.com",
            }),
        );
        call(
            "RegisterConnector",
            json!({
                "connectorLabel": "crm",
                "connectorProvisioningType": "LAMBDA",
                "connectorProvisioningConfig": { "lambda": { "lambdaArn": function_arn("crm") } },
            }),
        );
        let twenty_minutes = Duration::from_secs(20 * 60);
        world
            .aws
            .state()
            .lambda
            .settle(Settling::After(twenty_minutes));
        call(
            "UpdateFunctionCode",
            json!({ "FunctionName": "crm", "ZipFile": "e30K" }),
        );

        let began = Instant::now();
        let without_faults = true;
        let first = updater.invoke(SWEEP, SWEEP, "1", without_faults).await;
        let name = first.as_ref().err().map(Error::name);
        assert_eq!(name, Some("FunctionNotReady"));
        let took = began.elapsed().as_secs();
        assert!((895..900).contains(&took), "{took} s");

        let second = updater.invoke(SWEEP, SWEEP, "2", without_faults).await;
        assert!(
            second.is_ok(),
            "{:?}",
            second.err().map(|error| error.to_string())
        );
        assert!(began.elapsed() >= twenty_minutes);
        assert_eq!(world.state().violation, None);
    });
}
