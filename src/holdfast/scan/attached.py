"""What stands beside an image: found, and, where it lists the contents, verified to be about the image and read."""

from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from holdfast.catalog.listed import Inventory
from holdfast.model.artifact import Attachment, AttachmentKind, Image
from holdfast.model.errors import HoldfastError, InputError, SourceError
from holdfast.model.status import Gravity, Problem
from holdfast.oci.attachment import Referring, attachments
from holdfast.oci.budget import IMAGE_BUDGET
from holdfast.oci.image import ImageSource
from holdfast.oci.integrity import Mismatch, Mismatched, digest_of
from holdfast.oci.layout import Layout, blob_path
from holdfast.oci.manifest import INDEX_TYPES, Descriptor, parse_document
from holdfast.oci.reference import Reference
from holdfast.scan.remembered import Remembered

if TYPE_CHECKING:
    from holdfast.catalog.statement import Statement

MOST_READ = 8
DOCUMENT_BYTES = 192 << 20
_BUNDLE = "application/vnd.dev.sigstore.bundle"
_STATEMENTS = ("application/vnd.in-toto", "application/vnd.dsse", _BUNDLE)
_SCOPE = "dev.sigstore.sbom.scope"


class Listed(Struct, frozen=True):
    """A bill of materials of the image itself, and what it lists.

    `bound` means that it names the image by its digest, or its manifest does; otherwise a tag alone says so.
    """

    attachment: Attachment
    inventory: Inventory
    bound: bool = True


class Attached(Struct, frozen=True):
    """What is attached to an image, the bills of materials among it read, and what went wrong."""

    attachments: tuple[Attachment, ...] = ()
    listed: tuple[Listed, ...] = ()
    problems: tuple[Problem, ...] = ()
    failed: bool = False


def look(source: ImageSource, cache: Path, *, fresh: bool = False) -> Attached:
    """What is attached to an image that is open.

    A registry is asked at most once a day, or again if it must be `fresh`. What claims to be about another image, or
    is not what its digest promises, is told as a problem and not read.
    """
    image, layout = source.image, source.layout
    if not image.digest:
        return Attached()
    remembered = None
    if isinstance(layout, Referring):
        repository = Reference.parse(image.reference.removeprefix("registry:")).name
        remembered = Remembered(cache / "attachments", repository, image.digest, image.index_digest)
        known = None if fresh else remembered.get()
        if known is not None:
            layout.add([Descriptor(one.media_type, one.digest, one.size) for one in known])
            return _read_all(layout, image, known)
    found, problems = attachments(layout, image.digest, image.index_digest)
    attached = _read_all(layout, image, found)
    attached = replace(attached, problems=(*problems, *attached.problems))
    if remembered is not None and not problems and not attached.failed:
        remembered.put(attached.attachments)
    return attached


def read_about(layout: Layout, image: Image, attachment: Attachment) -> "Statement":
    """The statement that an attachment holds, verified to be the one attached and to speak of the image.

    SourceError, LimitError; InputError where it is no statement, or one about something else.
    """
    return _statement(_content(layout, attachment), image, attachment)


def document_about(layout: Layout, image: Image, attachment: Attachment) -> bytes:
    """The document that an attachment holds, out of its statement where it is wrapped in one. Errors as read_about."""
    data = _content(layout, attachment)
    if attachment.media_type.startswith(_STATEMENTS):
        return _statement(data, image, attachment).predicate
    return data


def _read_all(layout: Layout, image: Image, found: tuple[Attachment, ...]) -> Attached:
    reader = _Reader(layout, image)
    # What says that it is a bill of materials comes before what may be one.
    order = sorted(range(len(found)), key=lambda number: found[number].kind is not AttachmentKind.SBOM)
    known = {number: reader.look_into(found[number]) for number in order}
    if reader.unread:
        message = f"attached statements or bills of materials that were not read: {MOST_READ} are the most"
        reader.problems.append(Problem("attachment.unread", message, Gravity.NOTE, count=reader.unread))
    return Attached(
        tuple(known[number] for number in sorted(known)), tuple(reader.listed), tuple(reader.problems), reader.failed
    )


