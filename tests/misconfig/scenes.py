"""Builders of what the checks look at.

    found = assess(scene({"etc/nginx/nginx.conf": "autoindex on;"}, image(user="app")))

A file is its text, its bytes, or an Entry without content. Files are offered as a scan offers them: every entry to
`marks`, regular files that are not empty to the readers that ask for them.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from types import MappingProxyType
from typing import Any

from holdfast.fs.memory import MemoryTree
from holdfast.fs.select import Selector
from holdfast.misconfig import READERS, Placed, Scene, assess, marks
from holdfast.model.artifact import Execution, History, Image, Layer, Side
from holdfast.model.file import Entry, FileType
from holdfast.model.finding import Finding
from holdfast.model.package import Package

TODAY = date(2026, 11, 24)
PASSWD = "root:x:0:0:root:/root:/bin/sh\napp:x:10001:10001::/srv:/sbin/nologin\n"
SELECTOR = Selector(READERS)

Files = Mapping[str, str | bytes | Entry]


def traits(files: Files) -> tuple[Placed, ...]:
    """What marks and readers tell of the files."""
    found = []
    for file in MemoryTree(files).walk():
        path = file.entry.path
        found += [Placed(path, trait) for trait in marks(file.entry)]
        if file.entry.type is FileType.FILE and file.entry.size:
            for reader in SELECTOR.by_path(path) or SELECTOR.by_head(file.head()):
                found += [Placed(path, trait) for trait in reader.read(file).traits]
    return tuple(found)


def program(path: str, mode: int = 0o755, uid: int = 0, gid: int = 0, capabilities: bytes = b"") -> Entry:
    return Entry(path, FileType.FILE, 1, mode, uid, gid, capabilities=capabilities)


def folder(path: str, mode: int = 0o755, uid: int = 0, gid: int = 0) -> Entry:
    return Entry(path, FileType.DIRECTORY, 0, mode, uid, gid)


def image(
    *lines: str,
    user: str = "app",
    created: str = "2026-11-01T00:00:00Z",
    reference: str = "registry.example/app:1.4",
    base_layers: int = 0,
    base_created: str = "2026-10-01T00:00:00Z",
    **execution: Any,
) -> Image:
    """An image in good order, but for what is said. `lines` are its history, one that begins with # makes no layer."""
    execution = {"command": ("/srv/app",), "health_check": ("CMD", "/srv/app", "--check"), **execution}
    history: list[History] = []
    layers: list[Layer] = []
    for line in lines:
        base = not line.startswith("#") and len(layers) < base_layers
        history.append(History(line.removeprefix("#"), base_created if base else created, empty=line.startswith("#")))
        if not line.startswith("#"):
            side = Side.BASE if base else Side.APPLICATION
            layers.append(Layer(f"sha256:{len(layers):064x}", created_by=line, side=side))
    return Image(
        reference, layers=tuple(layers), history=tuple(history), created=created, user=user,
        execution=Execution(**execution),
    )  # fmt: skip


def scene(
    files: Files = MappingProxyType({}),
    of: Image | None = None,
    *,
    present: Iterable[str] = (),
    packages: Iterable[str] = (),
    pinned: bool = True,
    end_of_life: str = "",
) -> Scene:
    """A scene in which the files, and the paths that are `present`, can be found."""
    there = {*files, *present}
    there |= {path[:at] for path in there for at in range(len(path)) if path[at] == "/"}
    return Scene(
        "registry.example/app:1.4", of, traits({"etc/passwd": PASSWD, **files}), there.__contains__,
        tuple(Package(name, "1", "deb") for name in packages), pinned=pinned, end_of_life=end_of_life, today=TODAY,
    )  # fmt: skip


def rules_of(what: Scene) -> set[str]:
    return {finding.rule for finding in assess(what)}


def only(what: Scene, rule: str) -> Finding:
    """The one finding of a rule."""
    (found,) = [finding for finding in assess(what) if finding.rule == rule]
    return found
