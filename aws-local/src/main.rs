//! `cargo local`: the whole loop on this machine.

use std::env;
use std::error::Error;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::thread;
use std::time::Duration;

use aws_local::AwsLocal;
use aws_local::bootstrap::Bootstrap;
use aws_local::containers;
use aws_local::demo;
use aws_local::place;
use aws_local::runtime_api::Outcome;
use clap::{Parser, Subcommand};
use serde_json::Value;

/// Shows AppFlow's registrations being updated by the real connector-updater, on this machine.
///
/// The updater's own settings, such as DRY_RUN, are taken from the environment.
#[derive(Parser)]
#[command(name = "cargo local", bin_name = "cargo local")]
struct Arguments {
    /// Send this event, one of events/ for instance, instead of deploying a new version
    #[arg(long, value_name = "FILE")]
    event: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<What>,
}

#[derive(Subcommand)]
enum What {
    /// Keep AppFlow, Lambda and the updater up for other clients, until interrupted
    Serve {
        /// The port to listen on; 0 for any that is free
        #[arg(long, default_value_t = PORT)]
        port: u16,
        /// The address to listen on
        #[arg(long, default_value_t = Ipv4Addr::LOCALHOST.into(), conflicts_with = "for_containers")]
        host: IpAddr,
        /// Listen where containers on this machine reach it, on Linux and with Docker Desktop
        #[arg(long)]
        for_containers: bool,
    },
}

/// The port that samconfig.toml has `sam local invoke` call.
const PORT: u16 = 4600;

