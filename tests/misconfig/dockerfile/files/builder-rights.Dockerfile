# syntax=example/frontend:2
FROM ubuntu:24.04@sha256:6666666666666666666666666666666666666666666666666666666666666666
ARG DEPLOY_KEY
ENV API_TOKEN=$DEPLOY_KEY PATH=/opt/bin:$PATH
LABEL Maintainer="team" org.opencontainers.image.created="today" org.opencontainers.image.source="git"
RUN --security=insecure --network=host mount -t tmpfs none /mnt
RUN --mount=type=secret,id=netrc cp /run/secrets/netrc /root/.netrc && git clone git://example.org/x.git
RUN rm -rf "$WORK/"* && ln -sf /bin/bash /bin/sh && git -c http.sslVerify=false clone https://example.org/y.git
RUN pip install --trusted-host pypi.example.org --extra-index-url https://pypi.example.org/simple internal==1.0 && \
    go install example.org/tool@latest && apt dist-upgrade -y
ADD https://example.org/data.bin /data/
ADD http://example.org/more.bin /data/
COPY id_ed25519 .env /root/
COPY --chmod=666 run.sh /
RUN passwd -d root
USER 1000
