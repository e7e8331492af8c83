//! Deployment packages, which are connector configurations here.

use std::io::{Cursor, Read};

use base64::prelude::{BASE64_STANDARD, Engine};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// A deployment package, and the connector configuration that its function returns.
#[derive(Clone, Debug, PartialEq)]
pub struct Code {
    pub(super) sha256: String,
    pub(super) size: usize,
    pub(super) configuration: Value,
}

impl Code {
    /// A package: a zip file with a `connector.json` at its root, or that JSON by itself. For any other
    /// package, the connector version is the beginning of its digest.
    pub fn package(bytes: &[u8]) -> Self {
        let sha256 = BASE64_STANDARD.encode(Sha256::digest(bytes));
        let configuration = serde_json::from_slice::<Value>(bytes)
            .ok()
            .or_else(|| serde_json::from_slice(&connector_json(bytes)?).ok())
            .filter(Value::is_object)
            .unwrap_or_else(
                || json!({ "connectorName": "package", "connectorVersion": sha256.get(..8) }),
            );
        Self {
            sha256,
            size: bytes.len(),
            configuration,
        }
    }

    /// A connector of which only the version matters.
    pub fn connector(version: &str) -> Self {
        let configuration = json!({
            "connectorName": "Acme CRM",
            "connectorOwner": "Acme",
            "connectorVersion": version,
            "connectorModes": ["SOURCE"],
            "canUseAsSource": true,
            "canUseAsDestination": false,
            "authenticationConfig": { "isApiKeyAuthSupported": true },
            "supportedApiVersions": ["v1"],
            "supportedOperators": ["PROJECTION", "EQUAL_TO"],
            "supportedTriggerTypes": ["Scheduled", "OnDemand"],
        });
        Self::package(configuration.to_string().as_bytes())
    }
}

/// The `connector.json` of a zip file.
fn connector_json(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).ok()?;
    let mut text = Vec::new();
    archive
        .by_name("connector.json")
        .ok()?
        .read_to_end(&mut text)
        .ok()?;
    Some(text)
}
