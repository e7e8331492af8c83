//! Runs a function's bootstrap, as Lambda does.

use std::ffi::OsStr;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::AwsLocal;
use crate::place;
use crate::world::lock;

/// How long a binary that is still open for writing is retried.
const BUSY: Duration = Duration::from_secs(2);

/// A process that handles the invocations of an [`AwsLocal`]. It is killed when this is dropped.
pub struct Bootstrap {
    child: Child,
    lines: Arc<Mutex<Vec<String>>>,
    readers: Vec<JoinHandle<()>>,
}

impl Bootstrap {
    /// Starts a binary with Lambda's environment, the endpoints of `aws`, and `variables`. It does not
    /// inherit this process's own environment.
    pub fn start(
        binary: impl AsRef<OsStr>,
        aws: &AwsLocal,
        variables: &[(&str, &str)],
    ) -> io::Result<Self> {
        Self::spawn(&mut Command::new(binary), aws, variables)
    }

    /// The same, for a command with arguments.
    pub fn spawn(
        command: &mut Command,
        aws: &AwsLocal,
        variables: &[(&str, &str)],
    ) -> io::Result<Self> {
        lock(aws.world()).runtime.restart();
        command
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", aws.address().to_string())
            .env("AWS_LAMBDA_FUNCTION_NAME", place::UPDATER)
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_REGION", place::REGION)
            .env("AWS_ACCESS_KEY_ID", "aws-local")
            .env("AWS_SECRET_ACCESS_KEY", "aws-local")
            .env("AWS_ENDPOINT_URL_APPFLOW", aws.endpoint())
            .env("AWS_ENDPOINT_URL_LAMBDA", aws.endpoint())
            // No configuration file of the user's applies.
            .env("AWS_CONFIG_FILE", "/dev/null")
            .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = retried_while_busy(command).map_err(|error| {
            let binary = Path::new(command.get_program()).display();
            io::Error::new(error.kind(), format!("{binary}: {error}"))
        })?;
        let lines = Arc::default();
        let readers = [
            child.stdout.take().map(|pipe| read(pipe, &lines)),
            child.stderr.take().map(|pipe| read(pipe, &lines)),
        ];
        Ok(Self {
            child,
            lines,
            readers: readers.into_iter().flatten().collect(),
        })
    }

    /// What the process has written so far, line by line.
    pub fn lines(&self) -> Vec<String> {
        self.lines
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The process's id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for the process to exit by itself, and returns its exit code, or -1 if a signal ended it;
    /// `None` if it is still running after `time`.
    pub fn ended(&mut self, time: Duration) -> io::Result<Option<i32>> {
        let end = Instant::now() + time;
        loop {
            if let Some(status) = self.child.try_wait()? {
                for reader in self.readers.drain(..) {
                    // A reader that panicked has read what it could.
                    let _ = reader.join();
                }
                return Ok(Some(status.code().unwrap_or(-1)));
            }
            if Instant::now() >= end {
                return Ok(None);
            }
            thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Bootstrap {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts a process, even of a binary that was just written: if another thread starts a process while this
/// one writes a file, that process has the file open too until it runs its own binary, and Linux runs no file
/// that is open for writing.
fn retried_while_busy(command: &mut Command) -> io::Result<Child> {
    let end = Instant::now() + BUSY;
    loop {
        match command.spawn() {
            Err(error)
                if error.kind() == io::ErrorKind::ExecutableFileBusy && Instant::now() < end =>
            {
                thread::sleep(Duration::from_millis(10));
            }
            spawned => return spawned,
        }
    }
}

/// A copy of a bootstrap with `authority` in place of one of the root certificates in it, so that it
/// trusts a test's own certificates as it trusts AWS's; `None` if it has no certificate that is at least
/// as long.
pub fn trusting(bootstrap: &[u8], authority: &str) -> Option<Vec<u8>> {
    const BEGIN: &[u8] = b"-----BEGIN CERTIFICATE-----\n";
    const END: &[u8] = b"-----END CERTIFICATE-----\n";
    let find = |from: usize, what: &[u8]| {
        let rest = bootstrap.get(from..)?;
        let position = rest.windows(what.len()).position(|bytes| bytes == what)?;
        Some(from + position)
    };
    let mut from = 0;
    loop {
        let start = find(from, BEGIN)?;
        let end = find(start, END)? + END.len();
        if end - start >= authority.len() {
            let mut copy = bootstrap.to_vec();
            copy[start..end].fill(b'\n');
            copy[start..start + authority.len()].copy_from_slice(authority.as_bytes());
            return Some(copy);
        }
        from = start + BEGIN.len();
    }
}

fn read(pipe: impl Read + Send + 'static, lines: &Arc<Mutex<Vec<String>>>) -> JoinHandle<()> {
    let lines = Arc::clone(lines);
    thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            lines
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(line);
        }
    })
}

#[cfg(test)]
mod tests {
    use std::env;
    use std::fs::{self, File};
    use std::io::Write;

    use super::*;

    #[test]
    fn a_binary_that_is_still_open_for_writing_is_started_a_moment_later() {
        let aws = AwsLocal::start(0).expect("a free port");
        let this = env::current_exe().expect("a program");
        let permissions = fs::metadata(&this).expect("a file").permissions();
        let binary = this.with_file_name("busy");
        let mut file = File::create(&binary).expect("a file");
        file.write_all(b"#!/bin/sh\nexit 7\n").expect("a script");
        fs::set_permissions(&binary, permissions).expect("it may be run");
        let writer = thread::spawn(move || {
            thread::sleep(Duration::from_millis(100));
            drop(file);
        });
        let mut started = Bootstrap::start(&binary, &aws, &[]).expect("it starts");
        writer.join().expect("no panic");
        let ended = started.ended(Duration::from_secs(10));
        assert_eq!(ended.expect("a process"), Some(7));
    }
}
