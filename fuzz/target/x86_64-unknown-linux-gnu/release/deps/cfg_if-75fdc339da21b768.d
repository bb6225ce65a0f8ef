/tmp/wt/edges/fuzz/target/x86_64-unknown-linux-gnu/release/deps/cfg_if-75fdc339da21b768.d: /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/cfg-if-1.0.5/src/lib.rs

/tmp/wt/edges/fuzz/target/x86_64-unknown-linux-gnu/release/deps/libcfg_if-75fdc339da21b768.rlib: /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/cfg-if-1.0.5/src/lib.rs

/tmp/wt/edges/fuzz/target/x86_64-unknown-linux-gnu/release/deps/libcfg_if-75fdc339da21b768.rmeta: /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/cfg-if-1.0.5/src/lib.rs

/root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/cfg-if-1.0.5/src/lib.rs:
