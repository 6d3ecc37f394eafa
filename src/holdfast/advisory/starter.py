"""The starter pack: some 150 famous or known-exploited advisories of the language ecosystems, inside the package.

Bare facts in OSV's form, one record a line. It is for the first minutes on a machine that reaches no feed, and it is
labelled wherever it is used: what it does not name was not checked.
"""

import hashlib
import sqlite3
from importlib.resources import files

import msgspec
from msgspec import Struct

from holdfast.advisory.database import Database
from holdfast.advisory.osv import decode
from holdfast.advisory.record import KevEntry
from holdfast.advisory.schema import Writer, create
from holdfast.model.advisory import KnownExploited, SourceInfo

DATE = "2026-11-23"
"""The day on which the facts in the pack were last looked at."""

_SOURCE = "starter"


class _Extra(Struct):
    known_exploited: KnownExploited | None = None


class _Line(Struct):
    id: str
    database_specific: _Extra | None = None


def database() -> Database:
    """The starter pack as a database in memory; its `info().starter` is true."""
    content = (files(__package__) / "starter.jsonl").read_bytes()
    connection = sqlite3.connect(":memory:", check_same_thread=False)
    create(connection)
    writer = Writer(connection)
    count = 0
    for line in content.splitlines():
        advisory = decode(line, _SOURCE)
        assert advisory is not None
        writer.add(advisory)
        count += 1
        extra = msgspec.json.decode(line, type=_Line)
        if extra.database_specific and extra.database_specific.known_exploited:
            writer.add(KevEntry(extra.id, extra.database_specific.known_exploited))
    digest = hashlib.sha256(content).hexdigest()
    writer.describe(SourceInfo(_SOURCE, DATE, count, digest))
    connection.execute("INSERT INTO meta VALUES ('sha256', ?)", (digest,))
    writer.finish()
    return Database(connection, where="the starter pack", starter=True)
