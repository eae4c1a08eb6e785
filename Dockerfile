# The image holds one bundled program, without source and node_modules.
FROM node:26-bookworm-slim AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
# Before npm ci, which would leave a dangling link without an error if this folder were missing.
COPY packages packages
RUN npm ci --ignore-scripts
COPY rolldown.config.ts tsconfig.json ./
COPY src src
RUN npm run build && chmod 755 dist/main.mjs

FROM node:26-bookworm-slim
ENV NODE_ENV=production
COPY --from=build /build/dist /opt/ota-updater
RUN ln -s /opt/ota-updater/main.mjs /usr/local/bin/ota-updater
# Bulk jobs keep their ledger here (STATE_DIR): mount a volume to keep it. Some platforms give the process any user id, and
# group 0 (OpenShift).
WORKDIR /var/lib/ota-updater
RUN chown node:0 /var/lib/ota-updater && chmod 775 /var/lib/ota-updater
USER node
# It finds the worker of this container wherever that listens; a container with another command is healthy.
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s --retries=3 CMD ["ota-updater", "health"]
ENTRYPOINT ["ota-updater"]
CMD ["worker"]
