//! A letter that came back.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| gazetted_fuzz::properties::report(data));
