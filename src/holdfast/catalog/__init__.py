"""Which packages are inside: read from the files that package managers, builds and lock files leave behind."""

from holdfast.catalog.catalogers import CATALOGERS

__all__ = ["CATALOGERS"]
