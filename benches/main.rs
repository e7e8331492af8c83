//! `cargo bench`: the updater beside its peers, driven as Lambda drives them, with AppFlow and Lambda
//! behind TLS on this machine.
//!
//! Everything is measured in turns in one run, so that whatever else the machine does meets all
//! alike; compare the figures of one run with each other, never with those of another.

#![allow(unreachable_pub)] // nothing reaches into a benchmark

mod contestants;
mod figures;
mod measure;
mod plot;
mod tables;
mod world;

use std::error::Error;
use std::fs;
use std::io::{self, IsTerminal, Write};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use aws_local::faults::{Allowance, Kind};
use clap::Parser;
use zip::write::SimpleFileOptions;

use crate::contestants::{Contestant, PLAIN, UPDATER};
use crate::figures::{Figures, Results, Scale, Spread};
use crate::measure::Started;
use crate::world::World;

/// Measures connector-updater beside a handler that does nothing, the plain way to write it, and the
/// same in Python where python3 has boto3 and awslambdaric.
#[derive(Parser)]
#[command(name = "cargo bench --", bin_name = "cargo bench --")]
struct Arguments {
    /// Cold starts of each contestant
    #[arg(long, default_value = "20")]
    cold: NonZeroUsize,
    /// Warm invocations of each contestant
    #[arg(long, default_value_t = 200)]
    warm: usize,
    /// How many registrations to measure sweeps and events with
    #[arg(long, value_delimiter = ',', default_value = "10,100,1000")]
    registrations: Vec<NonZeroUsize>,
    /// A Python that has boto3 and awslambdaric
    #[arg(long, default_value = "python3")]
    python: String,
    /// Another bootstrap to measure in turns with the rest, such as one built before a change
    #[arg(long, value_name = "NAME=FILE", value_parser = also)]
    also: Vec<(String, PathBuf)>,
    /// Where the figures and the plot go; by default below the target folder
    #[arg(long, value_name = "FOLDER")]
    save: Option<PathBuf>,
    /// What cargo passes to every benchmark
    #[arg(long, hide = true)]
    bench: bool,
}

/// What every answer takes when many registrations are measured.
const LATENCY: Duration = Duration::from_millis(20);
/// The rate above which throttling services refuse calls.
const CALLS_PER_SECOND: u32 = 50;
/// How many registrations throttling services are measured with.
const THROTTLED: [usize; 2] = [100, 500];
const MEGABYTE: f64 = 1_000_000.0;

fn also(text: &str) -> Result<(String, PathBuf), String> {
    let (name, file) = text.split_once('=').ok_or("it has to be NAME=FILE")?;
    Ok((name.to_owned(), file.into()))
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    // cargo's own: the folder that it builds into, with `tmp` in it.
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let target = scratch.parent().ok_or("no target folder")?;
    // cargo runs benchmarks in their package's folder, and people name files from the project's.
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let save = match arguments.save {
        Some(folder) => root.join(folder),
        None => target.join("performance"),
    };

    println!("building …");
    let mut contestants = contestants::build(target, &arguments.python)?;
    contestants.extend(
        arguments
            .also
            .iter()
            .map(|(name, file)| Contestant::rust(name, root.join(file))),
    );

    let cold = arguments.cold.get();
    let registrations: Vec<usize> = arguments.registrations.iter().map(|n| n.get()).collect();
    let results = Results {
        machine: machine(),
        cold_starts: cold,
        warm_invocations: arguments.warm,
        contestants: compare(&contestants, cold, arguments.warm, scratch)?,
        scale: scale(&contestants, &registrations, scratch)?,
        calls_per_second: CALLS_PER_SECOND,
        throttled: throttled(&contestants, &registrations, scratch)?,
    };
    progress("");
    println!("{}", tables::all(&results));

    fs::create_dir_all(&save)?;
    let figures = save.join("performance.json");
    let plot = save.join("performance.svg");
    fs::write(&figures, serde_json::to_string_pretty(&results)? + "\n")?;
    fs::write(&plot, plot::svg(&results))?;
    println!("\n{}\n{}", figures.display(), plot.display());
    Ok(())
}

/// What one contestant has shown so far, in milliseconds and bytes.
#[derive(Default)]
struct Samples {
    to_ready: Vec<f64>,
    first_answer: Vec<f64>,
    cold_start: Vec<f64>,
    warm: Vec<f64>,
    cpu: Vec<f64>,
    peak_memory: Vec<f64>,
}

/// Cold starts and warm invocations with one connector, in turns.
fn compare(
    contestants: &[Contestant],
    cold: usize,
    warm: usize,
    scratch: &Path,
) -> io::Result<Vec<Figures>> {
    let mut samples: Vec<Samples> = contestants.iter().map(|_| Samples::default()).collect();
    for round in 0..cold {
        progress(&format!("cold start {} of {cold}", round + 1));
        // This round's share of the warm invocations.
        let warm = warm * (round + 1) / cold - warm * round / cold;
        for (contestant, samples) in contestants.iter().zip(&mut samples) {
            let mut world = World::new(1, scratch)?;
            let event = world.deploy()?;
            let mut started = Started::with(contestant, &world, event)?;
            samples.to_ready.push(milliseconds(started.to_ready));
            samples
                .first_answer
                .push(milliseconds(started.first_answer));
            samples.cold_start.push(milliseconds(started.both));
            samples.cpu.extend(started.cpu.map(milliseconds));
            let memory = started.peak_memory();
            samples
                .peak_memory
                .extend(memory.map(|bytes| bytes as f64 / MEGABYTE));
            for _ in 0..warm {
                let event = world.deploy()?;
                let time = started.again(contestant, &world.aws, event)?;
                samples.warm.push(milliseconds(time));
            }
            if contestant.works {
                world.check()?;
            }
        }
    }
    contestants
        .iter()
        .zip(samples)
        .map(|(contestant, samples)| {
            let spread = |values| Spread::of(values).ok_or_else(|| io::Error::other("no sample"));
            let package = contestant.package.as_ref().map(fs::read).transpose()?;
            Ok(Figures {
                name: contestant.name.clone(),
                works: contestant.works,
                to_ready_ms: spread(samples.to_ready)?,
                first_answer_ms: spread(samples.first_answer)?,
                cold_start_ms: spread(samples.cold_start)?,
                warm_ms: Spread::of(samples.warm),
                cpu_ms: Spread::of(samples.cpu),
                peak_memory_mb: Spread::of(samples.peak_memory),
                size_mb: package.as_ref().map(|file| file.len() as f64 / MEGABYTE),
                zipped_mb: package
                    .as_deref()
                    .map(zipped)
                    .transpose()?
                    .map(|bytes| bytes as f64 / MEGABYTE),
            })
        })
        .collect()
}

/// Events and sweeps over many registrations, with services that take their time.
fn scale(
    contestants: &[Contestant],
    registrations: &[usize],
    scratch: &Path,
) -> io::Result<Vec<Scale>> {
    let mut runs = Vec::new();
    for &registrations in registrations {
        for occasion in [Occasion::Event, Occasion::Sweep] {
            for contestant in contestants {
                if [UPDATER, PLAIN].contains(&contestant.name.as_str()) {
                    let slow = Kind::Slow(LATENCY);
                    runs.push(once(contestant, occasion, registrations, slow, scratch)?);
                }
            }
        }
    }
    Ok(runs)
}

/// The updater's sweeps with services that throttle.
fn throttled(
    contestants: &[Contestant],
    registrations: &[usize],
    scratch: &Path,
) -> io::Result<Vec<Scale>> {
    let most = registrations.iter().max().copied().unwrap_or_default();
    let mut runs = Vec::new();
    for registrations in THROTTLED.into_iter().filter(|number| *number <= most) {
        for contestant in contestants {
            if contestant.name == UPDATER {
                let rate = Kind::AboveRate(Allowance::per_second(CALLS_PER_SECOND));
                let occasion = Occasion::Sweep;
                runs.push(once(contestant, occasion, registrations, rate, scratch)?);
            }
        }
    }
    Ok(runs)
}

#[derive(Clone, Copy, PartialEq)]
enum Occasion {
    Event,
    Sweep,
}

impl Occasion {
    fn name(self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::Sweep => "sweep",
        }
    }
}

/// One invocation of a new process.
fn once(
    contestant: &Contestant,
    occasion: Occasion,
    registrations: usize,
    fault: Kind,
    scratch: &Path,
) -> io::Result<Scale> {
    progress(&format!(
        "{} of {registrations} registrations, {}",
        occasion.name(),
        contestant.name
    ));
    let mut world = World::new(registrations, scratch)?;
    let event = world.deploy()?;
    let payload = match occasion {
        Occasion::Event => event,
        // The event is lost.
        Occasion::Sweep => r#"{"sweep": {}}"#.to_owned(),
    };
    world.every_call(fault);
    let started = Started::with(contestant, &world, payload)?;
    world.check()?;
    let calls = world.aws.take_calls();
    let count = |operation: &str| {
        let calls = calls.iter().filter(|call| call.operation == operation);
        calls.filter(|call| call.error.is_none()).count()
    };
    Ok(Scale {
        name: contestant.name.clone(),
        occasion: occasion.name(),
        registrations,
        lists: count("ListConnectors"),
        describes: count("DescribeConnector"),
        readiness_looks: count("GetFunctionConfiguration"),
        updates: count("UpdateConnectorRegistration"),
        refused: calls.iter().filter(|call| call.error.is_some()).count(),
        wall_s: started.first_answer.as_secs_f64(),
        peak_memory_mb: started.peak_memory().map(|bytes| bytes as f64 / MEGABYTE),
    })
}

/// The size of a package with this one file. SAM compresses with zlib at its level 6, which this
/// library's level 9 comes closest to.
fn zipped(file: &[u8]) -> io::Result<usize> {
    let mut archive = zip::ZipWriter::new(io::Cursor::new(Vec::new()));
    archive.start_file(
        "bootstrap",
        SimpleFileOptions::default().compression_level(Some(9)),
    )?;
    archive.write_all(file)?;
    Ok(archive.finish()?.into_inner().len())
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn machine() -> String {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let information = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = information
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(':'))
        .map_or(std::env::consts::ARCH, |(_, name)| name.trim());
    format!("{processors} processors ({name})")
}

/// Says what is going on in one line of a terminal, if there is one.
fn progress(what: &str) {
    if io::stderr().is_terminal() {
        eprint!("\r\x1b[K{what}");
    }
}
