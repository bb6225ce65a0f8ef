/tmp/wt/edges/fuzz/target/x86_64-unknown-linux-gnu/release/deps/thiserror-071621d7c3e94d08.d: /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/thiserror-2.0.21/src/lib.rs /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/thiserror-2.0.21/src/aserror.rs /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/thiserror-2.0.21/src/display.rs /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/thiserror-2.0.21/src/var.rs /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/thiserror-2.0.21/src/private.rs /tmp/wt/edges/fuzz/target/x86_64-unknown-linux-gnu/release/build/thiserror-0dfa46fe15dce680/out/private.rs

/tmp/wt/edges/fuzz/target/x86_64-unknown-linux-gnu/release/deps/libthiserror-071621d7c3e94d08.rlib: /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/thiserror-2.0.21/src/lib.rs /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/thiserror-2.0.21/src/aserror.rs /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/thiserror-2.0.21/src/display.rs /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/thiserror-2.0.21/src/var.rs /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/thiserror-2.0.21/src/private.rs /tmp/wt/edges/fuzz/target/x86_64-unknown-linux-gnu/release/build/thiserror-0dfa46fe15dce680/out/private.rs

/tmp/wt/edges/fuzz/target/x86_64-unknown-linux-gnu/release/deps/libthiserror-071621d7c3e94d08.rmeta: /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/thiserror-2.0.21/src/lib.rs /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/thiserror-2.0.21/src/aserror.rs /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/thiserror-2.0.21/src/display.rs /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/thiserror-2.0.21/src/var.rs /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/thiserror-2.0.21/src/private.rs /tmp/wt/edges/fuzz/target/x86_64-unknown-linux-gnu/release/build/thiserror-0dfa46fe15dce680/out/private.rs

/root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/thiserror-2.0.21/src/lib.rs:
/root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/thiserror-2.0.21/src/aserror.rs:
/root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/thiserror-2.0.21/src/display.rs:
/root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/thiserror-2.0.21/src/var.rs:
/root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/thiserror-2.0.21/src/private.rs:
/tmp/wt/edges/fuzz/target/x86_64-unknown-linux-gnu/release/build/thiserror-0dfa46fe15dce680/out/private.rs:

# env-dep:OUT_DIR=/tmp/wt/edges/fuzz/target/x86_64-unknown-linux-gnu/release/build/thiserror-0dfa46fe15dce680/out
