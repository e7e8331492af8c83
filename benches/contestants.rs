//! What is measured: the updater and its peers, built as they would be deployed.

use std::env;
use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::world::World;

/// A function's program.
pub struct Contestant {
    /// What it is called in the results.
    pub name: String,
    /// What Lambda starts.
    pub bootstrap: PathBuf,
    /// What has to be deployed, where that is all of the program: most of a Python function is in
    /// Lambda's own runtime.
    pub package: Option<PathBuf>,
    /// Whether it does the updater's job.
    pub works: bool,
    python: Option<String>,
}

/// The updater.
pub const UPDATER: &str = "connector-updater";
/// The handler that does nothing.
pub const NOTHING: &str = "nothing";
/// The updater's job, written the plain way.
pub const PLAIN: &str = "plain Rust";
/// The same in Python.
pub const BOTO3: &str = "boto3";

impl Contestant {
    /// A Rust function's bootstrap.
    pub fn rust(name: &str, bootstrap: PathBuf) -> Self {
        Self {
            name: name.to_owned(),
            package: Some(bootstrap.clone()),
            bootstrap,
            works: name != NOTHING,
            python: None,
        }
    }

    /// The variables that differ from those of every bootstrap.
    pub fn variables(&self, world: &World) -> Vec<(&'static str, String)> {
        let mut variables = vec![
            ("AWS_ENDPOINT_URL_APPFLOW", world.tls.appflow.clone()),
            ("AWS_ENDPOINT_URL_LAMBDA", world.tls.lambda.clone()),
        ];
        match &self.python {
            None => variables.push(("SSL_CERT_FILE", world.roots.clone())),
            Some(python) => variables.extend([
                ("AWS_CA_BUNDLE", world.roots.clone()),
                ("AWS_DEFAULT_REGION", aws_local::place::REGION.to_owned()),
                ("PYTHON", python.clone()),
            ]),
        }
        variables
    }
}

/// Builds the updater and its peers in Rust; the one in Python takes part where `python` has
/// `boto3` and `awslambdaric`.
pub fn build(target: &Path, python: &str) -> Result<Vec<Contestant>, Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for package in [UPDATER, NOTHING] {
        cargo(&root, target, &["--package", package, "--bin", package])?;
    }
    let plain = target.join("plain");
    let manifest = root.join("benches/plain/Cargo.toml");
    // From the root of the file system, where this project's configuration of cargo is not in force.
    cargo(
        Path::new("/"),
        &plain,
        &["--manifest-path", &manifest.to_string_lossy()],
    )?;
    let mut contestants = vec![
        Contestant::rust(UPDATER, target.join("release/connector-updater")),
        Contestant::rust(NOTHING, target.join("release/nothing")),
        Contestant::rust(PLAIN, plain.join("release/plain")),
    ];
    match python_with_boto3(python) {
        Ok(python) => contestants.push(Contestant {
            name: BOTO3.to_owned(),
            bootstrap: root.join("benches/boto3/bootstrap"),
            package: None,
            works: true,
            python: Some(python),
        }),
        Err(error) => println!("boto3 does not take part: {error}"),
    }
    Ok(contestants)
}

fn cargo(from: &Path, target: &Path, arguments: &[&str]) -> Result<(), Box<dyn Error>> {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .args(["build", "--release", "--locked", "--quiet"])
        .args(arguments)
        .current_dir(from)
        .env("CARGO_TARGET_DIR", target);
    // What cargo tells this benchmark about its own package is no business of another one: build
    // scripts that look at it would run again each time.
    for (name, _) in env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            cargo.env_remove(&*name);
        }
    }
    if cargo.status()?.success() {
        Ok(())
    } else {
        Err(format!("cargo build {} failed", arguments.join(" ")).into())
    }
}

/// The interpreter's own path, since a bootstrap is started without `PATH`.
fn python_with_boto3(python: &str) -> io::Result<String> {
    let output = Command::new(python)
        .args([
            "-c",
            "import sys, boto3, awslambdaric; print(sys.executable)",
        ])
        .stderr(Stdio::piped())
        .output()?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() {
        Ok(text(&output.stdout))
    } else {
        let error = text(&output.stderr);
        let last = error.lines().last().unwrap_or("it failed").to_owned();
        Err(io::Error::other(last))
    }
}
