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
# Bulk jobs keep their ledger here (STATE_DIR): mount a volume to keep it.
WORKDIR /var/lib/ota-updater
RUN chown node:node /var/lib/ota-updater
USER node
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.HTTP_PORT || 8080}/livez`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["ota-updater"]
CMD ["worker"]
