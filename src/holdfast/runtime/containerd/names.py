"""Which of containerd's images somebody means by a name, a digest or an id.

containerd keeps an image under any string. Its clients use whole references (`docker.io/library/nginx:1.27`, with a
digest after `@` too), and Kubernetes the configuration's digest (`sha256:…`) beside them.
"""

import re
from collections.abc import Iterable, Sequence

from msgspec import Struct, structs

from holdfast.model.artifact import is_digest
from holdfast.model.errors import InputError, NotFound
from holdfast.oci.manifest import CONTAINERD_NAME, Descriptor, tag_of_attached
from holdfast.oci.reference import Reference
from holdfast.runtime.containerd.channel import Channel
from holdfast.runtime.containerd.protobuf import encode

_ID = re.compile(r"(?:sha256:)?([0-9a-f]{7,64})")
_MOST_SHOWN = 5
_MOST_COMPARED = 2000


class Named(Struct, frozen=True):
    """An image's name in one namespace, and the manifest or index that it stands for."""

    namespace: str
    name: str
    target: Descriptor


def named_images(channel: Channel, namespaces: Iterable[str]) -> list[Named]:
    """Every image of these namespaces. Sources: api/services/images/v1/images.proto, api/types/descriptor.proto."""
    return [
        Named(namespace, image.text(1), Descriptor(target.text(1), target.text(2), max(target.integer(3), -1)))
        for namespace in namespaces
        for image in channel.call("images.v1.Images/List", encode(), namespace).messages(1)
        for target in (image.message(3),)
    ]


def attached(images: Iterable[Named]) -> list[Descriptor]:
    """What is no image, but attached to one: its name is made of the other's digest (`app:sha256-….att`)."""
    return [
        structs.replace(one.target, annotations={CONTAINERD_NAME: one.name})
        for one in images
        if tag_of_attached(one.name)
    ]


def digest_in(name: str) -> str:
    """The digest that a name is (`sha256:` may be left out), or ends with; empty where it has none."""
    digest = name.rpartition("@")[2]
    if is_digest(f"sha256:{digest}"):
        return f"sha256:{digest}"
    return digest if is_digest(digest) else ""


def find(name: str, images: Sequence[Named], where: str) -> Descriptor:
    """What a name stands for. NotFound with the names near it; InputError where it stands for several images."""
    shown = ascii(name)[1:-1][:200]
    for found in (_by_name(name, images), _by_id(name, images)):
        targets = {one.target.digest: one for one in found}
        if len(targets) == 1:
            return next(iter(targets.values())).target
        if targets:
            several = ", ".join(f"{one.target.digest} ({one.namespace})" for one in targets.values())
            raise InputError(
                "means several images", where=f"containerd:{shown}", remedy=f"name one of: {several[:600]}"
            )
    near = ", ".join(_near(name, images))
    remedy = f"is it one of these? {near}" if near else "it has no images: pull it first"
    raise NotFound("containerd has no image of this name", where=f"{where}: {shown}", remedy=remedy)


def _by_name(name: str, images: Sequence[Named]) -> list[Named]:
    """The images of this very name, in any namespace; else those of the name that it is short for."""
    exact = [one for one in images if one.name == name]
    if exact:
        return exact
    if digest := digest_in(name):
        return [one for one in images if one.target.digest == digest]
    try:
        whole = str(Reference.parse(name))
    except InputError:
        return []
    return [one for one in images if one.name == whole]


def _by_id(name: str, images: Sequence[Named]) -> list[Named]:
    """The images whose digest, or whose configuration's digest where they are named by it, begins so."""
    begins = _ID.fullmatch(name)
    if begins is None:
        return []
    start = f"sha256:{begins[1]}"
    return [one for one in images if one.name.startswith(start) or one.target.digest.startswith(start)]


def _near(name: str, images: Sequence[Named]) -> list[str]:
    """Known names like one that is not known; any, where none is like it."""
    from difflib import get_close_matches

    names = sorted({_short(one.name) for one in images if one.name.isprintable() and not is_digest(one.name)})
    return get_close_matches(_short(name), names[:_MOST_COMPARED], _MOST_SHOWN, 0.5) or names[:_MOST_SHOWN]


def _short(name: str) -> str:
    return name.removeprefix("docker.io/").removeprefix("library/")[:255]
