"""Describing an image that is open."""

from pathlib import Path

from holdfast.model.artifact import Attachment, AttachmentKind, Provenance
from holdfast.model.errors import HoldfastError
from holdfast.model.inspection import Inspection, Offered
from holdfast.model.status import Gravity, Problem
from holdfast.oci.budget import IMAGE_BUDGET
from holdfast.oci.image import ImageSource
from holdfast.oci.layout import Layout, blob_path
from holdfast.oci.manifest import parse_document
from holdfast.oci.source import Source
from holdfast.scan.attached import DOCUMENT_BYTES, look

_MOST_OFFERS = 200


def inspect(source: Source, target: str, cache: Path) -> Inspection:
    """What the documents of an image say, and what is attached to it. Its layers are not read."""
    problems = list(source.problems)
    integrity = [f"{item.what}: {item.actual} instead of {item.expected}" for item in source.integrity]
    problems += [Problem("image.damaged", f"not what was promised: {text}") for text in integrity]
    if not isinstance(source, ImageSource):
        return Inspection(target, source.image, problems=tuple(problems))
    attached = look(source, cache, fresh=True)
    problems += attached.problems
    image, media_type = source.image, ""
    offers: tuple[Offered, ...] = ()
    provenance: list[Provenance] = []
    try:
        media_type = _media_type(source.layout, image.digest)
        offers = _offers(source.layout, image.index_digest) if image.index_digest else ()
        provenance = [_provenance(source.layout, one) for one in attached.attachments if _is_provenance(one)]
    except HoldfastError as error:
        problems.append(Problem.of("inspect.unreadable", error, gravity=Gravity.NOTE))
    return Inspection(
        target, image, media_type=media_type, offers=offers, attachments=attached.attachments,
        provenance=tuple(provenance), problems=tuple(problems),
    )  # fmt: skip


def _media_type(layout: Layout, digest: str) -> str:
    if not digest:
        return ""
    return parse_document(layout.read(blob_path(digest), IMAGE_BUDGET.document_bytes), digest).media_type or ""


def _offers(layout: Layout, index_digest: str) -> tuple[Offered, ...]:
    index = parse_document(layout.read(blob_path(index_digest), IMAGE_BUDGET.document_bytes), index_digest)
    images = [one for one in index.manifests or () if one.is_platform]
    return tuple(Offered(one.where, one.digest, max(one.size, 0)) for one in images[:_MOST_OFFERS])


def _is_provenance(attachment: Attachment) -> bool:
    return attachment.kind is AttachmentKind.PROVENANCE and bool(attachment.predicate_type)


def _provenance(layout: Layout, attachment: Attachment) -> Provenance:
    from holdfast.catalog.statement import provenance_of, read_statement

    statement = read_statement(layout.read(blob_path(attachment.digest), DOCUMENT_BYTES))
    return provenance_of(statement.predicate_type, statement.predicate)
