"""Who runs in a container of the image, and whether they can rewrite what they run."""

from collections.abc import Iterator

from msgspec import Struct

from holdfast.misconfig.finding import finding, location
from holdfast.misconfig.marks import OWNED, WRITABLE
from holdfast.misconfig.scene import Placed, Scene
from holdfast.misconfig.syntax.shell import commands
from holdfast.misconfig.system.accounts import ACCOUNT
from holdfast.model.artifact import Image
from holdfast.model.finding import Finding, Severity

_ROOT = ("", "root", "0")
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_MAX_WORDS = 4
# Programs that wait for someone at a terminal: an image whose only command is one of them is a base to build upon.
_SHELLS = frozenset(
    ("sh", "bash", "ash", "dash", "zsh", "fish", "python", "python3", "node", "irb", "jshell", "php", "erl", "iex")
)  # fmt: skip


class Account(Struct, frozen=True):
    """A line of /etc/passwd."""

    name: str
    uid: int
    home: str
    shell: str


def accounts(scene: Scene) -> tuple[Account, ...]:
    """The accounts of the finished tree."""
    found = []
    for placed in scene.named(ACCOUNT):
        name, uid, _, home, shell = (*placed.trait.value.split(" ", 4), "", "", "", "", "")[:5]
        found.append(Account(name, int(uid) if uid.isascii() and uid.isdecimal() else -1, home, shell))
    return tuple(found)


def is_base(image: Image) -> bool:
    """Whether nothing of an application is started: no command, or a bare shell or interpreter."""
    words = (*image.execution.entrypoint, *image.execution.command)
    return not words or (len(words) == 1 and words[0].rpartition("/")[2] in _SHELLS)


def user(scene: Scene) -> Iterator[Finding]:
    """Containers that run as root, or as somebody who is not there."""
    if scene.image is None or (scene.image.platform and scene.image.platform.os == "windows"):
        return
    name = scene.image.user.strip().partition(":")[0]
    uids = {account.name: account.uid for account in accounts(scene)}
    if name in _ROOT or uids.get(name) == 0 or (name.isascii() and name.isdecimal() and not name.strip("0")):
        stated = f"USER {name[:64]}" if name else "no USER"
        severity = Severity.LOW if is_base(scene.image) else None
        yield finding("image.root-user", "user", stated, severity=severity)
    elif uids and name not in uids and not (name.isascii() and name.isdecimal()):
        yield finding("image.unknown-user", "user", f"USER {name[:64]} is not in /etc/passwd")


def writable_entrypoint(scene: Scene) -> Iterator[Finding]:
    """A program that the image's user, not being root, can replace; or everybody can."""
    if scene.image is None:
        return
    name = scene.image.user.strip().partition(":")[0]
    numeric = int(name) if name.isascii() and name.isdecimal() and len(name) <= 10 else -1
    uid = next((one.uid for one in accounts(scene) if one.name == name), numeric)
    open_to_all = {placed.path: placed for placed in scene.named(WRITABLE)}
    owned = {placed.path: placed for placed in scene.named(OWNED) if uid > 0 and _owner(placed) == uid}
    for path in programs(scene):
        parent = path.rpartition("/")[0]
        for place in (path, parent):
            placed = open_to_all.get(place) or owned.get(place)
            if placed is None:
                continue
            whose = "everybody" if place in open_to_all else f"its user ({name[:64]})"
            yield finding(
                "image.writable-entrypoint", "entrypoint", f"/{place} is writable by {whose}",
                location=location(placed, scene.image), places=(path,),
                severity=Severity.MEDIUM if place in open_to_all else None,
            )  # fmt: skip
            return


def programs(scene: Scene) -> tuple[str, ...]:
    """The paths, in the finished tree, of the programs and scripts that a container is started with."""
    assert scene.image is not None
    execution = scene.image.execution
    words = _started(scene.image)
    folders = next((line[5:] for line in execution.environment if line.startswith("PATH=")), _PATH)
    found: dict[str, None] = {}
    for number, word in enumerate(words):
        if not word or len(word) > 4096 or word[0] == "-":
            continue
        if "/" in word or number:
            base = "" if word[0] == "/" else execution.working_directory.strip("/") + "/"
            candidates = [(base + word.removeprefix("./")).strip("/")]
        else:
            candidates = [f"{folder.strip('/')}/{word}" for folder in folders.split(":")[:64]]
        if path := next((one for one in candidates if one and scene.exists(one)), ""):
            found[path] = None
    return tuple(found)


def _started(image: Image) -> tuple[str, ...]:
    """The first words that a container is started with, those within `sh -c "…"` too."""
    words = (*image.execution.entrypoint, *image.execution.command)[:_MAX_WORDS]
    if len(words) > 2 and words[1] == "-c":
        return (words[0], *(word for command in commands(words[2])[:_MAX_WORDS] for word in command.words[:2]))
    return words


def _owner(placed: Placed) -> int:
    """The uid of a trait `owned`; its value reads `755 1000:1000`. -1 where its owner may not write."""
    mode, _, owner = placed.trait.value.partition(" ")
    return int(owner.partition(":")[0]) if int(mode, 8) & 0o200 else -1


CHECKS = (user, writable_entrypoint)
