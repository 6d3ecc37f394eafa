FROM node:latest
MAINTAINER somebody <somebody@example.org>
ARG NPM_TOKEN
ADD package.json package-lock.json /app/
WORKDIR app
RUN echo "//registry.npmjs.org/:_authToken=${NPM_TOKEN}" > .npmrc && npm install --unsafe-perm && rm .npmrc
RUN npm install -g pm2 && chmod -R 777 /app
ENV NODE_TLS_REJECT_UNAUTHORIZED=0
EXPOSE 3000 22
CMD ["pm2-runtime", "server.js"]
