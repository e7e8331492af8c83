//! `cargo local serve`: AppFlow, Lambda, and the updater for other clients.

use std::io::Write;
use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

use aws_local::AwsLocal;
use aws_local::containers;
use aws_local::demo::screen::{Line, Look};
use aws_local::demo::world::{self, FUNCTION};
use aws_local::place::{REGION, UPDATER};

use crate::arguments::{At, PORT};
use crate::{Done, told, updater};

/// Serves until it is interrupted, or the updater exits.
pub(crate) fn serve(at: &At) -> Done {
    let host = if at.for_containers {
        containers::address()?
    } else {
        at.host
    };
    let binary = updater::build()?;
    let aws = AwsLocal::listen(SocketAddr::new(host, at.port))?;
    world::past(&aws).map_err(told)?;
    aws.state().delivering = true;
    let mut updater = updater::start(&binary, &aws, &[("AWS_LAMBDA_LOG_FORMAT", "Text")])?;

    let mut out = anstream::stdout();
    let endpoint = aws.endpoint();
    for (what, commands) in introduction(&endpoint, at.for_containers) {
        writeln!(out, "{what}\n")?;
        for command in commands {
            writeln!(out, "{}", Line::blank().put(2, Look::Command, command))?;
        }
        writeln!(out)?;
    }
    writeln!(out, "The updater's log:")?;
    let mut printed = 0;
    loop {
        let lines = updater.lines();
        for line in &lines[printed..] {
            writeln!(out, "{line}")?;
        }
        printed = lines.len();
        if let Some(code) = updater.ended(Duration::ZERO)? {
            return Err(format!("the updater exited with code {code}").into());
        }
        thread::sleep(Duration::from_millis(100));
    }
}

/// Commands to paste into another terminal, in paragraphs.
fn introduction(endpoint: &str, for_containers: bool) -> Vec<(String, Vec<String>)> {
    let mut paragraphs = vec![
        (
            format!(
                "AppFlow, Lambda, and the updater are at {endpoint}, with any credentials.\n\
                 Press Ctrl-C to stop them. In another terminal (AWS CLI 1.29, 2.13, or later):"
            ),
            vec![
                format!("export AWS_ENDPOINT_URL={endpoint}"),
                // Version 1 of the AWS CLI reads only AWS_DEFAULT_REGION.
                format!("export AWS_REGION={REGION} AWS_DEFAULT_REGION={REGION}"),
                "export AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local".to_owned(),
            ],
        ),
        (
            "Deploy the connector's function, and see what AppFlow has afterward:".to_owned(),
            vec![
                r#"echo '{"connectorVersion": "2.0"}' > connector.json"#.to_owned(),
                "python3 -m zipfile -c connector.zip connector.json".to_owned(),
                format!("aws lambda update-function-code --function-name {FUNCTION} \\"),
                "  --publish --zip-file fileb://connector.zip".to_owned(),
                "aws appflow list-connectors --output table \\".to_owned(),
                "  --query 'connectors[?connectorLabel].[connectorLabel, connectorVersion]'"
                    .to_owned(),
            ],
        ),
        (
            "Sweep all registrations, which also updates the one with the alias:".to_owned(),
            vec![
                r#"echo '{"sweep": {}}' > sweep.json"#.to_owned(),
                format!("aws lambda invoke --function-name {UPDATER} \\"),
                "  --payload fileb://sweep.json response.json".to_owned(),
                "cat response.json".to_owned(),
            ],
        ),
    ];
    if for_containers {
        let mut invoke = vec!["sam local invoke --event events/alias-moved.json".to_owned()];
        let (_, port) = endpoint.rsplit_once(':').unwrap_or_default();
        if port != PORT.to_string() {
            let inside = format!("http://{}:{port}", containers::HOST);
            invoke[0].push_str(" \\");
            invoke.push("  --parameter-overrides GrantInvoke=true \\".to_owned());
            invoke.push(format!(
                "    AppFlowEndpoint={inside} LambdaEndpoint={inside}"
            ));
        }
        paragraphs.push(("In a container, after `sam build`:".to_owned(), invoke));
    }
    paragraphs
}
