"""Fetching images from a registry into an OCI layout: whole, verified, resumed, and never half there."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from holdfast.model.artifact import Platform
from holdfast.model.errors import LimitError, NotFound
from holdfast.model.status import Problem
from holdfast.oci.attachment import attachments, identifying
from holdfast.oci.budget import IMAGE_BUDGET
from holdfast.oci.folder import LayoutFolder
from holdfast.oci.integrity import Mismatched
from holdfast.oci.layout import blob_path
from holdfast.oci.manifest import CONTAINERD_NAME, REFERENCE_NAME, Descriptor, parse_document
from holdfast.oci.registry.layout import RegistryLayout
from holdfast.oci.selection import by_platform

_THREADS = 4

Progress = Callable[[int, int], None]
"""Told the bytes that are at hand, and those of everything."""


class Pulled(Struct, frozen=True):
    """What a pull left: the digest of the manifest or index; blobs and bytes fetched, blobs that were there already.

    `left_out` are foreign layers, which the registry does not have; `problems` what of the attachments could not be
    found out.
    """

    digest: str
    fetched: int = 0
    fetched_bytes: int = 0
    had: int = 0
    left_out: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()


class Puller:
    """One pull from a repository into a folder."""

    def __init__(self, source: RegistryLayout, folder: LayoutFolder, on_progress: Progress | None = None) -> None:
        self._source, self._folder = source, folder
        self._on_progress = on_progress or (lambda _done, _total: None)
        self._manifests: set[str] = set()
        self._blobs: dict[str, Descriptor] = {}
        self._done = self._fetched = self._fetched_bytes = self._had = 0
        self._left_out: list[str] = []
        self._lock = threading.Lock()

    def pull(
        self, root: Descriptor, platform: Platform | None, *, every_platform: bool = False, attached: bool = False
    ) -> Pulled:
        """Fetch the image for a platform, or all of them; with `attached` also what refers to it.

        Raises SourceError, Mismatched where the registry sends other bytes than it names, InputError where the folder
        holds something else.
        """
        self._folder.prepare()
        top = root
        if not every_platform:
            where = str(self._source.reference)
            top = by_platform(self._source, [root], platform, IMAGE_BUDGET, where).manifest
        carriers, problems = self._attached(top, root) if attached else ([], [])
        for descriptor in (top, *carriers):
            self._collect(descriptor, 0)
        self._fetch_all()
        self._folder.name([self._named(top), *(self._carrier(one) for one in carriers)])
        left_out = tuple(self._left_out)
        return Pulled(top.digest, self._fetched, self._fetched_bytes, self._had, left_out, tuple(problems))

    def _attached(self, top: Descriptor, root: Descriptor) -> tuple[list[Descriptor], list[Problem]]:
        """The manifests that carry what is attached to an image, or to an index and each of its images."""
        data = self._source.read(blob_path(top.digest), IMAGE_BUDGET.document_bytes)
        images = [one.digest for one in parse_document(data, top.digest).manifests or () if one.is_platform]
        found: dict[str, None] = {}
        problems: list[Problem] = []
        for digest in dict.fromkeys((top.digest, *images)):
            more, told = attachments(self._source, digest, root.digest if digest == top.digest else "")
            found |= dict.fromkeys(one.manifest for one in more)
            problems += told
        return [self._source.descriptor(digest) for digest in found], problems

    def _collect(self, descriptor: Descriptor, depth: int) -> None:
        """All that a manifest or index leads to."""
        if descriptor.digest in self._manifests:
            return
        if depth > IMAGE_BUDGET.index_depth or len(self._manifests) >= IMAGE_BUDGET.descriptors:
            raise LimitError("its indexes are too many, or too deep", where=str(self._source.reference))
        data = self._source.read(blob_path(descriptor.digest), IMAGE_BUDGET.document_bytes)
        self._manifests.add(descriptor.digest)
        self._folder.put(descriptor.digest, data)
        document = parse_document(data, descriptor.digest)
        for inner in document.manifests or ():
            self._collect(inner, depth + 1)
        for blob in (*([document.config] if document.config else []), *(document.layers or ())):
            self._blobs.setdefault(blob.digest, blob)

    def _fetch_all(self) -> None:
        ordered = sorted(self._blobs.values(), key=lambda blob: -blob.size)
        with ThreadPoolExecutor(max_workers=_THREADS) as pool:
            started = [pool.submit(self._fetch, blob) for blob in ordered]
            try:
                for one in started:
                    one.result()
            except BaseException:
                for one in started:
                    one.cancel()
                raise

    def _fetch(self, blob: Descriptor) -> None:
        path = blob_path(blob.digest)
        if self._folder.has(blob.digest):
            self._advance(blob.size, had=1)
            return
        try:
            size = self._source.size(path)
        except NotFound:
            if not blob.is_foreign:
                raise
            self._left_out.append(blob.digest)
            return
        for last in (False, True):
            with self._folder.alone(blob.digest) as has:
                if has:
                    self._advance(blob.size, had=1)
                    return
                begun = min(self._folder.started(blob.digest), size)
                self._advance(begun)
                try:
                    self._folder.fill(blob.digest, self._counted(path, begun) if begun < size else ())
                    break
                except Mismatched:  # what was there from before may have been wrong, or a mirror
                    if last:
                        raise
        self._advance(0, fetched=1)

    def _counted(self, path: str, start: int) -> Iterator[bytes]:
        for chunk in self._source.chunks(path, start):
            self._advance(len(chunk), fetched_bytes=len(chunk))
            yield chunk

    def _advance(self, count: int, *, fetched: int = 0, fetched_bytes: int = 0, had: int = 0) -> None:
        with self._lock:
            self._done += count
            self._fetched += fetched
            self._fetched_bytes += fetched_bytes
            self._had += had
            total = sum(max(blob.size, 0) for blob in self._blobs.values())
            self._on_progress(min(self._done, total), total)

    def _named(self, top: Descriptor) -> dict[str, Any]:
        """The index's entry, with the names that other tools look for."""
        reference = self._source.reference
        names = {CONTAINERD_NAME: str(reference)}
        if reference.tag:
            names[REFERENCE_NAME] = reference.tag
        return {**_entry(top), "annotations": names}

    def _carrier(self, descriptor: Descriptor) -> dict[str, Any]:
        """The index's entry of what is attached, with what is needed to find it again and to take it for no image."""
        data = self._source.read(blob_path(descriptor.digest), IMAGE_BUDGET.document_bytes)
        document = parse_document(data, descriptor.digest)
        config = document.config.media_type if document.config and document.subject else ""
        stated = descriptor.artifact_type or document.artifact_type or config
        entry = _entry(replace(descriptor, artifact_type=stated or None))
        return {**entry, "annotations": identifying(descriptor, self._source.reference.name)}


def _entry(descriptor: Descriptor) -> dict[str, Any]:
    """A descriptor as an index lists it (image-spec, descriptor.md)."""
    entry: dict[str, Any] = {
        "mediaType": descriptor.media_type, "digest": descriptor.digest, "size": descriptor.size,
    }  # fmt: skip
    if descriptor.artifact_type:
        entry["artifactType"] = descriptor.artifact_type
    if where := descriptor.where:
        entry["platform"] = {"os": where.os, "architecture": where.architecture}
        if where.variant:
            entry["platform"]["variant"] = where.variant
    return entry
