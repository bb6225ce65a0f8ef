/tmp/wt/edges/fuzz/target/x86_64-unknown-linux-gnu/release/deps/encoding_rs_io-663e1dfcdab60335.d: /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/encoding_rs_io-0.1.8/src/lib.rs /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/encoding_rs_io-0.1.8/src/util.rs

/tmp/wt/edges/fuzz/target/x86_64-unknown-linux-gnu/release/deps/libencoding_rs_io-663e1dfcdab60335.rlib: /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/encoding_rs_io-0.1.8/src/lib.rs /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/encoding_rs_io-0.1.8/src/util.rs

/tmp/wt/edges/fuzz/target/x86_64-unknown-linux-gnu/release/deps/libencoding_rs_io-663e1dfcdab60335.rmeta: /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/encoding_rs_io-0.1.8/src/lib.rs /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/encoding_rs_io-0.1.8/src/util.rs

/root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/encoding_rs_io-0.1.8/src/lib.rs:
/root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/encoding_rs_io-0.1.8/src/util.rs:
