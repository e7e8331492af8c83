//! The local services as AWS clients see them: through the SDK, and with requests that no SDK would
//! send.

#![allow(unreachable_pub)] // nothing reaches into a test

mod appflow;
mod faults;
mod hooks;
mod in_memory;
mod lambda;
mod managed_instances;
mod sdk;
mod state_events;
mod world;
