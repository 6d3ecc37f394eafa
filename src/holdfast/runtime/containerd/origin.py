"""The image that a container was made from.

A container's record has the image's name, and names move: after another pull, `app:latest` is not what an older
container runs. What it stands on is a snapshot, and that is called by the chain ID of its layers. containerd writes on
a configuration which snapshot it was unpacked to, and on a manifest which configuration it has.

Sources: image-spec, config.md (ChainID); containerd docs/garbage-collection.md (the labels);
api/services/snapshots/v1/snapshots.proto.
"""

import hashlib
from collections.abc import Sequence

from msgspec import Struct

from holdfast.model.artifact import is_digest
from holdfast.model.errors import HoldfastError
from holdfast.oci.budget import IMAGE_BUDGET
from holdfast.oci.manifest import Descriptor
from holdfast.oci.reader import LayoutReader
from holdfast.runtime.containerd.channel import Channel, is_namespace
from holdfast.runtime.containerd.containers import Container
from holdfast.runtime.containerd.content import ContentLayout
from holdfast.runtime.containerd.names import named_images
from holdfast.runtime.containerd.protobuf import encode

CONFIG_LABEL = "containerd.io/gc.ref.content.config"
_SNAPSHOT_LABEL = "containerd.io/gc.ref.snapshot."


class Origin(Struct, frozen=True):
    """The name that a container's image goes by, what it can be opened by, and its manifest's or index's digest.

    Where the image is gone, `id` is one that no image has: another image's report would be worse than none.
    """

    name: str
    id: str = ""
    digest: str = ""


class Origins:
    """The origins of one namespace's containers."""

    def __init__(self, channel: Channel, namespace: str) -> None:
        self._channel = channel
        self._layout = ContentLayout(channel, [namespace])
        images = named_images(channel, [namespace])
        self._targets = {image.name: image.target for image in images}
        # What people call it comes before what only programs do: tags, then digests with a name, then digests.
        self._names: dict[str, str] = {}
        for image in sorted(images, key=lambda one: (is_digest(one.name), "@" in one.name)):
            self._names.setdefault(image.target.digest, image.name)
        self._known: dict[tuple[str, str, str], Origin] = {}
        self._chains: dict[str, str] = {}

    def of(self, container: Container) -> Origin:
        """The origin of one container."""
        if container.config:
            target = self._targets.get(container.config)
            digest = target.digest if target else ""
            return Origin(self._name(container.image, digest), digest or container.config, digest)
        parent = self._parent(container)
        key = container.image, container.snapshotter, parent
        if key not in self._known:
            self._known[key] = self._origin(*key)
        return self._known[key]

    def _origin(self, image: str, snapshotter: str, parent: str) -> Origin:
        target = self._targets.get(image)
        digest = target.digest if target else ""
        # A snapshot with another sort of name is one made for a user namespace: it says nothing.
        if not is_digest(parent) or (target and self._chain(target) == parent):
            return Origin(self._name(image, digest), digest, digest)
        manifests = self._unpacked_to(snapshotter, parent)
        if manifests:
            return Origin(self._name(image, manifests[0]), manifests[0], manifests[0])
        if target and not self._chain(target):
            return Origin(self._name(image, digest), digest, digest)  # opening it will say what is wrong with it
        return Origin(image, parent)

    def _name(self, image: str, digest: str) -> str:
        return image if image and not is_digest(image) else self._names.get(digest, image)

    def _parent(self, container: Container) -> str:
        """The snapshot that a container's own one stands on; empty where there is none, or it cannot be asked for."""
        if not container.snapshot:
            return ""
        request = encode((1, container.snapshotter), (2, container.snapshot))
        try:
            return self._channel.call("snapshots.v1.Snapshots/Stat", request, container.namespace).message(1).text(2)
        except HoldfastError:
            return ""

    def _chain(self, target: Descriptor) -> str:
        """The chain ID of an image's layers, on this host's platform; empty where its documents cannot be read."""
        if target.digest not in self._chains:
            reader = LayoutReader(self._layout, "containerd", target.digest, IMAGE_BUDGET)
            try:
                with reader.open_from([target], None) as source:
                    self._chains[target.digest] = chain_id([layer.diff_id for layer in source.image.layers])
            except HoldfastError:
                self._chains[target.digest] = ""
        return self._chains[target.digest]

    def _unpacked_to(self, snapshotter: str, parent: str) -> list[str]:
        """The manifests of the images that were unpacked to a snapshot."""
        if not is_namespace(snapshotter):
            return []
        configurations = self._layout.labelled(f"{_SNAPSHOT_LABEL}{snapshotter}", parent)
        return [one for each in configurations for one in self._layout.labelled(CONFIG_LABEL, each)]


def chain_id(diff_ids: Sequence[str]) -> str:
    """What the snapshot is called that layers unpack to, the lowest first; empty where a diff ID is not known."""
    chain = ""
    for diff_id in diff_ids:
        if not diff_id:
            return ""
        chain = f"sha256:{hashlib.sha256(f'{chain} {diff_id}'.encode()).hexdigest()}" if chain else diff_id
    return chain