class _Reader:
    """Reads what may be a bill of materials of one image, each blob once and MOST_READ at most."""

    def __init__(self, layout: Layout, image: Image) -> None:
        self.listed: list[Listed] = []
        self.problems: list[Problem] = []
        self.unread = 0
        self.failed = False
        self._layout, self._image = layout, image
        self._read: dict[str, Attachment] = {}
        self._have_own: set[str] = set()

    def look_into(self, attachment: Attachment) -> Attachment:
        """The attachment with what its content tells of it; a bill of materials among it is listed."""
        if (same := self._read.get(attachment.digest)) is not None:
            return replace(attachment, kind=same.kind, predicate_type=same.predicate_type, signed=same.signed)
        if not _is_telling(attachment) or attachment.manifest in self._have_own:
            return attachment
        if len(self._read) == MOST_READ:
            self.unread += 1
            return attachment
        self._read[attachment.digest] = attachment
        try:
            attachment = self._looked_into(attachment)
            self._read[attachment.digest] = attachment
        except HoldfastError as error:
            # What could not be had may be had the next time; what is wrong stays so.
            self.failed |= isinstance(error, SourceError) and not isinstance(error, Mismatched)
            self.problems.append(
                Problem.of("attachment.unusable", error, gravity=Gravity.NOTE, where=attachment.digest)
            )
        if attachment.kind is AttachmentKind.SBOM and attachment.found_by == "index":
            # BuildKit puts the image's own bill first; those of stages of the build, and of its context, follow
            # (moby/buildkit exporter/attestation/unbundle.go).
            self._have_own.add(attachment.manifest)
        return attachment

    def _looked_into(self, attachment: Attachment) -> Attachment:
        data = _content(self._layout, attachment)
        subjects = {attachment.subject}
        bound = attachment.found_by != "tag"
        if attachment.media_type.startswith(_STATEMENTS):
            if _is_signature(data, attachment):
                return attachment
            statement = _statement(data, self._image, attachment)
            subjects = {digest for _, digest in statement.subjects}
            data, bound = statement.predicate, True
            attachment = replace(
                attachment,
                kind=statement.kind,
                predicate_type=attachment.predicate_type or statement.predicate_type[:2048],
                signed=statement.signed,
            )
        if attachment.kind is AttachmentKind.SBOM:
            return self._list(attachment, data, subjects, bound=bound)
        return attachment

    def _list(self, attachment: Attachment, data: bytes, subjects: set[str], *, bound: bool) -> Attachment:
        from holdfast.catalog.sbom import read_sbom
        from holdfast.catalog.vex import is_exploitability

        if is_exploitability(data):
            return replace(attachment, kind=AttachmentKind.VEX)
        inventory = read_sbom(data)
        if self._image.digest not in subjects and self._is_one_of_many():
            message = "a bill of materials of a whole index: nobody can say which of its platforms it lists"
            self.problems.append(Problem("attachment.of-index", message, Gravity.NOTE, attachment.digest))
        else:
            self.listed.append(Listed(attachment, inventory, bound))
        return attachment

    def _is_one_of_many(self) -> bool:
        """Whether the image's index has images for other platforms too."""
        data = self._layout.read(blob_path(self._image.index_digest), IMAGE_BUDGET.document_bytes)
        entries = parse_document(data, self._image.index_digest).manifests or ()
        images = [one for one in entries if one.is_platform]
        return len(images) != 1 or images[0].media_type in INDEX_TYPES


def _is_telling(attachment: Attachment) -> bool:
    """Whether reading it may give a bill of the whole image: it says so, or is a statement of something not said."""
    if attachment.annotations.get(_SCOPE, "all") != "all":
        return False
    untold = not attachment.predicate_type and attachment.media_type.startswith(_STATEMENTS)
    return attachment.kind is AttachmentKind.SBOM or untold


def _content(layout: Layout, attachment: Attachment) -> bytes:
    data = layout.read(blob_path(attachment.digest), DOCUMENT_BYTES)
    if (actual := digest_of(data, attachment.digest)) != attachment.digest:
        raise Mismatched(Mismatch("attachment's digest", attachment.digest, actual), where=attachment.digest)
    return data


def _is_signature(data: bytes, attachment: Attachment) -> bool:
    """Whether it is a bundle of a signature over bytes: it holds no statement, and need not."""
    from holdfast.catalog.statement import read_statement

    if attachment.predicate_type or not attachment.media_type.startswith(_BUNDLE):
        return False
    try:
        read_statement(data)
    except InputError:
        return True
    return False


def _statement(data: bytes, image: Image, attachment: Attachment) -> "Statement":
    from holdfast.catalog.statement import read_statement

    statement = read_statement(data)
    if not any(statement.speaks_of(digest) for digest in (image.digest, image.index_digest) if digest):
        raise InputError("a statement about another image", where=attachment.digest)
    return statement
