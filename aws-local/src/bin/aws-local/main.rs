//! `cargo local`: shows the updater at work on this machine.

mod arguments;
mod serve;
mod updater;

use std::error::Error;
use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use aws_local::AwsLocal;
use aws_local::answer::ApiError;
use aws_local::demo::screen::Line;
use aws_local::demo::world::{self, FUNCTION};
use aws_local::demo::{self, picture};
use clap::Parser;

use crate::arguments::{Arguments, What};

/// The result of a command: false if the updater failed.
type Done = Result<bool, Box<dyn Error>>;

fn main() -> ExitCode {
    let Arguments {
        event,
        svg,
        command,
    } = Arguments::parse();
    let done = match (command, event) {
        (Some(What::Serve(at)), _) => serve::serve(&at),
        (None, Some(file)) => send(&file),
        (None, None) => show(svg.as_deref()),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Plays the demo: a version is published, an alias is moved, and registrations are updated.
fn show(svg: Option<&Path>) -> Done {
    let binary = updater::build()?;
    let aws = AwsLocal::start(0)?;
    let _updater = updater::start(&binary, &aws, &[])?;
    let (mut lines, mut printed) = (Vec::new(), Ok(()));
    let succeeded = demo::play(&aws, &mut |line| {
        print(&mut printed, &line);
        lines.push(line);
    })
    .map_err(told)?;
    printed?;
    if let Some(file) = svg {
        fs::write(file, picture::svg("cargo local", &lines))
            .map_err(|error| format!("{}: {error}", file.display()))?;
    }
    Ok(succeeded)
}

/// Sends one event from a file, in a world in which the sample events' deployments have happened.
fn send(file: &Path) -> Done {
    let event = fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let binary = updater::build()?;
    let aws = AwsLocal::start(0)?;
    world::past(&aws).map_err(told)?;
    let _updater = updater::start(&binary, &aws, &[])?;
    let mut printed = Ok(());
    let mut show = |line| print(&mut printed, &line);
    demo::paragraph(
        &mut show,
        &format!(
            "Sending {} to the updater. Version 7 of the Lambda function {FUNCTION} has been published, \
             and its alias live has been moved to it. AppFlow has stored what version 6 returned.",
            file.display()
        ),
    );
    let succeeded = demo::send(&aws, &event, &mut show);
    printed?;
    Ok(succeeded)
}

/// Prints a line, unless an earlier one could not be printed.
fn print(printed: &mut io::Result<()>, line: &Line) {
    if printed.is_ok() {
        *printed = writeln!(anstream::stdout(), "{line}");
    }
}

fn told(error: ApiError) -> String {
    format!("{}: {}", error.code, error.message)
}
