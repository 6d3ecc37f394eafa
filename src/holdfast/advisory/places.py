"""Where advisory data stands on disk."""

from pathlib import Path

from holdfast.settings import Settings


def database_path(settings: Settings) -> Path:
    """The advisory database."""
    return settings.data / "advisories.sqlite"


def archive_path(settings: Settings) -> Path:
    """The archive feed's ledger, beside the database."""
    return settings.data / "archive.sqlite"
