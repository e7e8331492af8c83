//! The client token of an update.

use sha2::{Digest, Sha256};

use crate::model::description::Description;
use crate::model::function_arn::FunctionArn;
use crate::model::readiness::Found;
use crate::model::registration::ConnectorLabel;

/// Makes UpdateConnectorRegistration idempotent: AppFlow does not repeat the work for a token that it
/// has seen in the last 8 hours, and rejects the token with other parameters.
///
/// It is a digest of what caused the update, of every parameter sent, of the function's version, code,
/// and last change when it was found ready, and of the previous rounds' tokens. So another delivery of
/// an event repeats the token, and an update for newer code has another one. It has 64 hexadecimal
/// characters, and the API accepts 1 to 256 of `[ -~]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ClientToken(String);

impl ClientToken {
    /// The token for one update.
    ///
    /// `cause` is the CloudTrail `eventID`, a state event's `id`, or else the Lambda request id, which
    /// Lambda's own retries keep. `found` is what the function was, if the updater is authorized to read
    /// it. `previous` is the previous round's token. It matters if two deliveries of one event reach the
    /// same code, one of them after an update for newer code: with the same token, AppFlow would not
    /// repeat the update, although it stored another one in between.
    pub fn new(
        cause: &str,
        label: &ConnectorLabel,
        function_arn: &FunctionArn,
        description: Option<&Description>,
        found: Option<&Found>,
        previous: Option<&Self>,
    ) -> Self {
        let mut digest = Sha256::new();
        // Each field is preceded by its length and by whether it is present. So the same text split
        // differently gives another digest, and so does a missing field instead of an empty one.
        let mut add = |field: Option<&str>| match field {
            None => digest.update([0]),
            Some(field) => {
                digest.update([1]);
                digest.update((field.len() as u64).to_be_bytes());
                digest.update(field);
            }
        };
        add(Some(cause));
        add(Some(label.as_str()));
        add(Some(&function_arn.to_string()));
        add(description.map(Description::as_str));
        add(found.map(|found| found.version.as_str()));
        add(found.map(|found| found.code_sha256.as_str()));
        add(found.map(|found| found.last_modified.as_str()));
        add(previous.map(Self::as_str));
        let hex = digest
            .finalize()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Self(hex)
    }

    /// The token as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What a token is made of, as texts.
    #[derive(Clone, Debug, PartialEq)]
    struct Made {
        cause: String,
        label: String,
        arn: String,
        description: Option<String>,
        found: Option<(String, String, String)>,
        previous: Option<u8>,
    }

    fn token(made: &Made) -> ClientToken {
        let description = made
            .description
            .as_ref()
            .map(|text| Description::unchanged(text).unwrap());
        let found = made.found.clone().map(|(version, sha, modified)| Found {
            version,
            code_sha256: sha,
            last_modified: modified,
        });
        let previous = made.previous.map(|number| ClientToken(number.to_string()));
        ClientToken::new(
            &made.cause,
            &made.label.parse().unwrap(),
            &made.arn.parse().unwrap(),
            description.as_ref(),
            found.as_ref(),
            previous.as_ref(),
        )
    }

    prop_compose! {
        fn parameters()(
            cause in "[a-f0-9-]{0,3}",
            label in "[a-b][a-b]{1,2}",
            arn in "arn:aws:lambda:us-east-1:123456789012:function:[a-b]{1,2}(:[1-2])?",
            description in proptest::option::of("[a-b]{0,2}"),
            found in proptest::option::of(("[a-b]{0,2}", "[a-b]{0,2}", "[a-b]{0,2}")),
            previous in proptest::option::of(0u8..2),
        ) -> Made {
            Made { cause, label, arn, description, found, previous }
        }
    }

    /// A pair that differs in one member at most, so that no member can be left out of the digest.
    fn alike() -> impl Strategy<Value = (Made, Made)> {
        (parameters(), parameters(), 0..6).prop_map(|(a, b, member)| {
            let mut other = a.clone();
            match member {
                0 => other.cause = b.cause,
                1 => other.label = b.label,
                2 => other.arn = b.arn,
                3 => other.description = b.description,
                4 => other.found = b.found,
                _ => other.previous = b.previous,
            }
            (a, other)
        })
    }

    proptest! {
        #[test]
        fn the_same_update_repeats_its_token_and_no_other_does((a, b) in alike()) {
            prop_assert_eq!(token(&a) == token(&b), a == b);
            prop_assert_eq!(token(&a), token(&a));
        }

        #[test]
        fn a_token_is_one_that_the_api_accepts(a in parameters()) {
            let token = token(&a);
            prop_assert!((1..=256).contains(&token.as_str().len()));
            prop_assert!(token.as_str().bytes().all(|byte| (b' '..=b'~').contains(&byte)));
        }
    }

    #[test]
    fn a_new_release_repeats_the_tokens_of_the_old_one() {
        // AppFlow keeps tokens for 8 hours, and an event may be redelivered to a newer release.
        let token = token(&Made {
            cause: "f6d1a9e2-6f0a-4c8e-9a45-5b7d5d2b3c11".into(),
            label: "acme-crm".into(),
            arn: "arn:aws:lambda:us-east-1:123456789012:function:acme-crm:7".into(),
            description: Some("Acme CRM".into()),
            found: Some((
                "7".into(),
                "abc=".into(),
                "2026-01-31T12:00:00.000+0000".into(),
            )),
            previous: None,
        });
        assert_eq!(token.as_str(), PINNED);
    }

    // SHA-256 over each field behind a byte 1 and its length as eight bytes, or a byte 0 where there
    // is none; computed with another program.
    const PINNED: &str = "eb24843805a29ea2f2826147a9af698b8c8f259b64cec125ec78a52a4a668ea6";
}
