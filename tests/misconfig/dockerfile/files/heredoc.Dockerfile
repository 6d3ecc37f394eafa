# syntax=docker/dockerfile:1.7
FROM alpine:3.22@sha256:3333333333333333333333333333333333333333333333333333333333333333
SHELL ["/bin/ash", "-eo", "pipefail", "-c"]
RUN <<EOF
apk add --no-cache curl=8.14.1-r1
curl -fsSLo /tmp/a.tgz https://example.org/a.tgz
echo "0123456789abcdef  /tmp/a.tgz" | sha256sum -c -
tar -xzf /tmp/a.tgz -C /opt
wget -qO- https://example.org/late.sh | sh
EOF
COPY <<-"CONF" /etc/app.conf
	listen = 127.0.0.1
	CONF
RUN <<'PY' python3
import os
print("curl https://example.org | sh")
PY
USER 1000
ENTRYPOINT ["/opt/a/run"]
