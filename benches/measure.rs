//! One process of one contestant, and what it cost.

use std::fs;
use std::io;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use aws_local::AwsLocal;
use aws_local::bootstrap::Bootstrap;
use aws_local::runtime_api::{Invocation, Outcome};

use crate::contestants::Contestant;
use crate::world::World;

/// What Lambda allows an invocation at most.
const TIMEOUT: Duration = Duration::from_secs(900);

/// A process that has answered its first invocation.
pub struct Started {
    process: Bootstrap,
    /// From starting the process to its asking for an invocation.
    pub to_ready: Duration,
    /// From being handed the first invocation to its answer.
    pub first_answer: Duration,
    /// From starting the process to its first answer.
    pub both: Duration,
    /// Of all the process's threads so far; `None` where the system does not tell.
    pub cpu: Option<Duration>,
}

impl Started {
    /// Starts a contestant as Lambda does when an event is there already.
    pub fn with(contestant: &Contestant, world: &World, event: String) -> io::Result<Self> {
        let variables = contestant.variables(world);
        let variables: Vec<(&str, &str)> = variables
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let outcome = queue(&world.aws, event);
        let start = Instant::now();
        let mut process = Bootstrap::start(&contestant.bootstrap, &world.aws, &variables)?;
        answered(contestant, &mut process, &outcome)?;
        let times = world.aws.state().runtime.times();
        let (Some(ready), Some(handed), Some(answered)) =
            (times.ready, times.handed, times.answered)
        else {
            return Err(io::Error::other("an answer without an invocation"));
        };
        let cpu = cpu(process.id());
        Ok(Self {
            process,
            to_ready: ready - start,
            first_answer: answered - handed,
            both: answered - start,
            cpu,
        })
    }

    /// One more invocation: from being handed it to its answer.
    pub fn again(
        &mut self,
        contestant: &Contestant,
        aws: &AwsLocal,
        event: String,
    ) -> io::Result<Duration> {
        let outcome = queue(aws, event);
        answered(contestant, &mut self.process, &outcome)?;
        let times = aws.state().runtime.times();
        match (times.handed, times.answered) {
            (Some(handed), Some(answered)) => Ok(answered - handed),
            _ => Err(io::Error::other("an answer without an invocation")),
        }
    }

    /// The most memory that the process has had so far, in bytes; `None` where the system does not
    /// tell.
    pub fn peak_memory(&self) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id())).ok()?;
        let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
        let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
        Some(kilobytes * 1024)
    }
}

fn queue(aws: &AwsLocal, event: String) -> Receiver<Outcome> {
    let runtime = &mut aws.state().runtime;
    let request_id = runtime.request_id();
    runtime.invoke(Invocation {
        payload: event.into(),
        request_id,
        timeout: TIMEOUT,
    })
}

/// Waits for an answer; only that counts as the job done.
fn answered(
    contestant: &Contestant,
    process: &mut Bootstrap,
    outcome: &Receiver<Outcome>,
) -> io::Result<()> {
    let end = Instant::now() + TIMEOUT;
    loop {
        let what = match outcome.recv_timeout(Duration::from_secs(1)) {
            Ok(Outcome::Answer(_)) => return Ok(()),
            Ok(other) => format!("did not answer: {other:?}"),
            Err(_) => match process.ended(Duration::ZERO)? {
                Some(code) => format!("ended with exit code {code}"),
                None if Instant::now() < end => continue,
                None => "did not answer in time".to_owned(),
            },
        };
        let log = process.lines().join("\n");
        return Err(io::Error::other(format!(
            "{} {what}\n{log}",
            contestant.name
        )));
    }
}

/// The time that all threads of a process, the ended ones included, have been on a CPU.
#[cfg(target_os = "linux")]
fn cpu(process: u32) -> Option<Duration> {
    use nix::time::{clock_getcpuclockid, clock_gettime};
    use nix::unistd::Pid;
    let clock = clock_getcpuclockid(Pid::from_raw(process.try_into().ok()?)).ok()?;
    Some(clock_gettime(clock).ok()?.into())
}

#[cfg(not(target_os = "linux"))]
fn cpu(_process: u32) -> Option<Duration> {
    None
}
