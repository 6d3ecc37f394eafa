# syntax=docker/dockerfile:1
ARG PYTHON=3.13

FROM python:${PYTHON}-slim AS build
WORKDIR /src
ENV PIP_NO_CACHE_DIR=1
RUN apt-get update \
 # a compiler, for wheels that are not there
 && apt-get install -y build-essential libpq-dev
COPY requirements.txt ./
RUN pip install --upgrade pip && \
    pip install --prefix=/install -r requirements.txt

FROM python:${PYTHON}-slim
LABEL org.opencontainers.image.licenses="Apache-2.0"
RUN apt-get update && apt-get install -y --no-install-recommends libpq5 && rm -rf /var/lib/apt/lists/*
COPY --from=build /install /usr/local
WORKDIR /app
COPY . .
ENV DJANGO_SECRET_KEY="q8!fj3-kd92-lksd"
EXPOSE 8000
USER 10001:10001
CMD gunicorn app:application --bind 0.0.0.0:8000
