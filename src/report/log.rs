//! Sets up the log: lines on standard output, which Lambda sends to CloudWatch Logs.

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt, registry};

use crate::settings::{LogFormat, LogLevel};

/// Starts logging. It must be called once.
///
/// The runtime's own JSON logger is not used, because it writes no timestamp: Lambda's filter then
/// treats every line as INFO.
pub fn start(level: LogLevel, format: LogFormat) {
    let level = match level {
        LogLevel::Trace => LevelFilter::TRACE,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Warn => LevelFilter::WARN,
        // `tracing` has no level above ERROR.
        LogLevel::Error | LogLevel::Fatal => LevelFilter::ERROR,
    };
    // The SDK logs details of each call, which are for debugging only.
    let dependencies = if level >= LevelFilter::DEBUG {
        level
    } else {
        level.min(LevelFilter::WARN)
    };
    let filter = Targets::new()
        .with_default(dependencies)
        .with_target(env!("CARGO_CRATE_NAME"), level)
        .with_target("lambda_runtime", level)
        // The span with the request id, which every line of an invocation carries.
        .with_target("lambda_runtime::layers::trace", LevelFilter::INFO);
    let layer = fmt::layer().with_ansi(false);
    let layer = match format {
        LogFormat::Json => layer
            .json()
            .flatten_event(true)
            .with_span_list(false)
            .boxed(),
        LogFormat::Text => layer.boxed(),
    };
    registry().with(layer.with_filter(filter)).init();
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::Value;
    use std::io;
    use std::sync::{Arc, Mutex};

    /// Where a test's log goes.
    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// The one line that `work` logs.
    pub(crate) fn line_of(work: impl FnOnce()) -> Value {
        let lines = Lines::default();
        let writer = lines.clone();
        let subscriber = tracing_subscriber::fmt()
            .json()
            .with_writer(move || writer.clone())
            .finish();
        tracing::subscriber::with_default(subscriber, work);
        let bytes = lines.0.lock().unwrap();
        serde_json::from_slice(&bytes).expect("one line")
    }
}
