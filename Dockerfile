# imcd on Node 24, not as root; runs with a read-only file system: it writes below /var/lib/imcd only.
FROM node:24-bookworm-slim AS build
WORKDIR /build
COPY package.json package-lock.json ./
# Without install scripts: the compiler needs none, and Node is the image's own.
RUN npm ci --ignore-scripts
COPY . .
RUN node scripts/build.ts && npm prune --omit=dev --ignore-scripts

FROM node:24-bookworm-slim
ENV NODE_ENV=production IMCD_DATA=/var/lib/imcd
RUN install -d -o node -g node -m 0700 /var/lib/imcd \
 && printf '#!/bin/sh\nexec node --max-semi-space-size=8 --heap-growing-percent=50 /opt/imcd/dist/cli.js "$@"\n' >/usr/local/bin/imcd \
 && chmod 0755 /usr/local/bin/imcd
WORKDIR /opt/imcd
COPY --from=build /build/package.json ./
COPY --from=build /build/node_modules ./node_modules
COPY --from=build /build/dist ./dist
COPY --from=build /build/projections ./projections
COPY --from=build /build/schemas ./schemas
USER node
VOLUME /var/lib/imcd
EXPOSE 5060/udp 5060/tcp
# SIGTERM: what is begun is finished and answered, for 10 s at most.
STOPSIGNAL SIGTERM
ENTRYPOINT ["imcd"]
CMD ["serve"]
