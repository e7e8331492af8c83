//! Credentials come from the environment only.

use crate::world::{CRM, World};

#[test]
fn without_both_keys_and_a_region_in_the_environment_nothing_is_sent_and_the_error_names_the_variables()
 {
    for missing in ["AWS_SECRET_ACCESS_KEY", "AWS_REGION"] {
        let world = World::with(&[(missing, "")]);
        world.function(CRM, 1);
        let event = world.publish(CRM, "1.2");
        let (name, message) = world.error(&event);
        assert_eq!(name, "ListFailed");
        for part in [
            "Nothing was sent",
            "AWS_REGION",
            "AWS_ACCESS_KEY_ID",
            "AWS_SECRET_ACCESS_KEY",
        ] {
            assert!(message.contains(part), "`{part}` is not in {message}");
        }
        // It is no problem of the network.
        assert!(!message.contains("network"), "{message}");
        assert_eq!(world.calls(), [].into());
    }
}
