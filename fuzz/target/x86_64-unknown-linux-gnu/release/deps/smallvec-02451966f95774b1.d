/tmp/wt/edges/fuzz/target/x86_64-unknown-linux-gnu/release/deps/smallvec-02451966f95774b1.d: /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/smallvec-1.16.6/src/lib.rs

/tmp/wt/edges/fuzz/target/x86_64-unknown-linux-gnu/release/deps/libsmallvec-02451966f95774b1.rlib: /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/smallvec-1.16.6/src/lib.rs

/tmp/wt/edges/fuzz/target/x86_64-unknown-linux-gnu/release/deps/libsmallvec-02451966f95774b1.rmeta: /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/smallvec-1.16.6/src/lib.rs

/root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/smallvec-1.16.6/src/lib.rs:
