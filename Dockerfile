# A Crux worker, and every other crux command: docker build -t crux . && docker run --rm crux --help
# Debian, because Temporal's native part is built for glibc; the workflow code is bundled ahead, so that workers start without a compiler.
ARG NODE_VERSION=24

FROM node:${NODE_VERSION}-bookworm-slim AS build
WORKDIR /build
COPY package.json package-lock.json ./
RUN npm install --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY scripts scripts
COPY src src
RUN npm run build

FROM node:${NODE_VERSION}-bookworm-slim
ENV NODE_ENV=production
WORKDIR /opt/crux
COPY package.json package-lock.json ./
# Optional are only other Nodes than the image's own, and the compiler for workflow code that is bundled already.
RUN npm install --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund
COPY LICENSE NOTICE README.md ./
COPY bin bin
COPY --from=build /build/dist dist
# Everything that is written lies below; mount a volume here, and the project (crux.config.ts) at /project.
WORKDIR /home/node
USER node
ENTRYPOINT ["node", "/opt/crux/bin/crux.js"]
CMD ["worker", "--config", "/project/crux.config.ts"]
