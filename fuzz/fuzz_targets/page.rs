//! A plain-text page.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| gazetted_fuzz::properties::page(data));
