//! Where the credentials come from.

use std::fs;
use std::path::Path;

use crate::world::{CRM, World, arn, outcomes};

#[test]
fn a_profile_gives_the_credentials_that_the_environment_does_not() {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("credentials");
    let profile = "[local]\naws_access_key_id = profile\naws_secret_access_key = profile\n";
    fs::write(&file, profile).expect("a file");
    let world = World::with(&[
        ("AWS_ACCESS_KEY_ID", ""),
        ("AWS_SECRET_ACCESS_KEY", ""),
        (
            "AWS_SHARED_CREDENTIALS_FILE",
            file.to_str().expect("a path"),
        ),
        ("AWS_PROFILE", "local"),
    ]);
    world.function(CRM, 1);
    world.register("plain", &arn(CRM, None));
    let event = world.publish(CRM, "1.2");
    assert_eq!(
        outcomes(&world.answer(&event)),
        [("plain".into(), "updated".into())]
    );
}

#[test]
fn half_of_a_pair_of_keys_is_an_error_and_not_a_search_elsewhere() {
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
