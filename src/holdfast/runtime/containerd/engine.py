"""containerd as an engine: its images from its content store, its containers listed. Nothing is written."""

from collections.abc import Sequence
from typing import Self

from holdfast.model.artifact import Platform
from holdfast.model.errors import InputError, NotFound
from holdfast.oci.budget import IMAGE_BUDGET, ImageBudget
from holdfast.oci.image import ImageSource
from holdfast.oci.layout import blob_path
from holdfast.oci.manifest import INDEX_TYPES, MANIFEST_TYPES, Descriptor, parse_document
from holdfast.oci.reader import LayoutReader
from holdfast.runtime.containerd.channel import Channel, is_namespace
from holdfast.runtime.containerd.containers import Container, containers
from holdfast.runtime.containerd.content import ContentLayout
from holdfast.runtime.containerd.names import attached, digest_in, find, named_images
from holdfast.runtime.containerd.origin import CONFIG_LABEL, Origin, Origins
from holdfast.runtime.engine import Running
from holdfast.transport.deadline import Deadline

_MOST_NAMESPACES = 1000
_GONE = (
    "it was removed, or its name was given to another image, perhaps while a container of it still runs: "
    "pull it again by its digest"
)


class Containerd:
    """The containerd that listens at `address` (`unix:///path`, or the path); a context manager.

    It looks into all namespaces, or only into those given: Kubernetes' is `k8s.io`, Docker's `moby`, nerdctl's and
    ctr's `default`. It may be used from several threads. InputError for what is no address or namespace; SourceError
    where grpcio is missing.
    """

    name = "containerd"

    def __init__(self, address: str, *, namespaces: Sequence[str] = (), deadline: Deadline | None = None) -> None:
        for namespace in namespaces:
            if not is_namespace(namespace):
                raise InputError("not the name of a namespace of containerd", where=ascii(namespace)[1:-1][:80])
        self._given = tuple(namespaces)
        self._channel = Channel(address, deadline)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Hang up. Images that are still open cannot be read any further."""
        self._channel.close()

    def open(self, name: str, platform: Platform | None = None, budget: ImageBudget = IMAGE_BUDGET) -> ImageSource:
        """The image with a name (`nginx:1.27` is found as `docker.io/library/nginx:1.27`), a digest or an id.

        NotFound with names that are near; InputError where it means several images, or is there for other platforms
        only.
        """
        if not name:
            raise InputError("no image named", where="containerd:", remedy="write containerd:NAME")
        namespaces, where = self._namespaces(), self._channel.where
        images = named_images(self._channel, namespaces)
        try:
            target = find(name, images, where)
        except NotFound:
            if not (digest := digest_in(name)):
                raise
            target = _stored(ContentLayout(self._channel, namespaces), digest, budget, where)
        layout = ContentLayout(self._channel, namespaces, [target, *attached(images)])
        return LayoutReader(layout, self.name, name, budget).open_from([target], platform)

    def running(self) -> list[Running]:
        """Every container that runs, or is paused, namespace by namespace."""
        found: list[Running] = []
        for namespace in self._namespaces():
            if here := containers(self._channel, namespace):
                origins = Origins(self._channel, namespace)
                found += [_running(self.name, container, origins.of(container)) for container in here]
        return found

    def _namespaces(self) -> Sequence[str]:
        if self._given:
            return self._given
        listed = self._channel.call("namespaces.v1.Namespaces/List").messages(1)
        names = [namespace.text(1) for namespace in listed]
        if len(names) > _MOST_NAMESPACES or not all(map(is_namespace, names)):
            raise InputError("has namespaces as containerd has not", where=self._channel.where)
        return names


def _running(engine: str, container: Container, origin: Origin) -> Running:
    return Running(
        engine,
        container.id,
        container.name,
        origin.name,
        origin.id,
        origin.digest,
        container.namespace,
        container.labels,
    )


def _stored(layout: ContentLayout, digest: str, budget: ImageBudget, where: str) -> Descriptor:
    """What has no name: the manifest or index with a digest, or the manifest whose configuration has it."""
    if manifests := layout.labelled(CONFIG_LABEL, digest):
        return Descriptor(MANIFEST_TYPES[0], manifests[0])
    try:
        data = layout.read(blob_path(digest), budget.document_bytes)
    except NotFound:
        raise NotFound("containerd has no image with this digest", where=f"{where}: {digest}", remedy=_GONE) from None
    document = parse_document(data, digest)
    if document.manifests is None and not (document.config and document.config.digest):
        raise InputError("not an image, but a part of one", where=digest)  # a configuration looks like a manifest
    kind = INDEX_TYPES if document.manifests is not None else MANIFEST_TYPES
    return Descriptor(document.media_type or kind[0], digest, len(data))
