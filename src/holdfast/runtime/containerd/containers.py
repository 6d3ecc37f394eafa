"""The containers that containerd runs.

Sources: api/services/{containers,tasks}/v1/*.proto, api/types/task/task.proto; pkg/cri/store/container/metadata.go.
"""

import msgspec
from msgspec import Struct, field

from holdfast.model.artifact import is_digest
from holdfast.model.errors import LimitError, NotFound
from holdfast.runtime.containerd.channel import Channel
from holdfast.runtime.containerd.protobuf import Message, encode

MOST_CONTAINERS = 10_000  # of one namespace; Kubernetes allows 110 pods on a node
_CREATED, _STOPPED = 1, 3
_KUBERNETES = "io.kubernetes."
_METADATA = "io.cri-containerd.container.metadata"


class Container(Struct, frozen=True):
    """A container's record: `image` is the name that was asked for, `config` its configuration's digest if known.

    `snapshot` is its own one, in the store `snapshotter`.
    """

    namespace: str
    id: str
    image: str
    config: str
    snapshotter: str
    snapshot: str
    labels: dict[str, str]

    @property
    def name(self) -> str:
        """What people call it: in Kubernetes its pod and itself, with nerdctl what was given to it, else its id."""
        pod = [self.labels.get(f"{_KUBERNETES}{part}", "") for part in ("pod.namespace", "pod.name", "container.name")]
        return "/".join(part for part in pod if part) or self.labels.get("nerdctl/name") or self.id


class _Metadata(Struct, frozen=True):
    image: str = field(default="", name="ImageRef")


class _Versioned(Struct, frozen=True):
    metadata: _Metadata = field(default=_Metadata(), name="Metadata")


def containers(channel: Channel, namespace: str) -> list[Container]:
    """Every container of a namespace that runs or is paused, or whose state containerd does not know."""
    tasks = channel.call("tasks.v1.Tasks/List", encode(), namespace).messages(1)
    ids = [task.text(1) or task.text(2) for task in tasks if task.integer(4) not in (_CREATED, _STOPPED)]
    if len(ids) > MOST_CONTAINERS:
        raise LimitError(f"more than {MOST_CONTAINERS:,} containers in the namespace {namespace}", where=channel.where)
    found = []
    for id_ in ids:
        try:
            # One by one: each record has its whole runtime specification in it.
            answer = channel.call("containers.v1.Containers/Get", encode((1, id_)), namespace)
        except NotFound:
            continue  # it has ended meanwhile
        found.append(_container(namespace, answer.message(1)))
    return found


def _container(namespace: str, record: Message) -> Container:
    config = ""
    for extension in record.messages(10):
        if extension.text(1) == _METADATA:
            config = _image_of(extension.message(2).content(2))
    labels = record.pairs(2)
    return Container(namespace, record.text(1), record.text(3), config, record.text(6), record.text(7), labels)


def _image_of(metadata: bytes) -> str:
    """The configuration's digest, from what Kubernetes' side of containerd writes on a container."""
    try:
        image = msgspec.json.decode(metadata, type=_Versioned).metadata.image
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return ""
    return image if is_digest(image) else ""
