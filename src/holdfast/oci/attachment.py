"""What is attached to an image: attestations in its index, manifests that refer to it, and tags named after it.

Sources: moby/buildkit docs/attestations/attestation-storage.md; image-spec v1.1, manifest.md (`subject`);
distribution-spec v1.1 (listing referrers, referrers tag schema); sigstore/cosign specs (tags `sha256-….sig|att|sbom`).
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Protocol, runtime_checkable

from msgspec import Struct

from holdfast.model.artifact import Attachment, kind_of, parse_digest, stated_predicate_type
from holdfast.model.errors import HoldfastError, InputError, LimitError, NotFound
from holdfast.model.status import Gravity, Problem
from holdfast.oci.budget import IMAGE_BUDGET
from holdfast.oci.integrity import Mismatch, Mismatched, digest_of
from holdfast.oci.layout import Layout, blob_path
from holdfast.oci.manifest import (
    CONTAINERD_NAME,
    INDEX_TYPES,
    REFERENCE_NAME,
    Descriptor,
    Document,
    parse,
    parse_document,
    tag_of_attached,
)

MOST = 200
"""Manifests that are looked at, and attachments that are told of, for one image."""
_MOST_ANNOTATIONS = 32
_MOST_TEXT = 2048
_TYPE = "vnd.docker.reference.type"
_DIGEST = "vnd.docker.reference.digest"
# Media types that tell nothing of what a layer is: no content at all, and what ORAS calls any file.
_UNTOLD = ("", "application/vnd.oci.empty.v1+json", "application/vnd.oci.image.layer.v1.tar")


@runtime_checkable
class Referring(Protocol):
    """A layout that can be asked what belongs to one of its manifests."""

    def referrers(self, digest: str) -> list[Descriptor]:
        """The manifests that name it as their subject: a few more than MOST where there are more."""

    def tagged(self, digest: str) -> list[Descriptor]:
        """The manifests under the tags that cosign makes of its digest."""

    def add(self, blobs: Iterable[Descriptor]) -> None:
        """Make blobs readable that were found before."""


class _Carrier(Struct, frozen=True):
    """A manifest that carries attachments, and how it was found."""

    descriptor: Descriptor
    found_by: str


def attachments(
    layout: Layout, digest: str, index_digest: str = ""
) -> tuple[tuple[Attachment, ...], tuple[Problem, ...]]:
    """What is attached to the image with a manifest's `digest`, each once, and what of that could not be found out.

    `index_digest` is that of the index that led to it, if one did. Nothing of what is attached is read yet: only the
    manifests that carry it, and each is held to its digest. One that says it belongs to another image is left out.
    """
    subjects = tuple(dict.fromkeys(one for one in (digest, index_digest) if one))
    carriers: dict[str, _Carrier] = {}
    found: dict[tuple[object, ...], Attachment] = {}
    problems: list[Problem] = []
    for source in (_beside, _referring, _tagged):
        try:
            for carrier in source(layout, subjects):
                carriers.setdefault(carrier.descriptor.digest, carrier)
        except HoldfastError as error:
            problems.append(_problem(error))
    for carrier in islice(carriers.values(), MOST):
        try:
            for one in _carried(layout, subjects, carrier):
                found.setdefault((one.manifest, one.digest, *sorted(one.annotations.items())), one)
        except HoldfastError as error:
            problems.append(_problem(error, carrier.descriptor.digest))
    if len(carriers) > MOST or len(found) > MOST:
        problems.append(Problem("attachment.too-many", f"only the first {MOST} are told of", Gravity.NOTE))
    return tuple(islice(found.values(), MOST)), tuple(problems)


def identifying(descriptor: Descriptor, repository: str) -> dict[str, str]:
    """The annotations by which a manifest in a layout's index is found again as attached to its image.

    `repository` is what it was pulled from. Nothing else that a registry says of it is kept: it might give a name that
    another image of the layout has.
    """
    said = descriptor.annotations or {}
    kept = {key: said[key] for key in (_TYPE, _DIGEST) if key in said}
    tag = said.get(REFERENCE_NAME, "")
    if tag_of_attached(tag):
        kept |= {REFERENCE_NAME: tag, CONTAINERD_NAME: f"{repository}:{tag}"}
    return kept


def _problem(error: HoldfastError, where: str = "") -> Problem:
    return Problem.of("attachment.unreadable", error, gravity=Gravity.NOTE, where=where[:_MOST_TEXT])


def _beside(layout: Layout, subjects: Sequence[str]) -> Iterator[_Carrier]:
    """The attestation manifests that BuildKit puts beside an image in its index, each naming the image it is about."""
    own = [] if isinstance(layout, Referring) else _stored(layout)
    for descriptor in (*own, *(_within(layout, subjects[1]) if len(subjects) > 1 else ())):
        annotations = descriptor.annotations or {}
        if annotations.get(_TYPE) == "attestation-manifest" and annotations.get(_DIGEST) in subjects:
            yield _Carrier(descriptor, "index")


def _within(layout: Layout, index_digest: str, depth: int = 0) -> Iterator[Descriptor]:
    """The entries of an index and of those inside it, as far as they are there."""
    for descriptor in _document(layout, index_digest).manifests or ():
        yield descriptor
        if descriptor.media_type in INDEX_TYPES and depth < IMAGE_BUDGET.index_depth:
            try:
                yield from _within(layout, descriptor.digest, depth + 1)
            except NotFound:
                continue  # a layout may hold one platform of many


def _referring(layout: Layout, subjects: Sequence[str]) -> Iterator[_Carrier]:
    """The manifests that name the image or its index as their subject."""
    if isinstance(layout, Referring):
        for subject in subjects:
            yield from (_Carrier(descriptor, "referrers") for descriptor in layout.referrers(subject))
        return
    for descriptor in _stored(layout):
        tags = [tag_of_attached(name) for name in descriptor.names]
        if any((subject, "") in tags for subject in subjects):
            listed = _document(layout, descriptor.digest).manifests or ()
            yield from (_Carrier(one, "referrers") for one in listed)
        elif _may_refer(layout, descriptor, subjects):
            yield _Carrier(descriptor, "referrers")


def _may_refer(layout: Layout, descriptor: Descriptor, subjects: Sequence[str]) -> bool:
    """Whether an entry of a layout's index refers to the image; also if it is an artifact that cannot be read."""
    if descriptor.digest in subjects or _TYPE in (descriptor.annotations or {}) or descriptor.where is not None:
        return False
    if any(tag_of_attached(name) for name in descriptor.names):
        return False
    try:
        document = _document(layout, descriptor.digest)
    except HoldfastError:
        return not descriptor.is_platform  # reading it again says what is wrong
    return document.subject is not None and document.subject.digest in subjects


