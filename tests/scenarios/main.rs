//! Scenarios for the real binary over the real protocols: the Lambda Runtime API on one side, AppFlow
//! and Lambda on the other. Each test is named for a promise.

#![allow(unreachable_pub)] // nothing reaches into a test

mod accounts;
mod alias_of_latest;
mod alias_traffic;
mod behind;
mod calls;
mod checking;
mod concurrency;
mod credentials;
mod delivery;
mod demo;
mod description;
mod discovery;
mod evidence;
mod gone;
mod grant;
mod hostile;
mod ignored;
mod just_changed;
mod log;
mod managed_instances;
mod meanwhile;
mod messages;
mod observing;
mod proxy;
mod readiness;
mod recorded_forms;
mod recreated;
mod retries;
mod samples;
mod scope;
mod settings;
mod silent;
mod state_events;
mod summary;
mod sweep;
mod table;
mod throttling;
mod tls;
mod waiting;
mod world;
