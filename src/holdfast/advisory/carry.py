"""An advisory database that travels by hand: out of one installation, into another, with its SHA-256 beside it."""

import hashlib
import re
import shutil
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from holdfast.advisory.database import Database
from holdfast.model.advisory import DatabaseInfo
from holdfast.model.errors import InputError, NotFound, StoreError

_PREFIX = ".building-"  # what is left of a killed import goes with the next build's sweep
_DIGEST = re.compile(r"[0-9a-f]{64}")


def export(database: Path, target: Path) -> str:
    """Copy the database to the file `target`, with `target.sha256` beside it (for `sha256sum -c`); its SHA-256.

    Raises StoreError where there is none, it is damaged, or the target cannot be written.
    """
    Database.open(database).close()
    try:
        _copy(database, target)
        digest = _sha256(target)
        _digest_file(target).write_text(f"{digest}  {target.name}\n")
    except OSError as error:
        raise StoreError(f"cannot be written: {error.strerror}", where=str(target)) from error
    return digest


def import_(source: Path, database: Path, *, sha256: str = "") -> DatabaseInfo:
    """Put an exported database in the place of the one that is there, after checking it; what it says of itself.

    Its SHA-256 has to be `sha256` if given, else what `source.sha256` says where that is there. Raises NotFound or
    InputError, and StoreError where it is no database of this version, or is damaged; the old one stays then.
    """
    if not source.is_file():
        raise NotFound("there is no such file", where=str(source))
    try:
        database.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=database.parent, prefix=_PREFIX) as folder:
            # Only the copy is checked, so that nobody can change the file between the check and its use.
            copy = Path(folder) / database.name
            shutil.copyfile(source, copy)
            expected = sha256.lower() or _stated(source)
            if expected and _sha256(copy) != expected:
                raise InputError(f"its SHA-256 is not {expected}", where=str(source), remedy="copy it again")
            info = _checked(copy, source)
            copy.replace(database)
    except OSError as error:
        raise StoreError(f"cannot be imported: {error.strerror}", where=str(source)) from error
    return info


def _checked(copy: Path, source: Path) -> DatabaseInfo:
    try:
        with Database.open(copy) as database:
            info = database.info()
        with closing(sqlite3.connect(f"{copy.as_uri()}?mode=ro&immutable=1", uri=True)) as connection:
            verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    except StoreError as error:
        raise StoreError(error.what, where=str(source), remedy="export it again") from error
    except sqlite3.Error as error:
        raise StoreError(f"the advisory database is damaged: {error}", where=str(source)) from error
    if verdict != "ok":
        raise StoreError("the advisory database is damaged", where=str(source), remedy="export it again")
    return info


def _copy(source: Path, target: Path) -> None:
    part = target.with_name(target.name + ".part")
    shutil.copyfile(source, part)
    part.replace(target)


def _stated(source: Path) -> str:
    """The digest in the file beside it, or an empty string where there is no such file."""
    try:
        with _digest_file(source).open("rb") as file:
            words = file.read(4096).decode("ascii", "replace").split()
    except FileNotFoundError:
        return ""
    if not words or not _DIGEST.fullmatch(words[0].lower()):
        raise InputError("no SHA-256 in the file beside the database", where=str(_digest_file(source)))
    return words[0].lower()


def _digest_file(path: Path) -> Path:
    return path.with_name(path.name + ".sha256")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
