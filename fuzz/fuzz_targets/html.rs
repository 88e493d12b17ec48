//! A file of HTML or XHTML.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| gazetted_fuzz::properties::html(data));
