# The sandbox in a container, for a machine without Rust:
#   docker build -t front-payment-sandbox .
#   docker run --rm -p 127.0.0.1:3000:3000 front-payment-sandbox
# docs/sandbox.md says how a shop outside of the container is notified.

FROM rust:1.95-slim-bookworm AS build
WORKDIR /source
COPY . .
ARG REVISION
# Link-time optimization takes minutes, and the sandbox does not need it.
ENV CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/source/target \
    cargo build --locked --release --package local \
    && install -D target/release/local /image/front-payment-sandbox \
    && install -d /image/data

# The C library, and no shell.
FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /image/front-payment-sandbox /usr/local/bin/
COPY --from=build --chown=nonroot:nonroot /image/data /data
VOLUME /data
EXPOSE 3000
ENTRYPOINT ["front-payment-sandbox"]
CMD ["--host", "0.0.0.0", "--data-dir", "/data"]
