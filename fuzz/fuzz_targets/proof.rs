//! A proof as its editor may have saved it.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| gazetted_fuzz::properties::proof(data));
