"""The tables of a store: the same in SQLite and PostgreSQL. Another shape is another migration.

Times are ISO 8601 texts in UTC, which sort as they should; an empty one stands for none.
"""

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)
"""All tables."""


def _text(name: str, *more: ForeignKey) -> Column[str]:
    return Column(name, Text, *more, nullable=False)


def _number(name: str) -> Column[int]:
    return Column(name, Integer, nullable=False)


TARGET = Table(
    "target",
    METADATA,
    Column("id", Integer, primary_key=True),
    _text("name"),
    _text("platform"),
    UniqueConstraint("name", "platform"),
)
"""What is scanned again and again (store.identity), once for each platform."""

SCAN = Table(
    "scan",
    METADATA,
    Column("number", Integer, primary_key=True),
    _text("id"),
    Column("target", Integer, ForeignKey("target.id"), nullable=False),
    _text("name"),
    _text("reference"),
    _text("kind"),
    _text("digest"),
    _text("created"),
    _text("tool"),
    _text("status"),
    _text("origin"),
    _text("database"),
    _number("packages"),
    _text("kinds"),
    _text("counts"),
    _text("gaps"),
    _number("new"),
    _number("gone"),
    UniqueConstraint("id"),
    Index(None, "target", "created"),
)
"""One scan: `kinds` (looked for), `counts` and `gaps` are JSON."""

DOCUMENT = Table(
    "document",
    METADATA,
    Column("scan", Integer, ForeignKey("scan.number"), primary_key=True),
    Column("target", Integer, ForeignKey("target.id"), nullable=False),
    Column("report", LargeBinary, nullable=False),
    Column("sources", LargeBinary, nullable=False),
    Index(None, "target"),
)
"""The report of a scan and its apt sources, packed (store.document), while they are kept."""

FINDING = Table(
    "finding",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("target", Integer, ForeignKey("target.id"), nullable=False),
    _text("fingerprint"),
    _text("rule"),
    _text("kind"),
    _text("found_by"),
    _text("severity"),
    _number("severity_rank"),
    _text("name"),
    _text("version"),
    _text("purl"),
    _text("path"),
    _text("title"),
    _number("occurrences"),
    _number("risk"),
    _text("first_seen"),
    _text("last_seen"),
    Column("last_scan", Integer, ForeignKey("scan.number"), nullable=False),
    _text("gone_since"),
    Column("is_accepted", Boolean, nullable=False),
    _text("reason"),
    _text("owner"),
    _text("expires"),
    _text("decided"),
    Column("content", LargeBinary, nullable=False),
    UniqueConstraint("target", "fingerprint"),
    Index(None, "fingerprint"),
)
"""A finding of a target through all its scans. `content` is the finding as last seen, packed."""

EVENT = Table(
    "event",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("finding", Integer, ForeignKey("finding.id"), nullable=False),
    _text("at"),
    _text("what"),
    _text("scan"),
    _text("reason"),
    _text("owner"),
    _text("expires"),
    Index(None, "finding"),
)
"""What happened to a finding."""
