# Two images of one build: --target controller (the default) and --target agent. Both hold the command as well.

FROM rust:1.95-slim-bookworm AS builder
WORKDIR /src
COPY . .
# The caches outlive the layer: a changed source compiles the workspace again, and not its dependencies.
RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,target=/src/target,sharing=locked \
    cargo build --release --locked -p bellwether -p bellwether-controller -p bellwether-agent \
    && mkdir /out \
    && cp target/release/bellwether target/release/bellwether-controller target/release/bellwether-agent /out/

FROM debian:bookworm-slim AS runtime
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 bellwether \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin bellwether \
    && install --directory --owner 10001 --group 10001 --mode 0700 /var/lib/bellwether-agent
COPY --from=builder /out/bellwether /out/bellwether-controller /out/bellwether-agent /usr/local/bin/
# By number, so that a cluster can see that it is not root.
USER 10001:10001

FROM runtime AS agent
ENV BELLWETHER_STATE_DIR=/var/lib/bellwether-agent \
    BELLWETHER_HEALTH_LISTEN=127.0.0.1:7410
# Made and owned above: a new volume takes its owner from here.
VOLUME ["/var/lib/bellwether-agent"]
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["bellwether-agent", "healthcheck"]
ENTRYPOINT ["bellwether-agent"]

# Last, so that it is what a build without --target makes.
FROM runtime AS controller
# Off loopback it refuses to start without BELLWETHER_API_KEY_FILE.
ENV BELLWETHER_LISTEN=0.0.0.0:7400
EXPOSE 7400
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["bellwether-controller", "healthcheck"]
ENTRYPOINT ["bellwether-controller"]
