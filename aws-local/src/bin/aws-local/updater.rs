//! Builds the updater from this project, and runs it with the settings of the environment.

use std::env;
use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use aws_local::AwsLocal;
use aws_local::bootstrap::Bootstrap;
use aws_local::demo;

/// The settings that the updater gets from the environment.
const SETTINGS: [&str; 7] = [
    "CONNECTOR_LABELS",
    "FUNCTION_NAME_PREFIX",
    "REGISTER_AS",
    "UPDATE_DESCRIPTION",
    "GRANT_INVOKE",
    "DRY_RUN",
    "AWS_LAMBDA_LOG_LEVEL",
];

/// Builds the updater next to this program, and returns its path.
pub(crate) fn build() -> Result<PathBuf, Box<dyn Error>> {
    let own = env::current_exe()?;
    let binary = own.with_file_name(format!("connector-updater{}", env::consts::EXE_SUFFIX));
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.toml");
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .args(["build", "--package", "connector-updater", "--manifest-path"])
        .arg(manifest);
    // cargo sets these variables for this program's own package. Another build must not see them, or
    // build scripts that read them would run again each time.
    for (name, _) in env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            cargo.env_remove(&*name);
        }
    }
    if !cfg!(debug_assertions) {
        cargo.arg("--release");
    }
    if cargo.status()?.success() {
        Ok(binary)
    } else {
        Err("failed to build the updater".into())
    }
}

/// Starts it with the demo's settings, the environment's, and more variables; later ones override.
pub(crate) fn start(binary: &Path, aws: &AwsLocal, more: &[(&str, &str)]) -> io::Result<Bootstrap> {
    let own: Vec<(&str, String)> = SETTINGS
        .iter()
        .filter_map(|name| Some((*name, env::var(name).ok()?)))
        .collect();
    let variables: Vec<(&str, &str)> = demo::SETTINGS
        .into_iter()
        .chain(own.iter().map(|(name, value)| (*name, value.as_str())))
        .chain(more.iter().copied())
        .collect();
    Bootstrap::start(binary, aws, &variables)
}
