//! The output of `cargo local`: AppFlow's registrations before and after the updater handled an event.

pub mod picture;
pub mod screen;
mod table;
pub mod world;

use serde_json::Value;

use crate::AwsLocal;
use crate::answer::ApiError;
use crate::runtime_api::Outcome;

use screen::{Line, Look, wrapped};
use world::FUNCTION;

/// The updater's settings in the demo.
pub const SETTINGS: [(&str, &str); 1] = [("GRANT_INVOKE", "true")];

/// Receives each line as soon as it is known.
pub type Show<'a> = &'a mut dyn FnMut(Line);

/// Publishes a version and moves an alias, and lets the updater handle both events. Returns false if it
/// failed.
pub fn play(aws: &AwsLocal, show: Show<'_>) -> Result<bool, ApiError> {
    world::register(aws)?;
    paragraph(
        show,
        &format!(
            "Three connectors are registered with the Lambda function {FUNCTION}. \
             AppFlow has stored what version 6 of it returned: connector version 1.6."
        ),
    );
    world::publish_next(aws)?;
    let published = deliver(aws, show, "Version 7 of the function is published.");
    world::move_alias(aws)?;
    let moved = deliver(aws, show, "The alias live is moved to version 7.");
    if published && moved {
        ending(show);
    }
    Ok(published && moved)
}

/// Lets the updater handle one payload. Returns false if it failed.
pub fn send(aws: &AwsLocal, event: &str, show: Show<'_>) -> bool {
    let before = table::held(aws);
    let outcome = aws.invoke(event.to_owned());
    let after = table::held(aws);
    let (response, told) = match outcome {
        Outcome::Answer(response) => {
            let ignored = response["ignored"].as_str();
            let told = ignored.map(|reason| ("ignored", Look::Faint, reason.to_owned()));
            (Some(response), told)
        }
        Outcome::Error {
            error_type,
            message,
        }
        | Outcome::NotStarted {
            error_type,
            message,
        } => (None, Some(failed(format!("{error_type}: {message}")))),
        Outcome::TimedOut => (None, Some(failed("the updater did not respond".to_owned()))),
    };

    show(Line::blank());
    let none = Value::Null;
    for line in table::lines(&before, &after, response.as_ref().unwrap_or(&none)) {
        show(line);
    }
    if let Some((word, look, text)) = told {
        show(Line::blank());
        for line in wrapped(INDENT, look, &format!("{word}: {text}")) {
            show(line);
        }
    }
    response.is_some()
}

/// The column of what belongs to a paragraph.
const INDENT: usize = 2;

fn failed(text: String) -> (&'static str, Look, String) {
    ("failed", Look::Bad, text)
}

/// Lets the updater handle the deployments' events.
fn deliver(aws: &AwsLocal, show: Show<'_>, what: &str) -> bool {
    show(Line::blank());
    paragraph(show, what);
    aws.take_events()
        .into_iter()
        .all(|event| send(aws, &event.to_string(), show))
}

/// Shows a text of any length.
pub fn paragraph(show: Show<'_>, text: &str) {
    wrapped(0, Look::Plain, text).into_iter().for_each(show);
}

/// What to try next.
fn ending(show: Show<'_>) {
    show(Line::blank());
    show(Line::blank().put(0, Look::Heading, "Try next"));
    show(Line::blank());
    for (command, does) in [
        ("DRY_RUN=true cargo local", "show what would be updated"),
        (
            "cargo local --event events/sweep.json",
            "send one of the sample events",
        ),
        ("cargo local serve", "use it from the AWS CLI or an SDK"),
        ("cargo local --help", "see everything it can do"),
    ] {
        show(
            Line::blank()
                .put(INDENT, Look::Command, command)
                .put(42, Look::Plain, does),
        );
    }
    show(Line::blank());
    paragraph(
        show,
        "To deploy connector-updater to an AWS account, see README.md.",
    );
}
