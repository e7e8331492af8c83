//! Wires the program together: settings, log, clients, run.

use aws_config::BehaviorVersion;
use aws_config::environment::{
    EnvironmentVariableCredentialsProvider, EnvironmentVariableRegionProvider,
};
use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
use connector_updater::aws::clients::Aws;
use connector_updater::aws::https::Https;
use connector_updater::report::log;
use connector_updater::report::panics;
use connector_updater::settings::{LogFormat, LogLevel, Settings};
use connector_updater::updater::Updater;
use futures_util::FutureExt;
use lambda_runtime::layers::TracingLayer;
use lambda_runtime::tower::util::MapRequestLayer;
use lambda_runtime::{LambdaEvent, LambdaInvocation, Runtime, service_fn};

// Lambda sends one invocation at a time, so a second thread would have nothing to do.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    panics::report_panics();
    let settings = match Settings::from_env() {
        Ok(settings) => settings,
        Err(error) => {
            log::start(LogLevel::default(), LogFormat::default());
            return panics::report_failed_start(error.into()).await;
        }
    };
    log::start(settings.log_level, settings.log_format);
    let https = Https::from_env()?;
    // Lambda sets Region and credentials in the environment, and has no files with profiles.
    let no_files = EnvConfigFiles::builder().with_contents(EnvConfigFileKind::Config, "");
    let config = aws_config::defaults(BehaviorVersion::latest())
        .http_client(https.clone())
        .region(EnvironmentVariableRegionProvider::new())
        .credentials_provider(EnvironmentVariableCredentialsProvider::new())
        .profile_files(no_files.build());
    let aws = Aws::new(&config.load().await).await;
    https.open(|client| aws.make_first_calls(client)).await;
    let updater = Updater::new(settings, aws);
    let handle = |event: LambdaEvent<String>| {
        let request_id = event.context.request_id.clone();
        panics::in_invocation(request_id, updater.handle(event)).boxed_local()
    };
    Runtime::new(service_fn(handle))
        .layer(MapRequestLayer::new(as_text))
        .layer(TracingLayer::new())
        .run()
        .await
}

/// Passes the payload to the handler as text: for a payload that is not JSON, the runtime would return
/// an error of its own, whose `errorType` is not one of the documented ones.
fn as_text(mut invocation: LambdaInvocation) -> LambdaInvocation {
    let text = serde_json::Value::String(String::from_utf8_lossy(&invocation.body).into_owned());
    invocation.body = text.to_string().into();
    invocation
}
