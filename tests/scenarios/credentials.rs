//! Credentials come from the environment only.

use crate::world::{CRM, World, arn};

#[test]
fn without_both_keys_in_the_environment_no_call_is_made() {
    let world = World::with(&[("AWS_SECRET_ACCESS_KEY", "")]);
    world.function(CRM, 1);
    world.register("plain", &arn(CRM, None));
    let event = world.publish(CRM, "1.2");
    let (name, message) = world.error(&event);
    assert_eq!(name, "ListFailed");
    assert!(
        message.contains("AWS_SECRET_ACCESS_KEY") || message.contains("credentials"),
        "{message}"
    );
    assert_eq!(world.calls(), [].into());
}
