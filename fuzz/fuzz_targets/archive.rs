#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| jingku_fuzz::run("archive", input));
