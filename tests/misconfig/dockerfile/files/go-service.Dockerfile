FROM --platform=$BUILDPLATFORM golang:1.24@sha256:1111111111111111111111111111111111111111111111111111111111111111 AS build
ARG TARGETOS TARGETARCH
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
RUN --mount=type=cache,target=/go/pkg/mod \
    --mount=type=secret,id=goproxy,env=GOPROXY \
    CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH go build -trimpath -o /out/app ./cmd/app

FROM gcr.io/distroless/static-debian12:nonroot@sha256:2222222222222222222222222222222222222222222222222222222222222222
COPY --from=build /out/app /app
ENTRYPOINT ["/app"]
