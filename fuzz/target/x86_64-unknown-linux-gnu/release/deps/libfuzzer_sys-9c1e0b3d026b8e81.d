/tmp/wt/edges/fuzz/target/x86_64-unknown-linux-gnu/release/deps/libfuzzer_sys-9c1e0b3d026b8e81.d: /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/libfuzzer-sys-0.4.13/src/lib.rs

/tmp/wt/edges/fuzz/target/x86_64-unknown-linux-gnu/release/deps/liblibfuzzer_sys-9c1e0b3d026b8e81.rlib: /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/libfuzzer-sys-0.4.13/src/lib.rs

/tmp/wt/edges/fuzz/target/x86_64-unknown-linux-gnu/release/deps/liblibfuzzer_sys-9c1e0b3d026b8e81.rmeta: /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/libfuzzer-sys-0.4.13/src/lib.rs

/root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/libfuzzer-sys-0.4.13/src/lib.rs:
