"""What the history shows of how the image was built. Nothing of a line is told that may be a secret."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

from holdfast.misconfig.finding import finding, summary
from holdfast.misconfig.image.instruction import Instruction, instructions
from holdfast.misconfig.scene import Scene
from holdfast.misconfig.syntax.shell import Command, commands
from holdfast.model.artifact import Side
from holdfast.model.finding import Confidence, Finding, Location

_SHELLS = frozenset(("sh", "bash", "ash", "dash", "zsh", "python", "python3", "perl", "ruby", "node"))
_FETCHERS = frozenset(("curl", "wget"))
_APT = frozenset(("apt-get", "apt", "aptitude"))
_WIDE_MODES = frozenset(
    ("777", "0777", "1777", "a+rwx", "a=rwx", "ugo+rwx", "ugo=rwx", "+777", "666", "0666", "a+w", "o+w")
)
_STICKY = frozenset(("1777",))
_ARCHIVES = (".tar", ".tar.gz", ".tgz", ".tar.xz", ".txz", ".tar.bz2", ".tbz2", ".tar.zst")

Found = Iterator[tuple[str, str]]
"""Pairs of a rule's id and what was found."""


def history(scene: Scene) -> Iterator[Finding]:
    """One finding a rule, with the lines of the history as its places."""
    image = scene.image
    if image is None:
        return
    found: dict[str, list[tuple[Instruction, str]]] = defaultdict(list)
    for one in instructions(image):
        for rule_id, what in (*_run(one), *_add(one)):
            found[rule_id].append((one, what))
    for rule_id, pairs in found.items():
        yield finding(
            rule_id, rule_id.removeprefix("image."), summary(what for _, what in pairs),
            location=_location(pairs[0][0]), places=[f"history {one.number}" for one, _ in pairs], count=len(pairs),
            confidence=Confidence.MEDIUM,
        )  # fmt: skip


def _location(one: Instruction) -> Location:
    layer = one.layer
    if layer is None:
        return Location()
    return Location("", layer.digest, layer.diff_id, layer.created_by, layer.side)


def _run(one: Instruction) -> Found:
    """What a RUN does that it should not; the same only once a line."""
    if one.name == "RUN":
        run = commands(one.text)
        told: set[str] = set()
        for look in _LOOKS:
            for rule_id, what in look(run):
                if rule_id not in told:
                    told.add(rule_id)
                    yield rule_id, what


def _piped(run: Sequence[Command]) -> Found:
    for before, command in pairwise(run):
        name = _program(command)
        if command.piped and before.name in _FETCHERS and name.rpartition("/")[2] in _SHELLS:
            yield "image.history-piped-download", f"{before.name} … | {name[:32]}"


def _program(command: Command) -> str:
    """What runs, sudo and its options aside."""
    if command.name != "sudo":
        return command.name
    return next((word for word in command.words[1:8] if word[:1] != "-"), "sudo")


def _wide(run: Sequence[Command]) -> Found:
    for command in run:
        modes = [word for word in command.words[1:4] if word in _WIDE_MODES]
        if command.name in ("chmod", "install") and modes and modes[0] not in _STICKY:
            yield "image.history-wide-mode", f"{command.name} {modes[0]}"


def _sudo(run: Sequence[Command]) -> Found:
    if any(command.name == "sudo" and len(command.words) > 1 for command in run):
        yield "image.history-sudo", "sudo"


def _upgrade(run: Sequence[Command]) -> Found:
    for command in run:
        words = command.words[1:16]
        if command.name in _APT and "dist-upgrade" in words:
            yield "image.history-dist-upgrade", f"{command.name} dist-upgrade"
        elif command.name in _APT and ("upgrade" in words or "full-upgrade" in words):
            yield "image.history-upgrade", f"{command.name} upgrade"
        elif (
            command.name in ("yum", "dnf", "microdnf") and ("update" in words or "upgrade" in words) and _is_all(words)
        ):
            yield "image.history-upgrade", f"{command.name} update"
        elif command.name == "apk" and "upgrade" in words:
            yield "image.history-upgrade", "apk upgrade"


def _is_all(words: Sequence[str]) -> bool:
    return all(word in ("update", "upgrade") or word.startswith("-") for word in words)


def _update_alone(run: Sequence[Command]) -> Found:
    """The list of packages in a layer of its own, which the build's cache keeps while packages move on."""
    for manager in ("apt-get", "apt", "apk"):
        own = [command for command in run if command.name == manager]
        if own and all("update" in command.words[1:8] for command in own):
            yield "image.history-update-alone", f"{manager} update"


def _cache(run: Sequence[Command]) -> Found:
    """Lists of packages that stay in the layer, whatever later ones delete."""
    removed = " ".join(word for command in run if command.name in ("rm", "find") for word in command.words)
    if any(command.name in _APT and not {"install", "update"}.isdisjoint(command.words[1:8]) for command in run) and (
        "/var/lib/apt" not in removed
        and any(command.name in _APT and "update" in command.words[1:8] for command in run)
    ):
        yield "image.history-package-cache", "apt-get update without rm -rf /var/lib/apt/lists/*"
    adding = [command for command in run if command.name == "apk" and "add" in command.words[1:8]]
    if adding and "/var/cache/apk" not in removed and not all("--no-cache" in command.words for command in adding):
        yield "image.history-package-cache", "apk add without --no-cache"


def _unverified(run: Sequence[Command]) -> Found:
    for command in run:
        for manager, option in (
            ("apk", "--allow-untrusted"), ("apt-get", "--allow-unauthenticated"), ("apt-get", "--force-yes"),
            ("apt", "--allow-unauthenticated"), ("yum", "--nogpgcheck"), ("dnf", "--nogpgcheck"),
            ("rpm", "--nosignature"), ("zypper", "--no-gpg-checks"),
        ):  # fmt: skip
            if command.name == manager and option in command.words:
                yield "image.unverified-packages", f"{manager} {option}"


def _unchecked(run: Sequence[Command]) -> Found:
    for command in run:
        for names, options in (
            (("curl",), ("-k", "--insecure")), (("wget",), ("--no-check-certificate",)),
            (("pip", "pip3"), ("--trusted-host",)),
        ):  # fmt: skip
            if command.name in names and (option := next((word for word in command.words if word in options), "")):
                yield "image.tls-verification-off", f"{command.name} {option}"


def _add(one: Instruction) -> Found:
    """ADD fetches and unpacks; what it brings from the network is not checked against anything."""
    words = [word for word in one.text.split(" ")[:256] if word and not word.startswith("--")]
    if one.name != "ADD" or not words:
        return
    if any(word.startswith(("http://", "https://", "ftp://")) for word in words) and "--checksum=" not in one.text:
        yield "image.history-add-remote", "ADD of an address"
    elif _brings_files(words) and (one.layer is None or one.layer.side is not Side.BASE):
        yield "image.history-add", "ADD of files"


def _brings_files(words: Sequence[str]) -> bool:
    """Not a root file system, and no archive, for which ADD is there; older builders name no file but its digest."""
    destination = words[-1]
    sources = [word for word in words[:-1] if word != "in"]
    return destination != "/" and bool(sources) and not all(source.endswith(_ARCHIVES) for source in sources)


_LOOKS: tuple[Callable[[Sequence[Command]], Found], ...] = (
    _piped, _wide, _sudo, _upgrade, _update_alone, _cache, _unverified, _unchecked,
)  # fmt: skip

CHECKS = (history,)
