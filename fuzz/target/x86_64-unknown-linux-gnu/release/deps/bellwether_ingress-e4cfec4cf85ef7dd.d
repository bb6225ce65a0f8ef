/tmp/wt/edges/fuzz/target/x86_64-unknown-linux-gnu/release/deps/bellwether_ingress-e4cfec4cf85ef7dd.d: /tmp/wt/edges/ingress/src/lib.rs /tmp/wt/edges/ingress/src/address.rs /tmp/wt/edges/ingress/src/certificate.rs /tmp/wt/edges/ingress/src/clash.rs /tmp/wt/edges/ingress/src/config.rs /tmp/wt/edges/ingress/src/config/backend.rs /tmp/wt/edges/ingress/src/config/checks.rs /tmp/wt/edges/ingress/src/config/listener.rs /tmp/wt/edges/ingress/src/config/read.rs /tmp/wt/edges/ingress/src/config/rule.rs /tmp/wt/edges/ingress/src/config/write.rs /tmp/wt/edges/ingress/src/digest.rs /tmp/wt/edges/ingress/src/document_errors.rs /tmp/wt/edges/ingress/src/error.rs /tmp/wt/edges/ingress/src/host.rs /tmp/wt/edges/ingress/src/label.rs /tmp/wt/edges/ingress/src/limits.rs /tmp/wt/edges/ingress/src/matcher.rs /tmp/wt/edges/ingress/src/matcher/request.rs /tmp/wt/edges/ingress/src/name.rs /tmp/wt/edges/ingress/src/newtype.rs /tmp/wt/edges/ingress/src/path.rs /tmp/wt/edges/ingress/src/problems.rs /tmp/wt/edges/ingress/src/raw.rs /tmp/wt/edges/ingress/src/reader.rs /tmp/wt/edges/ingress/src/revision.rs /tmp/wt/edges/ingress/src/selector.rs /tmp/wt/edges/ingress/src/status.rs /tmp/wt/edges/ingress/src/time_span.rs /tmp/wt/edges/ingress/src/tree.rs /tmp/wt/edges/ingress/src/tree/json.rs /tmp/wt/edges/ingress/src/tree/scalar.rs /tmp/wt/edges/ingress/src/tree/yaml.rs

/tmp/wt/edges/fuzz/target/x86_64-unknown-linux-gnu/release/deps/libbellwether_ingress-e4cfec4cf85ef7dd.rlib: /tmp/wt/edges/ingress/src/lib.rs /tmp/wt/edges/ingress/src/address.rs /tmp/wt/edges/ingress/src/certificate.rs /tmp/wt/edges/ingress/src/clash.rs /tmp/wt/edges/ingress/src/config.rs /tmp/wt/edges/ingress/src/config/backend.rs /tmp/wt/edges/ingress/src/config/checks.rs /tmp/wt/edges/ingress/src/config/listener.rs /tmp/wt/edges/ingress/src/config/read.rs /tmp/wt/edges/ingress/src/config/rule.rs /tmp/wt/edges/ingress/src/config/write.rs /tmp/wt/edges/ingress/src/digest.rs /tmp/wt/edges/ingress/src/document_errors.rs /tmp/wt/edges/ingress/src/error.rs /tmp/wt/edges/ingress/src/host.rs /tmp/wt/edges/ingress/src/label.rs /tmp/wt/edges/ingress/src/limits.rs /tmp/wt/edges/ingress/src/matcher.rs /tmp/wt/edges/ingress/src/matcher/request.rs /tmp/wt/edges/ingress/src/name.rs /tmp/wt/edges/ingress/src/newtype.rs /tmp/wt/edges/ingress/src/path.rs /tmp/wt/edges/ingress/src/problems.rs /tmp/wt/edges/ingress/src/raw.rs /tmp/wt/edges/ingress/src/reader.rs /tmp/wt/edges/ingress/src/revision.rs /tmp/wt/edges/ingress/src/selector.rs /tmp/wt/edges/ingress/src/status.rs /tmp/wt/edges/ingress/src/time_span.rs /tmp/wt/edges/ingress/src/tree.rs /tmp/wt/edges/ingress/src/tree/json.rs /tmp/wt/edges/ingress/src/tree/scalar.rs /tmp/wt/edges/ingress/src/tree/yaml.rs

