# The image holds one bundled program, without source and node_modules.

# Give it by digest: `--build-arg NODE_IMAGE=node:26-bookworm-slim@sha256:…`. A bot fills the digest in here
# (.github/renovate.json).
ARG NODE_IMAGE=node:26-bookworm-slim

FROM ${NODE_IMAGE} AS build
# The bill of materials takes its name from the folder.
WORKDIR /ota-updater
COPY package.json package-lock.json .npmrc ./
# Before npm ci, which would leave a dangling link without an error if this folder were missing.
COPY packages packages
RUN npm ci --ignore-scripts
COPY rolldown.config.ts tsconfig.json ./
COPY src src
COPY scripts/sbom.ts scripts/licences.ts scripts/built-ins.ts scripts/light.ts scripts/one-byte.ts scripts/
RUN npm run build && chmod 755 dist/main.mjs && npm run --silent sbom > dist/sbom.json

FROM ${NODE_IMAGE}
LABEL org.opencontainers.image.title="ota-updater" \
  org.opencontainers.image.description="Applies OTA task updates from an SQS queue to AWS IoT Managed Integrations" \
  org.opencontainers.image.version="0.1.0" \
  org.opencontainers.image.licenses="Apache-2.0"
ENV NODE_ENV=production
COPY --from=build /ota-updater/dist /opt/ota-updater
# V8's code of the program, as this Node compiles it: without settings the two commands end before they do anything.
ENV NODE_COMPILE_CACHE=/opt/ota-updater/compiled
RUN ln -s /opt/ota-updater/main.mjs /usr/local/bin/ota-updater && \
  for command in worker health; do ota-updater $command >/dev/null 2>&1 || [ $? = 2 ] || exit 1; done
# Bulk jobs keep their ledger here (STATE_DIR), workers the rate they found: mount a volume to keep it. Some platforms give the process any user id, and
# group 0 (OpenShift).
WORKDIR /var/lib/ota-updater
RUN chown node:0 /var/lib/ota-updater && chmod 775 /var/lib/ota-updater
USER node
# It asks the worker of this container, whatever its settings; a container with another command is healthy.
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s --retries=3 CMD ["ota-updater", "health"]
ENTRYPOINT ["ota-updater"]
CMD ["worker"]
