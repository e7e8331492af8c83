//! RSA certificates, as AWS's endpoints have them: verifying their signatures takes less CPU time than verifying
//! those of the certificates that `aws_local` makes. `openssl` makes them, because ring cannot make RSA keys.

use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;

use aws_local::tls::{Authority, HOST};

/// The kinds of certificates, each signed by the one before.
const KINDS: [&str; 3] = ["root", "intermediate", "leaf"];

/// An authority, an intermediate one, and a certificate for the services, all with RSA keys of 2048 bits.
pub fn authority(folder: &Path) -> io::Result<Authority> {
    let folder = folder.join("certificates");
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("extensions"), extensions())?;
    for (number, kind) in KINDS.into_iter().enumerate() {
        let name = format!("/CN=connector-updater benchmark {kind}");
        let key = format!("{kind}.key");
        let new = [
            "req",
            "-new",
            "-newkey",
            "rsa:2048",
            "-sha256",
            "-nodes",
            "-config",
            "extensions",
            "-subj",
            &name,
            "-keyout",
            &key,
        ];
        let (request, certificate) = (format!("{kind}.csr"), format!("{kind}.pem"));
        let Some(signer) = number.checked_sub(1).map(|number| KINDS[number]) else {
            let signed = [
                "-x509",
                "-days",
                "7",
                "-extensions",
                kind,
                "-out",
                &certificate,
            ];
            openssl(&folder, &[&new[..], &signed].concat())?;
            continue;
        };
        openssl(&folder, &[&new[..], &["-out", &request]].concat())?;
        let (authority, authority_key) = (format!("{signer}.pem"), format!("{signer}.key"));
        openssl(
            &folder,
            &[
                "x509",
                "-req",
                "-in",
                &request,
                "-CA",
                &authority,
                "-CAkey",
                &authority_key,
                "-set_serial",
                &number.to_string(),
                "-sha256",
                "-days",
                "7",
                "-extfile",
                "extensions",
                "-extensions",
                kind,
                "-out",
                &certificate,
            ],
        )?;
    }
    let text = |name: &str| fs::read_to_string(folder.join(name));
    let chain = text("leaf.pem")? + &text("intermediate.pem")?;
    Authority::with_chain(text("root.pem")?, &chain, &text("leaf.key")?)
}

/// OpenSSL's configuration, with a section for each kind. Python verifies with OpenSSL's strict mode, which
/// requires the key identifiers.
fn extensions() -> String {
    format!(
        "[req]\ndistinguished_name = name\n[name]\n\
         [root]\nbasicConstraints = critical, CA:TRUE\nkeyUsage = critical, keyCertSign, cRLSign\n\
         subjectKeyIdentifier = hash\n\
         [intermediate]\nbasicConstraints = critical, CA:TRUE, pathlen:0\n\
         keyUsage = critical, keyCertSign, cRLSign\nsubjectKeyIdentifier = hash\n\
         authorityKeyIdentifier = keyid\n\
         [leaf]\nbasicConstraints = critical, CA:FALSE\n\
         keyUsage = critical, digitalSignature, keyEncipherment\nextendedKeyUsage = serverAuth\n\
         subjectAltName = DNS:{HOST}\nsubjectKeyIdentifier = hash\nauthorityKeyIdentifier = keyid\n"
    )
}

fn openssl(folder: &Path, arguments: &[&str]) -> io::Result<()> {
    let output = Command::new("openssl")
        .args(arguments)
        .current_dir(folder)
        .output()
        .map_err(|error| {
            let message = format!(
                "the benchmark needs the command `openssl`, which makes its RSA certificates: {error}"
            );
            io::Error::new(error.kind(), message)
        })?;
    if output.status.success() {
        return Ok(());
    }
    let (command, error) = (arguments.join(" "), String::from_utf8_lossy(&output.stderr));
    Err(io::Error::other(format!("openssl {command}: {error}")))
}
