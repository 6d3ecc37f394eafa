"""Podman, over its HTTP API."""
