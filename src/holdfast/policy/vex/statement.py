"""Statements of exploitability, whichever format they were written in."""

from datetime import UTC, datetime
from enum import StrEnum

from msgspec import Struct

from holdfast.model.status import Problem


class VexStatus(StrEnum):
    """What is said of a vulnerability in a product (CISA, Minimum Requirements for VEX, 2023)."""

    NOT_AFFECTED = "not_affected"
    AFFECTED = "affected"
    FIXED = "fixed"
    UNDER_INVESTIGATION = "under_investigation"


class Component(Struct, frozen=True):
    """Something that a statement speaks of, by everything that identifies it: purls, names, hashes as `sha256:…`."""

    names: tuple[str, ...] = ()
    hashes: tuple[str, ...] = ()


class Product(Struct, frozen=True):
    """A component, and those of its parts that the statement is confined to (empty: all of it)."""

    component: Component
    parts: tuple[Component, ...] = ()


class Statement(Struct, frozen=True):
    """What an author says of vulnerabilities (an id and its aliases) in products at a time (None: none is stated)."""

    vulnerabilities: tuple[str, ...]
    products: tuple[Product, ...]
    status: VexStatus
    justification: str = ""
    words: str = ""
    author: str = ""
    time: datetime | None = None
    where: str = ""


class Statements(Struct, frozen=True):
    """What a document says, in its order, and what of it could not be used.

    `whole` is what a bill of materials with statements in it describes.
    """

    items: tuple[Statement, ...] = ()
    problems: tuple[Problem, ...] = ()
    whole: Component | None = None


def time_of(text: object) -> datetime | None:
    """An RFC 3339 time, in UTC where it names no zone; None where it is none."""
    if not isinstance(text, str) or len(text) > 64:
        return None
    try:
        time = datetime.fromisoformat(text)
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