/tmp/wt/edges/fuzz/target/x86_64-unknown-linux-gnu/release/deps/libbellwether_ingress-e4cfec4cf85ef7dd.rmeta: /tmp/wt/edges/ingress/src/lib.rs /tmp/wt/edges/ingress/src/address.rs /tmp/wt/edges/ingress/src/certificate.rs /tmp/wt/edges/ingress/src/clash.rs /tmp/wt/edges/ingress/src/config.rs /tmp/wt/edges/ingress/src/config/backend.rs /tmp/wt/edges/ingress/src/config/checks.rs /tmp/wt/edges/ingress/src/config/listener.rs /tmp/wt/edges/ingress/src/config/read.rs /tmp/wt/edges/ingress/src/config/rule.rs /tmp/wt/edges/ingress/src/config/write.rs /tmp/wt/edges/ingress/src/digest.rs /tmp/wt/edges/ingress/src/document_errors.rs /tmp/wt/edges/ingress/src/error.rs /tmp/wt/edges/ingress/src/host.rs /tmp/wt/edges/ingress/src/label.rs /tmp/wt/edges/ingress/src/limits.rs /tmp/wt/edges/ingress/src/matcher.rs /tmp/wt/edges/ingress/src/matcher/request.rs /tmp/wt/edges/ingress/src/name.rs /tmp/wt/edges/ingress/src/newtype.rs /tmp/wt/edges/ingress/src/path.rs /tmp/wt/edges/ingress/src/problems.rs /tmp/wt/edges/ingress/src/raw.rs /tmp/wt/edges/ingress/src/reader.rs /tmp/wt/edges/ingress/src/revision.rs /tmp/wt/edges/ingress/src/selector.rs /tmp/wt/edges/ingress/src/status.rs /tmp/wt/edges/ingress/src/time_span.rs /tmp/wt/edges/ingress/src/tree.rs /tmp/wt/edges/ingress/src/tree/json.rs /tmp/wt/edges/ingress/src/tree/scalar.rs /tmp/wt/edges/ingress/src/tree/yaml.rs

/tmp/wt/edges/ingress/src/lib.rs:
/tmp/wt/edges/ingress/src/address.rs:
/tmp/wt/edges/ingress/src/certificate.rs:
/tmp/wt/edges/ingress/src/clash.rs:
/tmp/wt/edges/ingress/src/config.rs:
/tmp/wt/edges/ingress/src/config/backend.rs:
/tmp/wt/edges/ingress/src/config/checks.rs:
/tmp/wt/edges/ingress/src/config/listener.rs:
/tmp/wt/edges/ingress/src/config/read.rs:
/tmp/wt/edges/ingress/src/config/rule.rs:
/tmp/wt/edges/ingress/src/config/write.rs:
/tmp/wt/edges/ingress/src/digest.rs:
/tmp/wt/edges/ingress/src/document_errors.rs:
/tmp/wt/edges/ingress/src/error.rs:
/tmp/wt/edges/ingress/src/host.rs:
/tmp/wt/edges/ingress/src/label.rs:
/tmp/wt/edges/ingress/src/limits.rs:
/tmp/wt/edges/ingress/src/matcher.rs:
/tmp/wt/edges/ingress/src/matcher/request.rs:
/tmp/wt/edges/ingress/src/name.rs:
/tmp/wt/edges/ingress/src/newtype.rs:
/tmp/wt/edges/ingress/src/path.rs:
/tmp/wt/edges/ingress/src/problems.rs:
/tmp/wt/edges/ingress/src/raw.rs:
/tmp/wt/edges/ingress/src/reader.rs:
/tmp/wt/edges/ingress/src/revision.rs:
/tmp/wt/edges/ingress/src/selector.rs:
/tmp/wt/edges/ingress/src/status.rs:
/tmp/wt/edges/ingress/src/time_span.rs:
/tmp/wt/edges/ingress/src/tree.rs:
/tmp/wt/edges/ingress/src/tree/json.rs:
/tmp/wt/edges/ingress/src/tree/scalar.rs:
/tmp/wt/edges/ingress/src/tree/yaml.rs:
