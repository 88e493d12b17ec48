//! What gazetted does for readers, editors, subscribers and operators: one story a test, one program for all.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(unreachable_pub, reason = "a test program has no public items")]

mod newsroom;
mod sink;
mod ledgers;
mod tools;
mod browser;
mod properties;

mod publishing;
mod dropping;
mod correcting;
mod withholding;
mod listing;
mod telling;
mod calling;
mod refusing;
mod enrolling;
mod reaching;
mod delivering;
mod digesting;
mod joining;
mod subscribing;
mod offering;
mod leaving;
mod lettering;
mod returning;
mod bouncing;
mod storehouse;
mod bucketing;
mod serving;
mod simulating;
mod fronting;
mod restarting;
mod packaging;
mod manual;
mod torturing;
mod restoring;
mod doctoring;
mod reloading;
mod configuring;
mod theming;
mod judging;
mod looking;
mod following;
mod opening;
mod enduring;
mod binding;
mod picturing;
mod fetching;
mod illustrating;
mod keeping;
mod conforming;
mod moving;
mod sharing;
mod proving;
mod editing;
mod minding;
mod programming;
mod probing;
mod learning;
mod repairing;
mod typesetting;
mod fuzzing;
