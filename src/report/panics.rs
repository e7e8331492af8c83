//! Reports to Lambda what lambda_runtime does not: a startup that fails, and a panic. So the reason
//! reaches the caller or the failure queue, and not the log only.

use std::borrow::Cow;
use std::panic::{self, PanicHookInfo};
use std::process;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use lambda_runtime::Diagnostic;

use crate::report::error::Error;

const STARTUP: &str = "/2018-06-01/runtime/init/error";

/// Where in Lambda's Runtime API a panic is reported: startup's path until the first invocation; `None`
/// between two invocations.
static REPORT_TO: Mutex<Option<Cow<'static, str>>> = Mutex::new(Some(Cow::Borrowed(STARTUP)));

fn report_to(path: Option<String>) {
    *REPORT_TO.lock().unwrap_or_else(PoisonError::into_inner) = path.map(Cow::Owned);
}

/// Handles an invocation: a panic in the meantime is its error.
pub async fn in_invocation<T>(request_id: String, handling: impl Future<Output = T>) -> T {
    report_to(Some(format!(
        "/2018-06-01/runtime/invocation/{request_id}/error"
    )));
    let handled = handling.await;
    report_to(None);
    handled
}

/// Reports why the process cannot start, and ends it. The log must have been started.
///
/// # Errors
/// When Lambda's Runtime API does not accept the report.
pub async fn report_failed_start(error: Error) -> Result<(), lambda_runtime::Error> {
    tracing::error!(errorType = error.name(), "{error}");
    report_to_lambda(STARTUP, error).await?;
    process::exit(1)
}

/// From now on, a panic on any thread is logged and reported as the error `Panicked` of the invocation,
/// or of startup, and ends the process. Between two invocations, there is nobody to report it to. Lambda
/// starts a new process for the next invocation.
///
/// AWS's own runtimes for Go and Node.js end the process too, because its state is unreliable after a
/// panic. The program needs no unwinding then, which is why the profile has `panic = "abort"`.
pub fn report_panics() {
    panic::set_hook(Box::new(|info| {
        static REPORTING: AtomicBool = AtomicBool::new(false);
        if REPORTING.swap(true, Ordering::SeqCst) {
            // The report itself panicked, or another thread did during the report.
            process::abort();
        }
        let error = Error::Panicked(describe(info));
        if tracing::dispatcher::has_been_set() {
            tracing::error!(errorType = error.name(), "{error}");
        } else {
            eprintln!("{error}");
        }
        let path = REPORT_TO.try_lock().ok().and_then(|path| path.clone());
        let Some(path) = path else { process::exit(1) };
        // This thread may be inside the asynchronous runtime, where another one cannot be started.
        let reported = thread::spawn(move || {
            tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?
                .block_on(report_to_lambda(&path, error))
        });
        if let Ok(Err(error)) = reported.join() {
            tracing::error!("failed to report the panic to Lambda: {error}");
        }
        process::exit(1)
    }));
}

/// The panic's message and location.
fn describe(info: &PanicHookInfo) -> String {
    let message = info.payload_as_str().unwrap_or("no message");
    match info.location() {
        Some(location) => format!("{message}, at {location}"),
        None => message.to_owned(),
    }
}

async fn report_to_lambda(path: &str, error: Error) -> Result<(), lambda_runtime::Error> {
    let diagnostic = Diagnostic::from(error);
    let request = lambda_runtime_api_client::build_request()
        .method("POST")
        .uri(path)
        .header("lambda-runtime-function-error-type", &diagnostic.error_type)
        .body(serde_json::to_vec(&diagnostic)?.into())?;
    lambda_runtime_api_client::Client::builder()
        .build()?
        .call(request)
        .await?;
    Ok(())
}
