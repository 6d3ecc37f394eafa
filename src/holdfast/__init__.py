"""Holdfast: container security from the Dockerfile to the running process."""

__version__ = "0.1.0"
