/tmp/wt/edges/fuzz/target/x86_64-unknown-linux-gnu/release/deps/document-dca40096f9028570.d: fuzz_targets/document.rs

/tmp/wt/edges/fuzz/target/x86_64-unknown-linux-gnu/release/deps/document-dca40096f9028570: fuzz_targets/document.rs

fuzz_targets/document.rs:
