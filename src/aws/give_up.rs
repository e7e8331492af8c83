//! Gives up the connection of a call that was sent and got no answer.
//!
//! A connection can fall silent: it stays open and carries nothing, for example because a NAT gateway has
//! forgotten it. Over HTTP/2 the SDK would send every retry on the same connection: a call that is dropped ends
//! its stream, not its connection, and the SDK itself only gives up a connection after a response.

use std::sync::atomic::{AtomicBool, Ordering};

use aws_sdk_appflow::config::interceptors::{
    AfterDeserializationInterceptorContextRef, BeforeTransmitInterceptorContextRef,
    FinalizerInterceptorContextRef,
};
use aws_sdk_appflow::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_appflow::error::BoxError;
use aws_smithy_runtime_api::client::connection::CaptureSmithyConnection;
use aws_smithy_types::config_bag::{Storable, StoreReplace};

/// Makes the pool open a new connection for the next attempt after one that timed out or was dropped. Other
/// calls on the old connection go on. An attempt that was not sent has no connection yet, so the calls that
/// only open connections give up none.
#[derive(Debug)]
pub(super) struct GiveUp;

/// An attempt. It is dropped when it ends, or with the call, whichever comes first.
#[derive(Debug)]
struct Attempt {
    connection: CaptureSmithyConnection,
    is_answered: AtomicBool,
}

impl Storable for Attempt {
    type Storer = StoreReplace<Self>;
}

impl Drop for Attempt {
    fn drop(&mut self) {
        if !*self.is_answered.get_mut()
            && let Some(connection) = self.connection.get()
        {
            connection.poison();
        }
    }
}

impl Intercept for GiveUp {
    fn name(&self) -> &'static str {
        "GiveUp"
    }

    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        // The SDK's own interceptor has put it there.
        if let Some(connection) = config.load::<CaptureSmithyConnection>().cloned() {
            config.interceptor_state().store_put(Attempt {
                connection,
                is_answered: AtomicBool::new(false),
            });
        }
        Ok(())
    }

    fn read_after_deserialization(
        &self,
        _: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(attempt) = config.load::<Attempt>() {
            attempt.is_answered.store(true, Ordering::Relaxed);
        }
        Ok(())
    }

    fn read_after_attempt(
        &self,
        _: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        config.interceptor_state().unset::<Attempt>();
        Ok(())
    }
}
