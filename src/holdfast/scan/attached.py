"""What stands beside an image: found, remembered for a day, and, where it lists the contents, read."""

import contextlib
import time
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from holdfast.catalog.listed import Inventory
from holdfast.model.artifact import Attachment, AttachmentKind, Image
from holdfast.model.errors import HoldfastError, InputError
from holdfast.model.status import Gravity, Problem
from holdfast.oci.attachment import attachments
from holdfast.oci.image import ImageSource
from holdfast.oci.integrity import Mismatch, Mismatched, digest_of
from holdfast.oci.layout import Layout, blob_path

if TYPE_CHECKING:
    from holdfast.catalog.statement import Statement

REMEMBERED_SECONDS = 86400.0
MOST_READ = 8
DOCUMENT_BYTES = 192 << 20
_LIMIT = 4 << 20
_STATEMENTS = ("application/vnd.in-toto+json", "application/vnd.dsse", "application/vnd.dev.sigstore.bundle")


class Listed(Struct, frozen=True):
    """A bill of materials that was verified to be about the image, and what it lists."""

    attachment: Attachment
    inventory: Inventory


class Attached(Struct, frozen=True):
    """What is attached to an image, the bills of materials among it read, and what went wrong."""

    attachments: tuple[Attachment, ...] = ()
    listed: tuple[Listed, ...] = ()
    problems: tuple[Problem, ...] = ()


class _Remembered(Struct, frozen=True):
    asked: float
    attachments: tuple[Attachment, ...]


def look(source: ImageSource, cache: Path, *, fresh: bool = False) -> Attached:
    """What is attached to an image that is open.

    A registry is asked again after REMEMBERED_SECONDS, or at once if it must be `fresh`. What claims to be about
    another image, or is not what its digest promises, is left out and told as a problem.
    """
    image = source.image
    if not image.digest:
        return Attached()
    kept = cache / "attachments" / f"{image.digest.replace(':', '-')}.json"
    found = None if fresh or not source.pulled else _remembered(kept)
    problems: tuple[Problem, ...] = ()
    if found is None:
        found, problems = attachments(source.layout, image.digest, image.index_digest)
        if source.pulled and not problems:
            _remember(kept, found)
    known: list[Attachment] = []
    listed: list[Listed] = []
    more = list(problems)
    for count, attachment in enumerate(found):
        if count < MOST_READ and _is_telling(attachment):
            try:
                attachment, inventory = _read(source.layout, image, attachment)
                listed += [Listed(attachment, inventory)] if inventory else []
            except HoldfastError as error:
                more.append(Problem.of("attachment.unusable", error, gravity=Gravity.NOTE, where=attachment.digest))
        known.append(attachment)
    return Attached(tuple(known), tuple(listed), tuple(more))


def _is_telling(attachment: Attachment) -> bool:
    """Whether reading it may give a bill of materials: it says so, or is a statement of something not said."""
    return attachment.kind is AttachmentKind.SBOM or (
        not attachment.predicate_type and attachment.media_type.startswith(_STATEMENTS)
    )


def _read(layout: Layout, image: Image, attachment: Attachment) -> tuple[Attachment, Inventory | None]:
    """The attachment, with what its content tells of its kind; its inventory, where it is a bill of materials."""
    digests = [digest for digest in (image.digest, image.index_digest) if digest]
    data = layout.read(blob_path(attachment.digest), DOCUMENT_BYTES)
    if (actual := digest_of(data, attachment.digest)) != attachment.digest:
        raise Mismatched(Mismatch("attachment's digest", attachment.digest, actual), where=attachment.manifest)
    statement = _statement(data, attachment)
    if statement is not None:
        if not any(statement.speaks_of(digest) for digest in digests):
            raise InputError("a statement about another image", where=attachment.digest)
        kind, signed = statement.kind, statement.signed
        attachment = replace(attachment, kind=kind, predicate_type=statement.predicate_type, signed=signed)
        data = statement.predicate
    elif attachment.subject not in digests:
        raise InputError("attached to another image", where=attachment.digest)
    if attachment.kind is not AttachmentKind.SBOM:
        return attachment, None
    from holdfast.catalog.sbom import read_sbom

    return attachment, read_sbom(data)


def _statement(data: bytes, attachment: Attachment) -> "Statement | None":
    from holdfast.catalog.statement import read_statement

    if attachment.media_type.startswith(_STATEMENTS):
        return read_statement(data)
    try:
        return read_statement(data)
    except InputError:
        return None  # a bill of materials as it is


def _remembered(path: Path) -> tuple[Attachment, ...] | None:
    try:
        if path.stat().st_size <= _LIMIT:
            kept = msgspec.json.decode(path.read_bytes(), type=_Remembered)
            if 0 <= time.time() - kept.asked < REMEMBERED_SECONDS:
                return kept.attachments
    except (OSError, msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        pass
    return None


def _remember(path: Path, found: tuple[Attachment, ...]) -> None:
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".part-{time.time_ns():x}")
        part.write_bytes(msgspec.json.encode(_Remembered(time.time(), found)))
        part.replace(path)
