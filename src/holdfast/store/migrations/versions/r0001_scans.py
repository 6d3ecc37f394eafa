"""Targets, scans with their documents, findings and what happened to them."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def _text(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def _numbers(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.Integer, nullable=False) for name in names]


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "target",
        sa.Column("id", sa.Integer),
        *_text("name", "platform"),
        sa.PrimaryKeyConstraint("id", name="pk_target"),
        sa.UniqueConstraint("name", "platform", name="uq_target_name_platform"),
    )
    op.create_table(
        "scan",
        sa.Column("number", sa.Integer),
        *_text("id"),
        *_numbers("target"),
        *_text("name", "reference", "kind", "digest", "created", "tool", "status", "origin", "database"),
        *_numbers("packages"),
        *_text("kinds", "counts", "gaps"),
        *_numbers("new", "gone"),
        sa.PrimaryKeyConstraint("number", name="pk_scan"),
        sa.ForeignKeyConstraint(["target"], ["target.id"], name="fk_scan_target"),
        sa.UniqueConstraint("id", name="uq_scan_id"),
    )
    op.create_index("ix_scan_target_created", "scan", ["target", "created"])
    op.create_table(
        "document",
        *_numbers("scan", "target"),
        sa.Column("report", sa.LargeBinary, nullable=False),
        sa.Column("sources", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("scan", name="pk_document"),
        sa.ForeignKeyConstraint(["scan"], ["scan.number"], name="fk_document_scan"),
        sa.ForeignKeyConstraint(["target"], ["target.id"], name="fk_document_target"),
    )
    op.create_index("ix_document_target", "document", ["target"])
    op.create_table(
        "finding",
        sa.Column("id", sa.Integer),
        *_numbers("target"),
        *_text("fingerprint", "rule", "kind", "found_by", "severity"),
        *_numbers("severity_rank"),
        *_text("name", "version", "purl", "path", "title"),
        *_numbers("occurrences", "risk"),
        *_text("first_seen", "last_seen"),
        *_numbers("last_scan"),
        *_text("gone_since"),
        sa.Column("is_accepted", sa.Boolean, nullable=False),
        *_text("reason", "owner", "expires", "decided"),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_finding"),
        sa.ForeignKeyConstraint(["target"], ["target.id"], name="fk_finding_target"),
        sa.ForeignKeyConstraint(["last_scan"], ["scan.number"], name="fk_finding_last_scan"),
        sa.UniqueConstraint("target", "fingerprint", name="uq_finding_target_fingerprint"),
    )
    op.create_index("ix_finding_fingerprint", "finding", ["fingerprint"])
    op.create_table(
        "event",
        sa.Column("id", sa.Integer),
        *_numbers("finding"),
        *_text("at", "what", "scan", "reason", "owner", "expires"),
        sa.PrimaryKeyConstraint("id", name="pk_event"),
        sa.ForeignKeyConstraint(["finding"], ["finding.id"], name="fk_event_finding"),
    )
    op.create_index("ix_event_finding", "event", ["finding"])
