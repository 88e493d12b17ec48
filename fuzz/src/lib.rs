//! What every target checks: the properties of the tests.

#[path = "../../tests/properties/mod.rs"]
pub mod properties;
