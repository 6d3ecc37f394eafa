"""Dockerfiles: read as BuildKit reads them, and judged before anything is built."""
