//! The ends of the process that lambda_runtime does not report: a start that is refused, and a panic.
//! Lambda is told the reason, so that it reaches whoever invoked the function, or the failure queue,
//! and not the log alone.

use std::panic::{self, PanicHookInfo};
use std::process;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use lambda_runtime::Diagnostic;

use crate::report::error::Error;

/// The request id of the invocation that was handed out last.
static INVOCATION: Mutex<Option<String>> = Mutex::new(None);

/// Notes which invocation a panic would belong to.
pub fn working_on(request_id: &str) {
    *INVOCATION.lock().unwrap_or_else(PoisonError::into_inner) = Some(request_id.to_owned());
}

/// Ends the process because it cannot start. The log has to be started.
///
/// # Errors
/// Lambda could not be told.
pub async fn refuse_to_start(error: Error) -> Result<(), lambda_runtime::Error> {
    tracing::error!(errorType = error.name(), "{error}");
    tell_lambda("/2018-06-01/runtime/init/error", error).await?;
    process::exit(1)
}

/// From now on a panic, on whatever thread, is logged and reported as the error `Panicked` of the
/// invocation, or of the start, and ends the process; Lambda makes a new one for the next invocation.
///
/// AWS's own runtimes for Go and Node.js end the process too: what a panic leaves behind is not fit
/// for another invocation. It also lets the program do without unwinding, which is why the profile
/// says `panic = "abort"`.
pub fn report_panics() {
    panic::set_hook(Box::new(|info| {
        static REPORTING: AtomicBool = AtomicBool::new(false);
        if REPORTING.swap(true, Ordering::SeqCst) {
            // Reporting panicked, or a second thread while it goes on.
            process::abort();
        }
        let error = Error::Panicked(describe(info));
        if tracing::dispatcher::has_been_set() {
            tracing::error!(errorType = error.name(), "{error}");
        } else {
            eprintln!("{error}");
        }
        let invocation = INVOCATION
            .try_lock()
            .ok()
            .and_then(|invocation| invocation.clone());
        let path = match invocation {
            Some(request_id) => format!("/2018-06-01/runtime/invocation/{request_id}/error"),
            None => "/2018-06-01/runtime/init/error".to_owned(),
        };
        // This thread may be in the middle of the asynchronous runtime, so another one does it.
        let told = thread::spawn(move || {
            tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?
                .block_on(tell_lambda(&path, error))
        });
        if let Ok(Err(error)) = told.join() {
            tracing::error!("Lambda could not be told of the panic: {error}");
        }
        process::exit(1)
    }));
}

/// The panic's message and place.
fn describe(info: &PanicHookInfo) -> String {
    let message = info.payload_as_str().unwrap_or("no message");
    match info.location() {
        Some(location) => format!("{message}, at {location}"),
        None => message.to_owned(),
    }
}

async fn tell_lambda(path: &str, error: Error) -> Result<(), lambda_runtime::Error> {
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
