//! A zip with an issue and its pictures.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| gazetted_fuzz::properties::zip(data));
