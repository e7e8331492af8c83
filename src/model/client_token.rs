//! The client token of an update.

use sha2::{Digest, Sha256};

use crate::model::description::Description;
use crate::model::function_arn::FunctionArn;
use crate::model::registration::ConnectorLabel;

/// Makes a call to UpdateConnectorRegistration happen once: AppFlow answers a token that it has
/// seen in the last 8 hours without doing the work again, and refuses it with other parameters.
///
/// It is a digest of what caused the update and of every parameter sent, so a second delivery of
/// an event repeats it and anything else does not. 64 characters of hexadecimal, within the API's
/// 1 to 256 of `[ -~]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientToken(String);

impl ClientToken {
    /// The token for one update. `cause` is the CloudTrail `eventID`, or for a sweep the Lambda
    /// request id, which Lambda's own retries keep.
    pub fn new(
        cause: &str,
        label: &ConnectorLabel,
        function_arn: &FunctionArn,
        description: Option<&Description>,
    ) -> Self {
        let mut digest = Sha256::new();
        // Each field goes in with its length: two ways to cut the same text differ.
        let mut add = |field: &str| {
            digest.update((field.len() as u64).to_be_bytes());
            digest.update(field);
        };
        add(cause);
        add(label.as_str());
        add(&function_arn.to_string());
        // An absent description is not an empty one.
        if let Some(description) = description {
            add(description.as_str());
        }
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

    type Parameters = (String, String, String, Option<String>);

    fn token((cause, label, arn, description): &Parameters) -> ClientToken {
        let description = description
            .as_ref()
            .map(|text| Description::unchanged(text).unwrap());
        ClientToken::new(
            cause,
            &label.parse().unwrap(),
            &arn.parse().unwrap(),
            description.as_ref(),
        )
    }

    fn parameters() -> impl Strategy<Value = Parameters> {
        (
            "[a-f0-9-]{0,3}",
            "[a-b][a-b]{1,2}",
            "arn:aws:lambda:us-east-1:123456789012:function:[a-b]{1,2}(:[1-2])?",
            proptest::option::of("[a-b]{0,2}"),
        )
    }

    proptest! {
        #[test]
        fn the_same_update_repeats_its_token_and_no_other_does(a in parameters(), b in parameters()) {
            prop_assert_eq!(token(&a) == token(&b), a == b);
            prop_assert_eq!(token(&a), token(&a));
        }

        #[test]
        fn a_token_is_one_that_the_api_takes(a in parameters()) {
            let token = token(&a);
            prop_assert!((1..=256).contains(&token.as_str().len()));
            prop_assert!(token.as_str().bytes().all(|byte| (b' '..=b'~').contains(&byte)));
        }
    }

    #[test]
    fn a_new_release_repeats_the_tokens_of_the_old_one() {
        // AppFlow keeps tokens for 8 hours, and an event may be redelivered to a newer release.
        let token = token(&(
            "f6d1a9e2-6f0a-4c8e-9a45-5b7d5d2b3c11".into(),
            "acme-crm".into(),
            "arn:aws:lambda:us-east-1:123456789012:function:acme-crm:7".into(),
            Some("Acme CRM".into()),
        ));
        assert_eq!(token.as_str().len(), 64);
        assert_eq!(token.as_str(), PINNED);
    }

    // SHA-256 over each field behind its length as eight bytes, reckoned with another program.
    const PINNED: &str = "7892244e77c1d713cabecafa68c2b4575fb4193a8f43cf64fc2f345bc8aa43b9";
}
