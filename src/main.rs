//! Wiring only: settings, log, clients, run.

use aws_config::BehaviorVersion;
use connector_updater::appflow::AppFlow;
use connector_updater::error::Error;
use connector_updater::lambda::Lambda;
use connector_updater::log;
use connector_updater::settings::{LogFormat, LogLevel, Settings};
use connector_updater::updater::Updater;
use lambda_runtime::layers::TracingLayer;
use lambda_runtime::tower::util::MapRequestLayer;
use lambda_runtime::{Diagnostic, LambdaInvocation, Runtime, service_fn};

// One invocation at a time needs no second thread.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let settings = match Settings::from_env() {
        Ok(settings) => settings,
        Err(error) => return refuse_to_start(error.into()).await,
    };
    log::start(settings.log_level, settings.log_format);
    let config = aws_config::load_defaults(BehaviorVersion::latest()).await;
    let updater = Updater::new(settings, AppFlow::new(&config), Lambda::new(&config));
    Runtime::new(service_fn(|event| updater.handle(event)))
        .layer(MapRequestLayer::new(as_text))
        .layer(TracingLayer::new())
        .run()
        .await
}

/// Hands the payload to the handler as text, whatever it is: the runtime would answer what is not
/// JSON with an error of its own, whose name is not one of ours.
fn as_text(mut invocation: LambdaInvocation) -> LambdaInvocation {
    let text = serde_json::Value::String(String::from_utf8_lossy(&invocation.body).into_owned());
    invocation.body = text.to_string().into();
    invocation
}

/// Tells Lambda why the function cannot start, so that the reason reaches whoever invoked it and not
/// the log alone, and ends the process.
async fn refuse_to_start(error: Error) -> Result<(), lambda_runtime::Error> {
    log::start(LogLevel::default(), LogFormat::default());
    tracing::error!(errorType = error.name(), "{error}");
    let diagnostic = Diagnostic::from(error);
    let request = lambda_runtime_api_client::build_request()
        .method("POST")
        .uri("/2018-06-01/runtime/init/error")
        .header("lambda-runtime-function-error-type", &diagnostic.error_type)
        .body(serde_json::to_vec(&diagnostic)?.into())?;
    lambda_runtime_api_client::Client::builder()
        .build()?
        .call(request)
        .await?;
    std::process::exit(1)
}
