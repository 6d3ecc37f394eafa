"""From the documents of a stored image to an ImageSource: one reader for OCI layouts, one for `docker save`."""

import re
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from holdfast.model.artifact import Image, Layer, Platform, is_digest
from holdfast.model.errors import HoldfastError, InputError, NotFound
from holdfast.model.status import Gravity, Problem
from holdfast.oci.budget import ImageBudget
from holdfast.oci.image import ImageSource, StoredLayer, lines_of_layers
from holdfast.oci.integrity import Mismatch, Mismatched, digest_of
from holdfast.oci.layout import Layout, blob_path
from holdfast.oci.manifest import (
    CONFIG_TYPES,
    Configuration,
    Descriptor,
    DockerImage,
    Document,
    parse,
    parse_document,
)
from holdfast.oci.selection import by_platform, by_tag, names

_DOCKER_CONFIG = re.compile(r"(?:blobs/sha256/)?([0-9a-f]{64})(?:\.json)?")
_BLOB = re.compile(r"blobs/sha256/([0-9a-f]{64})")


class _Reader:
    """What both kinds have in common: the configuration, the layers it speaks of, and what is wrong with either."""

    def __init__(self, layout: Layout, kind: str, path: Path | str, budget: ImageBudget) -> None:
        self._layout = layout
        self._budget = budget
        self._where = str(path)
        self._name = f"{kind}:{path}"
        self._problems: list[Problem] = list(layout.problems)
        self._integrity: list[Mismatch] = []

    def _configuration(self, path: str, digest: str) -> Configuration:
        """The configuration; an empty one, with a problem, where it is missing or damaged."""
        try:
            data = self._layout.read(path, self._budget.document_bytes)
            self._compare("configuration digest", digest, data)
            return parse(data, Configuration, path)
        except HoldfastError as error:
            if isinstance(error, Mismatched):
                self._integrity.append(error.mismatch)
            self._problems.append(Problem.of("image.configuration-unreadable", error, where=self._where))
            return Configuration()

    def _compare(self, what: str, promised: str, data: bytes) -> None:
        if promised:
            actual = digest_of(data, promised)
            if actual != promised:
                self._integrity.append(Mismatch(what, promised, actual))

    def _problem(self, code: str, message: str, gravity: Gravity = Gravity.PARTIAL) -> None:
        self._problems.append(Problem(code, message, gravity, where=self._where))

    def _source(self, image: Image, configuration: Configuration, layers: Sequence[StoredLayer]) -> ImageSource:
        """The image with diff IDs and history lines laid on its layers, which are cut at the budget."""
        budget = self._budget.layers
        if len(layers) > budget:
            self._problem("image.too-many-layers", f"{len(layers)} layers: only the lowest {budget} are read")
        diff_ids = self._diff_ids(configuration.diff_ids, len(layers))
        lines, mismatch = lines_of_layers(configuration.history, len(layers))
        if mismatch:
            self._problems.append(mismatch)
        known = [
            StoredLayer(
                Layer(diff_id, one.layer.digest, one.layer.media_type, one.layer.size, line),
                one.path,
                one.problem,
            )
            for one, diff_id, line in islice(zip(layers, diff_ids, lines, strict=True), budget)
        ]
        complete = Image(
            image.reference,
            image.digest,
            image.config_digest,
            image.index_digest,
            configuration.platform or image.platform,
            tuple(one.layer for one in known),
            configuration.history,
            configuration.labels,
            image.annotations,
            configuration.created or "",
            configuration.user,
            configuration.execution,
        )
        return ImageSource(complete, known, self._layout, self._budget, self._problems, self._integrity)

    def _diff_ids(self, stated: Sequence[str], count: int) -> list[str]:
        if stated and len(stated) != count:
            self._problem(
                "image.layer-count", f"the configuration tells of {len(stated)} layers, the manifest of {count}"
            )
        diff_ids = [diff_id if is_digest(diff_id) else "" for diff_id in stated[:count]]
        if "" in diff_ids:
            self._problem("image.bad-digest", f"{diff_ids.count('')} diff IDs are no digests that can be verified")
        return (diff_ids + [""] * count)[:count]


