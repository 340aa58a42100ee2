# syntax=docker/dockerfile:1
# The single executable on the C and C++ libraries, and nothing else: no shell, no package manager. See docs/install.md.
# A release is built with both images named by their digests.
ARG NODE_IMAGE=docker.io/library/node:24.21.0-bookworm-slim
ARG BASE_IMAGE=gcr.io/distroless/cc-debian12:nonroot

FROM ${NODE_IMAGE} AS build
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
RUN npm ci --no-audit --no-fund
COPY . .
RUN npm run executable && dist-executable/dapr-mtls --licenses >licenses.txt

FROM ${BASE_IMAGE}
ARG VERSION
ARG REVISION
LABEL org.opencontainers.image.title="dapr-mtls" \
      org.opencontainers.image.description="Make, look at, judge, renew and rotate the certificates that every Dapr sidecar and control-plane service lives by" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
# The folder, so that the link `dapr` stays one.
COPY --from=build /src/dist-executable/ /usr/local/bin/
COPY --from=build /src/licenses.txt /usr/share/doc/dapr-mtls/
# By number, so that a cluster can see that it is not root.
USER 65532:65532
ENTRYPOINT ["/usr/local/bin/dapr-mtls"]
