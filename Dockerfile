# The service, with what it needs to run and nothing else. Data of SQLite are in the volume /data; the rest of the
# container may be read-only.

FROM node:26-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# The optional dependencies are Node itself, for machines that have another.
RUN npm ci --omit=dev --omit=optional --ignore-scripts

FROM node:26-slim
ENV NODE_ENV=production \
    DATABASE_URL=sqlite:/data/attio.db
WORKDIR /app
COPY --from=dependencies /app/node_modules node_modules
COPY package.json LICENSE ./
COPY config config
COPY src src
RUN install --directory --owner=node --group=node /data
RUN install --directory --owner=node --group=node node_modules/.cache
VOLUME /data
USER node
# What Node makes of the sources is kept for this user, so that a start need not make it: see src/compile-cache.js.
RUN ["node", "--input-type=module", "--eval", "import '/app/src/compile-cache.js'; await import('/app/src/app/run.ts'); for (const later of ['pg', 'ioredis', '@fastify/swagger-ui']) await import(later); (await import('node:module')).flushCompileCache()"]
EXPOSE 3000
STOPSIGNAL SIGTERM
# Alive, not ready: an instance that drains or has lost its database is no better for a restart.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT || 3000}/health/live`).then((response) => process.exit(response.ok ? 0 : 1), () => process.exit(1))"]
# Not by npm, which would stand between the signals and the service.
CMD ["node", "src/start.js"]