class LayoutReader(_Reader):
    """Reads an image from an OCI layout: index.json, then manifest, then configuration, each held to its digest."""

    def open(self, tag: str, platform: Platform | None) -> ImageSource:
        """The image that a tag and a platform select."""
        index = parse(self._layout.read("index.json", self._budget.document_bytes), Document, self._where)
        return self.open_from(by_tag(index.manifests or [], tag, self._where), platform, tag)

    def open_from(self, descriptors: Sequence[Descriptor], platform: Platform | None, tag: str = "") -> ImageSource:
        """The image that a platform selects among descriptors of manifests and indexes."""
        selected = by_platform(self._layout, descriptors, platform, self._budget, self._where)
        manifest = self._manifest(selected.manifest)
        config = manifest.config or Descriptor()
        if config.media_type and config.media_type not in CONFIG_TYPES:
            raise InputError(f"not a container image, but {config.media_type}", where=self._where)
        image = Image(
            f"{self._name}:{tag}" if tag else self._name,
            selected.manifest.digest,
            config.digest if is_digest(config.digest) else "",
            selected.index_digest,
            selected.manifest.where,
            annotations=manifest.annotations or {},
        )
        configuration = self._read_configuration(config)
        return self._source(image, configuration, [self._layer(one) for one in manifest.layers or ()])

    def _manifest(self, descriptor: Descriptor) -> Document:
        data = self._layout.read(blob_path(descriptor.digest), self._budget.document_bytes)
        self._compare("manifest digest", descriptor.digest, data)
        if descriptor.size >= 0 and descriptor.size != len(data):
            self._integrity.append(Mismatch("manifest size", str(descriptor.size), str(len(data))))
        manifest = parse_document(data, self._where)
        if manifest.manifests is not None:
            raise InputError("an index where a manifest was promised", where=self._where)
        return manifest

    def _read_configuration(self, descriptor: Descriptor) -> Configuration:
        try:
            path = blob_path(descriptor.digest)
        except InputError as error:
            self._problems.append(Problem.of("image.configuration-unreadable", error, where=self._where))
            return Configuration()
        return self._configuration(path, descriptor.digest)

    def _layer(self, descriptor: Descriptor) -> StoredLayer:
        media_type = descriptor.media_type
        try:
            path = blob_path(descriptor.digest)
        except InputError as error:
            unknown = Layer("", "", media_type, descriptor.size)
            return StoredLayer(unknown, problem=Problem.of("layer.bad-digest", error, where=self._where))
        layer = Layer("", descriptor.digest, media_type, descriptor.size)
        if "encrypted" in media_type or (media_type and ".tar" not in media_type):
            message = f"a layer that cannot be read: {media_type[:120]}"
            return StoredLayer(layer, problem=Problem("layer.unsupported", message, where=descriptor.digest))
        if descriptor.is_foreign and not self._is_stored(path):
            message = "a foreign layer: it is kept elsewhere, and has to be fetched from there"
            urls = ", ".join(descriptor.urls or ())[:200]
            problem = Problem("layer.foreign", message, where=descriptor.digest, remedy=urls)
            return StoredLayer(layer, problem=problem)
        return StoredLayer(layer, path)

    def _is_stored(self, path: str) -> bool:
        try:
            return self._layout.size(path) >= 0
        except NotFound:
            return False


class DockerReader(_Reader):
    """Reads an image from what `docker save` wrote before version 25, and `podman save` still writes."""

    def open(self, tag: str, platform: Platform | None) -> ImageSource:
        """The image that a tag selects, or the only one; InputError where it is for another platform than asked."""
        data = self._layout.read("manifest.json", self._budget.document_bytes)
        one = self._select(parse(data, list[DockerImage], "manifest.json"), tag)
        named = _DOCKER_CONFIG.fullmatch(one.config)
        digest = f"sha256:{named[1]}" if named else ""
        configuration = self._configuration(one.config, digest)
        found = configuration.platform
        if (
            platform is not None
            and found is not None
            and (found.os, found.architecture)
            != (
                platform.os,
                platform.architecture,
            )
        ):
            raise InputError(f"no image for {platform}", where=self._where, remedy=f"there is one for {found}")
        image = Image(f"{self._name}:{tag}" if tag else self._name, config_digest=digest)
        return self._source(image, configuration, [self._layer(path) for path in one.layers or ()])

    def _select(self, images: Sequence[DockerImage], tag: str) -> DockerImage:
        known = sorted({name for image in images for name in image.tags or ()})[:40]
        if tag:
            images = [image for image in images if names(tag, image.tags or ())]
            if not images:
                raise NotFound(
                    f"no image is tagged {tag!r}", where=self._where, remedy="there are: " + ", ".join(known)
                )
        if len({image.config for image in images}) > 1:
            remedy = "name one of: " + ", ".join(known) if known else ""
            raise InputError("holds several images", where=self._where, remedy=remedy)
        if not images:
            raise NotFound("no image is in it", where=self._where)
        return images[0]

    def _layer(self, path: str) -> StoredLayer:
        named = _BLOB.fullmatch(path)
        digest = f"sha256:{named[1]}" if named else ""
        try:
            size = self._layout.size(path)
        except NotFound as error:
            return StoredLayer(Layer("", digest), path, Problem.of("layer.missing", error, where=self._where))
        return StoredLayer(Layer("", digest, size=size), path)
