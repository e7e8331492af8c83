//! What any AWS client meets here: the SDK's own for AppFlow and Lambda, and requests that no SDK
//! would let through.

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
