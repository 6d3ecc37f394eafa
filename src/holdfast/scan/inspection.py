"""Describing an image that is open."""

from pathlib import Path

from msgspec.structs import replace

from holdfast.model.artifact import Attachment, AttachmentKind, Provenance
from holdfast.model.errors import HoldfastError
from holdfast.model.inspection import SCHEMA, Inspection, Offered
from holdfast.model.status import Gravity, Problem
from holdfast.oci.budget import IMAGE_BUDGET
from holdfast.oci.image import ImageSource
from holdfast.oci.layout import Layout, blob_path
from holdfast.oci.manifest import Document, parse_document
from holdfast.oci.source import Source
from holdfast.scan.attached import look, read_about
from holdfast.scan.conceal import conceal
from holdfast.secret.engine import SecretEngine

_MOST_OFFERS = 200
_MOST_PROVENANCE = 8


def inspect(source: Source, target: str, cache: Path, engine: SecretEngine) -> Inspection:
    """What the documents of an image say, every secret in them masked, and what is attached to it now.

    Its layers are not read.
    """
    concealed = conceal(source.image, engine).image
    problems = list(source.problems)
    integrity = [f"{item.what}: {item.actual} instead of {item.expected}" for item in source.integrity]
    problems += [Problem("image.damaged", f"not what was promised: {text}") for text in integrity]
    if not isinstance(source, ImageSource):
        return Inspection(SCHEMA, target, concealed, problems=tuple(problems))
    image, layout = source.image, source.layout
    attached = look(source, cache, fresh=True)
    problems += attached.problems
    manifest = _document(layout, image.digest, problems)
    index = _document(layout, image.index_digest, problems)
    provenance = _provenance(source, attached.attachments, problems)
    signed = {digest for digest, (_, is_signed) in provenance.items() if is_signed}
    return Inspection(
        SCHEMA, target, concealed, media_type=(manifest.media_type or "") if manifest else "",
        offers=_offers(index, problems) if index else (),
        attachments=tuple(replace(one, signed=one.signed or one.digest in signed) for one in attached.attachments),
        provenance={digest: said for digest, (said, _) in provenance.items()}, problems=tuple(problems),
    )  # fmt: skip


def _document(layout: Layout, digest: str, problems: list[Problem]) -> Document | None:
    """A manifest or index; None where there is none, or it cannot be read."""
    try:
        data = layout.read(blob_path(digest), IMAGE_BUDGET.document_bytes) if digest else b""
        return parse_document(data, digest) if digest else None
    except HoldfastError as error:
        problems.append(Problem.of("inspect.unreadable", error, where=digest))
        return None


def _offers(index: Document, problems: list[Problem]) -> tuple[Offered, ...]:
    images = [one for one in index.manifests or () if one.is_platform]
    if len(images) > _MOST_OFFERS:
        message = f"the index offers {len(images):,} images: the first {_MOST_OFFERS} are told of"
        problems.append(Problem("inspect.too-many", message, Gravity.NOTE))
    return tuple(Offered(one.where, one.digest, max(one.size, 0)) for one in images[:_MOST_OFFERS])


def _provenance(
    source: ImageSource, attached: tuple[Attachment, ...], problems: list[Problem]
) -> dict[str, tuple[Provenance, bool]]:
    """How the image was built by the attached statements that are about it, and whether each is signed."""
    from holdfast.catalog.statement import provenance_of

    found: dict[str, tuple[Provenance, bool]] = {}
    stating = {one.digest: one for one in attached if one.kind is AttachmentKind.PROVENANCE}
    if len(stating) > _MOST_PROVENANCE:
        message = f"only the first {_MOST_PROVENANCE} statements of provenance were read"
        problems.append(Problem("attachment.unread", message, Gravity.NOTE, count=len(stating) - _MOST_PROVENANCE))
    for digest, attachment in list(stating.items())[:_MOST_PROVENANCE]:
        try:
            statement = read_about(source.layout, source.image, attachment)
            said = provenance_of(statement.predicate_type, statement.predicate)
        except HoldfastError as error:
            problems.append(Problem.of("attachment.unusable", error, gravity=Gravity.NOTE, where=digest))
        else:
            found[digest] = said, statement.signed
    return found
