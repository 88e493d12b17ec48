//! The words and boxes that are printed of a PDF.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| gazetted_fuzz::properties::pdf(data));
