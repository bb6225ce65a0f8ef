/tmp/wt/edges/fuzz/target/x86_64-unknown-linux-gnu/release/deps/nohash_hasher-c836e993bd63f765.d: /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/nohash-hasher-0.2.0/src/lib.rs

/tmp/wt/edges/fuzz/target/x86_64-unknown-linux-gnu/release/deps/libnohash_hasher-c836e993bd63f765.rlib: /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/nohash-hasher-0.2.0/src/lib.rs

/tmp/wt/edges/fuzz/target/x86_64-unknown-linux-gnu/release/deps/libnohash_hasher-c836e993bd63f765.rmeta: /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/nohash-hasher-0.2.0/src/lib.rs

/root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/nohash-hasher-0.2.0/src/lib.rs:
