//! Drop an issue in a folder: readers get a feed, an e-book and an e-mail, once and correct.
//!
//! The modules in reading order; each uses only those above it (`tests/architecture.rs` holds that).

pub mod typography;
pub mod fault;
pub mod random;
pub mod durable;
pub mod clock;
pub mod memory;
pub mod cores;
pub mod metrics;
pub mod bell;
pub mod helper;
pub mod deflate;
pub mod picture;
pub mod prose;
pub mod theme;
pub mod publication;
pub mod issue;
pub mod proof;
pub mod subscriber;
pub mod delivery;
pub mod manuscript;
pub mod receipts;
pub mod editions;
pub mod ledger;
pub mod roll;
pub mod outbox;
pub mod inbox;
pub mod mail;
pub mod bounce;
pub mod joining;
pub mod fetch;
pub mod courier;
pub mod hub;
pub mod webhooks;
pub mod press;
pub mod verify;
pub mod http;
pub mod desk;
pub mod config;
pub mod vault;
pub mod daemon;
pub mod doctor;
pub mod torture;
pub mod cli;
