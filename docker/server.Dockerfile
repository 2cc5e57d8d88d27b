# The Temporal server with its Web UI for docker/compose.yaml: the CLI at the version that
# server/temporal-cli/go.mod pins, built with Go. In production, use a Temporal cluster.

ARG BASE=debian:bookworm-slim
# Any image with Go 1.21 or newer: a Go older than go.mod requires downloads that one from the module proxy.
ARG GO_IMAGE=golang:1.26-bookworm

FROM ${GO_IMAGE} AS builder
# Empty: Go's defaults.
ARG GOPROXY=""
ARG GOSUMDB=""
ARG TEMPORAL_CLI_VERSION=1.8.2
COPY docker/build/ /run/build/
COPY server/temporal-cli/ /src/
WORKDIR /src
ENV CGO_ENABLED=0 GOTOOLCHAIN=auto
# Same as src/temporal/embedded/build-with-go.ts. A prebuilt binary is taken from docker/build/.
RUN if [ -f /run/build/ca.crt ]; then export SSL_CERT_FILE=/run/build/ca.crt; fi; \
    if [ -f /run/build/temporal ]; then install -D /run/build/temporal /opt/temporal; else \
      go build -mod=readonly -buildvcs=false -trimpath -o /opt/temporal \
        -ldflags "-s -w -X github.com/temporalio/cli/internal/temporalcli.Version=${TEMPORAL_CLI_VERSION}" \
        github.com/temporalio/cli/cmd/temporal \
   && rm -rf /root/.cache /go/pkg; fi

FROM ${BASE}
ARG UID=10000
ARG GID=10000
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends tini \
 && rm -rf /var/lib/apt/lists/* /var/log/* \
 && install -d -o ${UID} -g ${GID} /var/lib/temporal
COPY --from=builder /opt/temporal /usr/local/bin/temporal
USER ${UID}:${GID}
# Without them it looks up the user, who is not in /etc/passwd.
ENV USER=sealflow HOME=/var/lib/temporal
WORKDIR /var/lib/temporal
STOPSIGNAL SIGTERM
ENTRYPOINT ["tini", "--", "temporal"]
# The settings are those of src/temporal/embedded/settings.ts, which gives the reasons (a unit test compares them:
# test/unit/deploy/images.test.ts).
CMD ["server", "start-dev", \
  "--db-filename", "/var/lib/temporal/temporal.db", \
  "--namespace", "default", \
  "--ip", "0.0.0.0", \
  "--port", "7233", \
  "--ui-port", "8233", \
  "--ui-disable-news-fetch", \
  "--dynamic-config-value", "history.transferProcessorMaxPollRPS=1000", \
  "--dynamic-config-value", "history.transferProcessorMaxPollHostRPS=10000", \
  "--dynamic-config-value", "history.timerProcessorMaxPollRPS=1000", \
  "--dynamic-config-value", "history.timerProcessorMaxPollHostRPS=10000", \
  "--dynamic-config-value", "history.timerProcessorMaxTimeShift=\"10ms\"", \
  "--dynamic-config-value", "matching.numTaskqueueReadPartitions=1", \
  "--dynamic-config-value", "matching.numTaskqueueWritePartitions=1", \
  "--dynamic-config-value", "matching.useNewMatcher=true", \
  "--sqlite-pragma", "journal_mode=WAL", \
  "--sqlite-pragma", "synchronous=2"]
HEALTHCHECK --interval=5s --timeout=10s --start-period=60s --retries=6 \
  CMD ["temporal", "operator", "cluster", "health", "--address", "127.0.0.1:7233"]
