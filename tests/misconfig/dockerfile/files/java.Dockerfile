FROM maven:3.9-eclipse-temurin-21 AS build
COPY settings.xml /root/.m2/
WORKDIR /build
COPY pom.xml .
RUN --mount=type=cache,target=/root/.m2/repository mvn -B dependency:go-offline
COPY src ./src
RUN mvn -B package -Dmaven.test.skip=true -Drepo.password=s3cr3t-of-ci

FROM eclipse-temurin:21-jre
COPY --from=build /build/target/app.jar /app.jar
COPY keystore.jks /etc/app/
HEALTHCHECK --interval=30s CMD curl -u probe:pr0be-pass http://localhost:8080/health
HEALTHCHECK --interval=10s CMD curl -f http://localhost:8080/health
USER app
ENTRYPOINT exec java $JAVA_OPTS -jar /app.jar
