"""Which of the images in a layout is meant: by its tag, then by its platform."""

from collections.abc import Iterator, Sequence

from msgspec import Struct

from holdfast.model.artifact import Platform
from holdfast.model.errors import HoldfastError, InputError, LimitError, NotFound
from holdfast.oci.budget import ImageBudget
from holdfast.oci.layout import Layout, blob_path
from holdfast.oci.manifest import INDEX_TYPES, MANIFEST_TYPES, Configuration, Descriptor, parse, parse_document

_DEFAULT_VARIANTS = {"arm64": "v8", "arm": "v7", "amd64": "v1"}


class Selected(Struct, frozen=True):
    """The manifest that is meant, and the digest of the index that led to it, if one did."""

    manifest: Descriptor
    index_digest: str = ""


def by_tag(descriptors: Sequence[Descriptor], tag: str, where: str) -> list[Descriptor]:
    """The entries of a layout's index.json that a tag names, or all where none is asked for and one image is there."""
    images = [one for one in descriptors if one.is_platform]
    known = sorted({name for one in images for name in one.names[:1]})
    if tag:
        chosen = [one for one in images if names(tag, one.names)]
        if not chosen:
            raise NotFound(f"no image is tagged {tag!r}", where=where, remedy=_list("there are", known))
        return chosen
    # Several under one name are one image for several platforms.
    if len(known) > 1:
        raise InputError("holds several images", where=where, remedy=_list("name one of", known))
    return images


def names(tag: str, known: Sequence[str]) -> bool:
    """Whether a tag, or a name with a tag, is one of those known: `3.20` names `docker.io/library/alpine:3.20`."""
    return any(tag == name or name.endswith((f":{tag}", f"/{tag}")) for name in known)


def by_platform(
    layout: Layout, descriptors: Sequence[Descriptor], asked: Platform | None, budget: ImageBudget, where: str
) -> Selected:
    """The manifest for a platform among descriptors, looking into indexes; the host's where none is asked for.

    A single image is the one meant, whatever its platform, unless another was asked for. InputError with the platforms
    that are there where none fits.
    """
    finder = _Finder(layout, budget, where)
    found = list(finder.manifests(descriptors, "", 0))
    here = [one for one in found if finder.is_stored(one.manifest)]
    if not here:
        missing = ", ".join(one.manifest.digest for one in found[:4])
        raise NotFound(f"no image is in it{': missing ' + missing if missing else ''}", where=where)
    if len(here) > 1:
        here = [one for one in here if not finder.is_artifact(one.manifest)] or here
    if len({one.manifest.digest for one in here}) == 1 and asked is None:
        return here[0]
    wanted = asked or Platform.of_host()
    platforms = [(one, finder.platform(one.manifest)) for one in here]
    for strict in (True, False):
        for one, platform in platforms:
            if platform is not None and _fits(platform, wanted, strict=strict):
                return one
    if len(here) == 1 and platforms[0][1] is None:
        return here[0]
    known = sorted({str(platform or "unknown") for _, platform in platforms})
    raise InputError(f"no image for {wanted}", where=where, remedy=_list("use --platform with one of", known))


class _Finder:
    def __init__(self, layout: Layout, budget: ImageBudget, where: str) -> None:
        self._layout = layout
        self._budget = budget
        self._where = where
        self._left = budget.descriptors

    def manifests(self, descriptors: Sequence[Descriptor], index_digest: str, depth: int) -> Iterator[Selected]:
        for descriptor in descriptors:
            self._left -= 1
            if self._left < 0 or depth > self._budget.index_depth:
                raise LimitError("its indexes are too many, or too deep", where=self._where)
            if not descriptor.is_platform:
                continue
            inner = self._inner(descriptor)
            if inner is None:
                yield Selected(descriptor, index_digest)
            else:
                yield from self.manifests(inner, index_digest or descriptor.digest, depth + 1)

    def is_stored(self, descriptor: Descriptor) -> bool:
        try:
            return self._layout.size(blob_path(descriptor.digest)) >= 0
        except NotFound:
            return False

    def is_artifact(self, descriptor: Descriptor) -> bool:
        """Whether a manifest without a platform says that it is none of an image: `oras cp` lists all it copies."""
        try:
            document = None if descriptor.where else parse_document(self._read(descriptor), self._where)
        except HoldfastError:
            return False
        return document is not None and (document.subject is not None or bool(document.artifact_type))

    def platform(self, descriptor: Descriptor) -> Platform | None:
        """What the index states, else what the image's configuration does."""
        if descriptor.where is not None:
            return descriptor.where
        try:
            manifest = parse_document(self._read(descriptor), self._where)
            configuration = parse(self._read(manifest.config or Descriptor()), Configuration, self._where)
        except HoldfastError:
            return None  # opening it will say what is wrong, if it is the one
        return configuration.platform

    def _inner(self, descriptor: Descriptor) -> list[Descriptor] | None:
        if descriptor.media_type in MANIFEST_TYPES:
            return None
        try:
            document = parse_document(self._read(descriptor), self._where)
        except NotFound:
            if descriptor.media_type in INDEX_TYPES:
                return []
            return None
        return document.manifests

    def _read(self, descriptor: Descriptor) -> bytes:
        return self._layout.read(blob_path(descriptor.digest), self._budget.document_bytes)


def _fits(platform: Platform, wanted: Platform, *, strict: bool) -> bool:
    if (platform.os, platform.architecture) != (wanted.os, wanted.architecture):
        return False
    default = _DEFAULT_VARIANTS.get(wanted.architecture, "")
    same = (platform.variant or default) == (wanted.variant or default)
    return same or not (strict or wanted.variant)


def _list(before: str, words: Sequence[str]) -> str:
    return f"{before}: {', '.join(words[:40])}" if words else ""