/// The updater's settings that are passed on to it.
const SETTINGS: [&str; 7] = [
    "CONNECTOR_LABELS",
    "FUNCTION_NAME_PREFIX",
    "REGISTER_AS",
    "UPDATE_DESCRIPTION",
    "GRANT_INVOKE",
    "DRY_RUN",
    "AWS_LAMBDA_LOG_LEVEL",
];

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match (arguments.command, arguments.event) {
        (
            Some(What::Serve {
                port,
                host,
                for_containers,
            }),
            _,
        ) => serve(host, port, for_containers),
        (None, Some(file)) => send(&file),
        (None, None) => show(),
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

type Done = Result<ExitCode, Box<dyn Error>>;

/// The main job: a version is published, an alias moved, and AppFlow follows.
fn show() -> Done {
    let binary = build()?;
    let aws = AwsLocal::start(0)?;
    demo::register(&aws).map_err(told)?;
    let _updater = Bootstrap::start(binary, &aws, &variables(&settings()))?;

    println!("A connector's function is registered with AppFlow in three forms, at version 6.");
    demo::publish_next(&aws).map_err(told)?;
    let first = deliver(&aws, "Version 7 is published.");
    demo::move_alias(&aws).map_err(told)?;
    let second = deliver(&aws, "The alias `live` is pointed at version 7.");
    Ok(if first && second {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Sends the events that have happened to the updater.
fn deliver(aws: &AwsLocal, what: &str) -> bool {
    println!("\n{what}");
    aws.take_events()
        .into_iter()
        .all(|event| invoke(aws, &event.to_string()))
}

/// Sends one event from a file, to a world in which what the sample events tell has happened.
fn send(file: &Path) -> Done {
    let event = fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let binary = build()?;
    let aws = AwsLocal::start(0)?;
    past(&aws)?;
    let _updater = Bootstrap::start(binary, &aws, &variables(&settings()))?;
    println!("{} is sent to the updater.", file.display());
    Ok(if invoke(&aws, &event) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Version 7 is published and the alias moved, and AppFlow has not been told.
fn past(aws: &AwsLocal) -> Result<(), Box<dyn Error>> {
    demo::register(aws).map_err(told)?;
    demo::publish_next(aws).map_err(told)?;
    demo::move_alias(aws).map_err(told)?;
    aws.take_events();
    Ok(())
}

fn serve(host: IpAddr, port: u16, for_containers: bool) -> Done {
    let host = if for_containers {
        containers::address()?
    } else {
        host
    };
    let binary = build()?;
    let aws = AwsLocal::listen(SocketAddr::new(host, port))?;
    past(&aws)?;
    aws.state().delivering = true;
    let mut settings = settings();
    settings.push(("AWS_LAMBDA_LOG_FORMAT".to_owned(), "Text".to_owned()));
    let mut updater = Bootstrap::start(binary, &aws, &variables(&settings))?;

    let endpoint = aws.endpoint();
    println!("AppFlow, Lambda and the updater are at {endpoint}, with any credentials:");
    println!();
    // Version 1 of the AWS CLI reads AWS_DEFAULT_REGION alone.
    println!(
        "  export AWS_ENDPOINT_URL={endpoint} AWS_REGION={0} AWS_DEFAULT_REGION={0}",
        place::REGION
    );
    println!("  export AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local");
    println!("  echo '{{\"connectorVersion\": \"2.0\"}}' > connector.json");
    println!("  python3 -m zipfile -c connector.zip connector.json");
    println!(
        "  aws lambda update-function-code --function-name {} \\",
        demo::FUNCTION
    );
    println!("    --publish --zip-file fileb://connector.zip");
    println!("  aws appflow list-connectors");
    println!("  echo '{{\"sweep\": {{}}}}' > sweep.json");
    println!("  aws lambda invoke --function-name {} \\", place::UPDATER);
    println!("    --payload fileb://sweep.json response.json");
    println!();
    if for_containers {
        println!("In a container, after `sam build`:");
        println!();
        print!("  sam local invoke --event events/alias-moved.json");
        let (_, port) = endpoint.rsplit_once(':').unwrap_or_default();
        if port != PORT.to_string() {
            let inside = format!("http://{}:{port}", containers::HOST);
            print!(
                " \\\n    --parameter-overrides GrantInvoke=true \\\n      AppFlowEndpoint={inside} LambdaEndpoint={inside}"
            );
        }
        println!("\n");
    }
    println!("What the updater logs:");
    let mut printed = 0;
    loop {
        let lines = updater.lines();
        for line in &lines[printed..] {
            println!("{line}");
        }
        printed = lines.len();
        if let Some(code) = updater.ended(Duration::ZERO)? {
            return Err(format!("the updater has ended with exit code {code}").into());
        }
        thread::sleep(Duration::from_millis(100));
    }
}

/// Invokes the updater, and prints what AppFlow had and has. False if the invocation failed.
fn invoke(aws: &AwsLocal, event: &str) -> bool {
    let before = view(aws);
    let outcome = aws.invoke(event.to_owned());
    let after = view(aws);
    let (answer, failed) = match &outcome {
        Outcome::Answer(answer) => (answer.clone(), None),
        Outcome::Error {
            error_type,
            message,
        }
        | Outcome::NotStarted {
            error_type,
            message,
        } => (Value::Null, Some(format!("{error_type}: {message}"))),
        Outcome::TimedOut => (Value::Null, Some("the updater did not answer".to_owned())),
    };

    println!();
    println!(
        "  {:<16} {:<16} {:<16} the updater says",
        "registration", "AppFlow had", "AppFlow has"
    );
    for ((label, had), (_, has)) in before.iter().zip(&after) {
        let said = answer["connectors"]
            .as_array()
            .into_iter()
            .flatten()
            .find(|connector| connector["connectorLabel"] == *label)
            .map(|connector| {
                let outcome = connector["outcome"].as_str().unwrap_or_default();
                match connector["reason"].as_str() {
                    Some(reason) => format!("{outcome}: {reason}"),
                    None => outcome.to_owned(),
                }
            })
            .unwrap_or_default();
        println!("  {label:<16} {had:<16} {has:<16} {said}");
    }
    if let Some(ignored) = answer["ignored"].as_str() {
        println!("\n  ignored: {ignored}");
    }
    if let Some(failed) = &failed {
        println!("\n  failed: {failed}");
    }
    failed.is_none()
}

/// For each registration, the connector version that AppFlow holds and the qualifier that it is
/// registered with.
fn view(aws: &AwsLocal) -> Vec<(String, String)> {
    aws.state()
        .appflow
        .registrations()
        .iter()
        .map(|(label, registration)| {
            let version = &registration.configuration["connectorVersion"];
            let qualifier = registration
                .lambda_arn
                .split(':')
                .nth(7)
                .map_or_else(|| "unqualified".to_owned(), |text| format!(":{text}"));
            let version = version.as_str().unwrap_or("?");
            (label.clone(), format!("{version} {qualifier}"))
        })
        .collect()
}

/// The updater's settings: AppFlow may invoke new versions, and what the environment says.
fn settings() -> Vec<(String, String)> {
    let own = SETTINGS
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), env::var(name).ok()?)));
    [("GRANT_INVOKE".to_owned(), "true".to_owned())]
        .into_iter()
        .chain(own)
        .collect()
}

fn variables(settings: &[(String, String)]) -> Vec<(&str, &str)> {
    settings
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect()
}

/// Builds the updater beside this program, and gives its path.
fn build() -> Result<PathBuf, Box<dyn Error>> {
    let own = env::current_exe()?;
    let binary = own.with_file_name(format!("connector-updater{}", env::consts::EXE_SUFFIX));
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.toml");
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .args(["build", "--package", "connector-updater", "--manifest-path"])
        .arg(manifest);
    // What cargo tells this program about its own package is no business of another one: build
    // scripts that look at it would run again each time.
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
        Err("the updater does not build".into())
    }
}

fn told(error: aws_local::answer::ApiError) -> String {
    format!("{}: {}", error.code, error.message)
}
