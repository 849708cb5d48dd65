# The rekindle command in an image of its own, linked statically with musl.
#   docker build -t rekindle .
#   docker run --rm -v "$PWD:/work" -u "$(id -u):$(id -g)" rekindle train life
FROM rust:1-alpine AS build
RUN apk add --no-cache build-base
WORKDIR /source
COPY . .
RUN cargo build --release --locked -p rekindle-cli

FROM scratch
COPY --from=build /source/target/release/rekindle /rekindle
WORKDIR /work
ENTRYPOINT ["/rekindle"]
