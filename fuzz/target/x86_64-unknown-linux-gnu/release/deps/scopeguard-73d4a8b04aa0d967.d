/tmp/wt/edges/fuzz/target/x86_64-unknown-linux-gnu/release/deps/scopeguard-73d4a8b04aa0d967.d: /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/scopeguard-1.2.0/src/lib.rs

/tmp/wt/edges/fuzz/target/x86_64-unknown-linux-gnu/release/deps/libscopeguard-73d4a8b04aa0d967.rlib: /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/scopeguard-1.2.0/src/lib.rs

/tmp/wt/edges/fuzz/target/x86_64-unknown-linux-gnu/release/deps/libscopeguard-73d4a8b04aa0d967.rmeta: /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/scopeguard-1.2.0/src/lib.rs

/root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/scopeguard-1.2.0/src/lib.rs:
