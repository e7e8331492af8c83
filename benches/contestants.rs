//! What is measured: the updater and its peers, built as they would be deployed.

use std::env;
use std::error::Error;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use aws_local::bootstrap;
use aws_local::tls::Authority;

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
    trust: Trust,
}

/// How a program learns whom to trust.
enum Trust {
    /// It carries the authority in the place of one of Amazon's, which it trusts in AWS.
    Carried,
    /// From the system's authorities, of which the run's is one.
    System,
    /// The same, run by this Python.
    Python(String),
}

/// The updater.
pub const UPDATER: &str = "connector-updater";
/// The handler that does nothing.
pub const NOTHING: &str = "no-op handler";
/// The updater's job, written the plain way.
pub const PLAIN: &str = "Rust, SDK defaults";
/// The same in Python.
pub const BOTO3: &str = "Python, boto3";

impl Contestant {
    /// A Rust function's bootstrap.
    pub fn rust(name: &str, bootstrap: PathBuf) -> Self {
        Self {
            name: name.to_owned(),
            package: Some(bootstrap.clone()),
            bootstrap,
            works: name != NOTHING,
            trust: Trust::System,
        }
    }

    /// An updater's bootstrap, which trusts the run's authority as it trusts Amazon's in AWS; or the system's
    /// authorities, if it was built before it carried any.
    pub fn updater(
        name: &str,
        bootstrap: PathBuf,
        authority: &Authority,
        scratch: &Path,
    ) -> io::Result<Self> {
        let contestant = Self::rust(name, bootstrap);
        let program = fs::read(&contestant.bootstrap)?;
        let Some(copy) = bootstrap::trusting(&program, &authority.certificate) else {
            return Ok(contestant);
        };
        let path = scratch.join(format!("{name} that trusts"));
        fs::write(&path, copy)?;
        fs::set_permissions(&path, fs::metadata(&contestant.bootstrap)?.permissions())?;
        Ok(Self {
            bootstrap: path,
            trust: Trust::Carried,
            ..contestant
        })
    }

    /// The variables that differ from those of every bootstrap.
    pub fn variables(&self, world: &World) -> Vec<(&'static str, String)> {
        let mut variables = vec![
            ("AWS_ENDPOINT_URL_APPFLOW", world.tls.appflow.clone()),
            ("AWS_ENDPOINT_URL_LAMBDA", world.tls.lambda.clone()),
        ];
        match &self.trust {
            Trust::Carried => {}
            Trust::System => variables.push(("SSL_CERT_FILE", world.system_roots.clone())),
            Trust::Python(python) => variables.extend([
                ("AWS_CA_BUNDLE", world.system_roots.clone()),
                ("AWS_DEFAULT_REGION", aws_local::place::REGION.to_owned()),
                ("PYTHON", python.clone()),
            ]),
        }
        variables
    }
}

/// Builds the updater and its peers in Rust; the one in Python takes part where `python` has
/// `boto3` and `awslambdaric`.
pub fn build(
    target: &Path,
    python: &str,
    authority: &Authority,
    scratch: &Path,
) -> Result<Vec<Contestant>, Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for package in ["connector-updater", "nothing"] {
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
        Contestant::updater(
            UPDATER,
            target.join("release/connector-updater"),
            authority,
            scratch,
        )?,
        Contestant::rust(NOTHING, target.join("release/nothing")),
        Contestant::rust(PLAIN, plain.join("release/plain")),
    ];
    match python_with_boto3(python) {
        Ok(python) => contestants.push(Contestant {
            name: BOTO3.to_owned(),
            bootstrap: root.join("benches/boto3/bootstrap"),
            package: None,
            works: true,
            trust: Trust::Python(python),
        }),
        Err(error) => println!("{BOTO3} does not take part: {error}"),
    }
    if !matches!(contestants[0].trust, Trust::Carried) {
        return Err("the updater carries no authority to replace by the run's".into());
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
    // What cargo tells this benchmark about its own package does not apply to another package: build
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