def _tagged(layout: Layout, subjects: Sequence[str]) -> Iterator[_Carrier]:
    """The manifests under cosign's tags, which say by their names alone what they belong to."""
    if isinstance(layout, Referring):
        for subject in subjects:
            yield from (_Carrier(descriptor, "tag") for descriptor in layout.tagged(subject))
        return
    for descriptor in _stored(layout):
        tags = [tag_of_attached(name) for name in descriptor.names]
        if any(subject in subjects and suffix for subject, suffix in filter(None, tags)):
            yield _Carrier(descriptor, "tag")


def _stored(layout: Layout) -> Sequence[Descriptor]:
    """All that lies at the top of a layout on disk."""
    index = parse(layout.read("index.json", IMAGE_BUDGET.document_bytes), Document, "index.json")
    entries = index.manifests or []
    if len(entries) > IMAGE_BUDGET.descriptors:
        raise LimitError(f"a layout of more than {IMAGE_BUDGET.descriptors:,} entries", where="index.json")
    return entries


def _carried(layout: Layout, subjects: Sequence[str], carrier: _Carrier) -> Iterator[Attachment]:
    """What a manifest carries: each of its layers is one attachment. InputError where it belongs to another image."""
    digest = carrier.descriptor.digest
    manifest = _document(layout, digest)
    if manifest.subject is not None and manifest.subject.digest not in subjects:
        another = ascii(manifest.subject.digest[:80])[1:-1]
        raise InputError(f"listed for this image, but attached to another: {another}", where=digest)
    if manifest.subject is None and carrier.found_by == "referrers":
        raise InputError("listed as referring to this image, but it refers to none", where=digest)
    subject = manifest.subject.digest if manifest.subject else subjects[0]
    config = manifest.config.media_type if manifest.config else ""
    stated = manifest.artifact_type or carrier.descriptor.artifact_type or config
    for layer in islice(manifest.layers or (), MOST + 1):
        annotations = {**(manifest.annotations or {}), **(layer.annotations or {})}
        predicate = stated_predicate_type(annotations)
        media_type = layer.media_type if layer.media_type not in _UNTOLD else stated
        yield Attachment(
            kind=kind_of(predicate, media_type, stated),
            digest=parse_digest(layer.digest, where=digest),
            media_type=_bounded(media_type),
            predicate_type=_bounded(predicate),
            size=max(layer.size, 0),
            subject=subject,
            manifest=digest,
            found_by=carrier.found_by,
            annotations={
                _bounded(key): _bounded(value) for key, value in islice(annotations.items(), _MOST_ANNOTATIONS)
            },
        )


def _document(layout: Layout, digest: str) -> Document:
    """A manifest or index, held to its digest: what lies on a disk was not compared with it yet."""
    data = layout.read(blob_path(digest), IMAGE_BUDGET.document_bytes)
    if (actual := digest_of(data, digest)) != digest:
        raise Mismatched(Mismatch("manifest digest", digest, actual), where=digest)
    return parse_document(data, digest)


def _bounded(text: str) -> str:
    return text if len(text) <= _MOST_TEXT else text[:_MOST_TEXT] + "…"
