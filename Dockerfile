# beaconctl in a container: without arguments, the controller.
#
# Node alone is enough as process 1: the entrypoint is no shell, so signals reach it; it handles SIGTERM (the stacks are handed
# over, docs/operations.md); and it starts no processes that somebody would have to reap. So there is no tini.

# The version that the tests run on (package-lock.json, "node").
FROM node:26.10.0-slim AS build
WORKDIR /build
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json ./
COPY scripts/build.ts ./scripts/
COPY src ./src
COPY state ./state
COPY reconcilers ./reconcilers
COPY sandbox ./sandbox
RUN npm run build

FROM node:26.10.0-slim
ENV NODE_ENV=production BEACON_HOLDER=beacon
WORKDIR /app
# What the build writes has its dependencies in it.
COPY --from=build /build/package.json ./
COPY --from=build /build/dist ./dist
# A number, so that Kubernetes can see that it is not root. Nothing in the image is its own to write: with a read-only file
# system everything works, and /tmp, where there is one, only makes the next start faster.
USER 10001:10001
EXPOSE 9464
# For Docker; ECS and Kubernetes have checks of their own (deploy/).
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:9464/healthz').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "/app/dist/main.js"]
CMD ["controller", "--http", "127.0.0.1:9464", "--log-level", "info", "--log-format", "json"]
