ARG BASE=registry.example.org/team/base
ARG TAG
RUN echo too early
FROM ${BASE}:${TAG} AS one
COPY --from=two /x /y
COPY --from=one /x /y
FROM one AS One
COPY --from=busybox:1.37 / /
COPY --from=9 /a /b
FROM scratch AS context
COPY --from=0 / /
RUN --mount=type=bind,from=tools:latest,target=/t /t/run
FOO bar
ENV
