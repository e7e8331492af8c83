//! The command line, and its help.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{Args, Parser, Subcommand};

/// The port in samconfig.toml, for `sam local invoke`.
pub(crate) const PORT: u16 = 4600;

/// cargo's own colors.
const STYLES: Styles = Styles::styled()
    .header(AnsiColor::BrightGreen.on_default().bold())
    .usage(AnsiColor::BrightGreen.on_default().bold())
    .literal(AnsiColor::BrightCyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

/// Show connector-updater at work on this machine, without an AWS account
///
/// Starts a local AppFlow, a local Lambda, and the updater. Registers a connector's function with
/// AppFlow in three forms: without a qualifier, with an alias, and with a version. Then publishes a
/// version of the function, and moves the alias. For each registration, it shows what AppFlow had
/// stored before and after, and the outcome that the updater reported.
///
/// The updater is the real program, built from this project and run as Lambda runs it.
#[derive(Parser)]
#[command(
    name = "cargo local",
    bin_name = "cargo local",
    styles = STYLES,
    verbatim_doc_comment,
    args_conflicts_with_subcommands = true,
    disable_help_subcommand = true,
    after_long_help = "\
Environment:
  The updater gets its settings from the environment: CONNECTOR_LABELS, DRY_RUN,
  FUNCTION_NAME_PREFIX, GRANT_INVOKE (true by default here), REGISTER_AS, UPDATE_DESCRIPTION, and
  AWS_LAMBDA_LOG_LEVEL. docs/configuration.md describes them.

  NO_COLOR=1 turns colors off. CLICOLOR_FORCE=1 turns them on where the output is not a terminal.

Examples:
  See registrations being updated:
    cargo local

  See what would be updated:
    DRY_RUN=true cargo local

  Send an event of your own, or a sample event:
    cargo local --event events/alias-moved.json

  Use it from the AWS CLI, an SDK, cargo lambda, or sam local:
    cargo local serve

Exit status:
  0 if the updater handled each event, 1 if it failed, 2 if the command line is invalid.

See events/README.md for the sample events, docs/development.md for more to run on this machine,
and README.md for how to deploy the updater."
)]
pub(crate) struct Arguments {
    /// Send an event from a file, such as one of events/, instead of publishing a version
    ///
    /// When it arrives, version 7 has been published, the alias has been moved to it, and
    /// AppFlow has stored what version 6 returned. Any payload can be sent, even one that the
    /// updater rejects.
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with = "svg",
        verbatim_doc_comment
    )]
    pub(crate) event: Option<PathBuf>,
    /// Also write the output to this file, as an SVG image
    #[arg(long, value_name = "FILE")]
    pub(crate) svg: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) command: Option<What>,
}

#[derive(Subcommand)]
pub(crate) enum What {
    /// Keep AppFlow, Lambda, and the updater running for other clients
    ///
    /// Starts a local AppFlow, a local Lambda, and the updater on one port, and prints commands for the
    /// AWS CLI. When you deploy a function, the updater receives the event that CloudTrail and
    /// EventBridge would deliver. You can also invoke the function connector-updater. It runs until you
    /// interrupt it, and saves nothing.
    ///
    /// At startup, version 7 of the function acme-crm-connector has been published, and its alias live
    /// has been moved to it. AppFlow has three registrations of the function, with what version 6
    /// returned.
    #[command(
        verbatim_doc_comment,
        after_long_help = "\
Environment:
  The updater gets its settings from the environment, as `cargo local --help` describes.

Examples:
  Start it, and paste the commands that it prints into another terminal:
    cargo local serve

  Start it on any free port:
    cargo local serve --port 0

  Start it for `sam local invoke`:
    cargo local serve --for-containers

Exit status:
  1 if it cannot start, or if the updater exits. Otherwise, it runs until you interrupt it.

See docs/development.md for how to add faults while it runs, such as throttling, and how to use it
with cargo lambda and sam local."
    )]
    Serve(At),
}

/// Where `serve` listens.
#[derive(Args)]
pub(crate) struct At {
    /// The port to listen on, or 0 for any free port
    #[arg(long, default_value_t = PORT)]
    pub(crate) port: u16,
    /// The address to listen on. Anybody who can reach it can use it
    #[arg(long, default_value_t = Ipv4Addr::LOCALHOST.into(), conflicts_with = "for_containers")]
    pub(crate) host: IpAddr,
    /// Listen where containers on this machine can reach it, on Linux and Docker Desktop
    #[arg(long)]
    pub(crate) for_containers: bool,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn help_fits_100_columns_and_shows_examples() {
        let mut command = Arguments::command();
        command.build();
        for command in [
            &mut command.clone(),
            command.find_subcommand_mut("serve").expect("serve"),
        ] {
            let help = command.render_long_help().to_string();
            assert!(help.contains("Examples:\n"), "{help}");
            for line in help.lines() {
                assert!(line.chars().count() <= 100, "{line}");
            }
        }
    }

    #[test]
    fn options_that_exclude_each_other_are_rejected() {
        for line in [
            "local --event x.json serve",
            "local --svg x.svg serve",
            "local --event x.json --svg x.svg",
            "local serve --host 127.0.0.1 --for-containers",
        ] {
            assert!(
                Arguments::try_parse_from(line.split(' ')).is_err(),
                "{line}"
            );
        }
    }
}
