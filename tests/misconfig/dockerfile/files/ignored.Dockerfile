FROM debian:12.11-slim@sha256:4444444444444444444444444444444444444444444444444444444444444444
# hadolint ignore=DL3008,DL3015
RUN apt-get update && apt-get install -y curl && rm -rf /var/lib/apt/lists/*
# holdfast: ignore=dockerfile.remote-script,pipe-without-pipefail the vendor offers nothing else
RUN curl -fsSL https://example.org/install.sh | sh
# holdfast: ignore=dockerfile.root-user it binds port 80

USER root
RUN curl -fsSL https://example.org/again.sh | sh
