//! Takes the root certificates of Amazon Trust Services from Mozilla's list, for src/aws/https.rs.

use std::env;
use std::error::Error;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use base64::prelude::{BASE64_STANDARD, Engine};
use sha2::{Digest, Sha256};
use webpki_root_certs::TLS_SERVER_ROOT_CERTS;

/// The SHA-256 fingerprints of the roots that AWS asks clients to trust, all five of them
/// (<https://docs.aws.amazon.com/general/latest/gr/certificates.html>), under their names.
const AMAZON: [(&str, &str); 5] = [
    // Until January 2038.
    (
        "Amazon Root CA 1",
        "8ecde6884f3d87b1125ba31ac3fcb13d7016de7f57cc904fe1cb97c6ae98196e",
    ),
    // Until May 2040.
    (
        "Amazon Root CA 2",
        "1ba5b2aa8c65401a82960118f80bec4f62304d83cec4713a19c39c011ea46db4",
    ),
    // Until May 2040.
    (
        "Amazon Root CA 3",
        "18ce6cfe7bf14e60b2e347b8dfe868cb31d02ebb3ada271569f50343b46db3a4",
    ),
    // Until May 2040.
    (
        "Amazon Root CA 4",
        "e35d28419ed02025cfa69038cd623962458da5c695fbdea3c22b0bfb25897092",
    ),
    // Until December 2037.
    (
        "Starfield Services Root Certificate Authority - G2",
        "568d6905a2c88708a4b3025190edcfedb1974a606a13c6e5290fcb2ae63edab5",
    ),
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    let mut pem = String::new();
    for (name, fingerprint) in AMAZON {
        let certificate = TLS_SERVER_ROOT_CERTS
            .iter()
            .find(|certificate| hex(&Sha256::digest(certificate)) == fingerprint)
            .ok_or_else(|| format!("webpki-root-certs has no {name} with this fingerprint"))?;
        pem += "-----BEGIN CERTIFICATE-----\n";
        let text = BASE64_STANDARD.encode(certificate);
        for line in text.as_bytes().chunks(64) {
            pem += str::from_utf8(line)?;
            pem.push('\n');
        }
        pem += "-----END CERTIFICATE-----\n";
    }
    let folder = env::var_os("OUT_DIR").ok_or("cargo gives no OUT_DIR")?;
    fs::write(Path::new(&folder).join("amazon-roots.pem"), pem)?;
    Ok(())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
