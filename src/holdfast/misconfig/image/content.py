"""What a container does not need: an ssh daemon, sudo, tools to build and to explore with, package managers' caches."""

from collections import defaultdict
from collections.abc import Iterator

from holdfast.misconfig.finding import finding, of_places
from holdfast.misconfig.image.program import accounts
from holdfast.misconfig.image.settings import SSH_DAEMONS
from holdfast.misconfig.scene import Placed, Scene
from holdfast.misconfig.system.leftover import CACHE
from holdfast.model.finding import Finding, Location, Severity

_SUDO = ("usr/bin/sudo", "bin/sudo", "usr/local/bin/sudo")
_BUILDERS = frozenset(
    ("gcc", "g++", "clang", "make", "cmake", "golang", "golang-go", "go", "rustc", "rust", "cargo", "build-base",
     "build-essential", "gcc-c++", "nasm", "tcc", "strace", "ltrace", "gdb", "curl", "wget", "git")
)  # fmt: skip
_EXPLORERS = frozenset(
    ("nmap", "tcpdump", "netcat", "netcat-openbsd", "netcat-traditional", "ncat", "nmap-ncat", "socat", "telnet",
     "inetutils-telnet", "wireshark", "tshark", "hping3", "masscan", "ettercap", "dsniff")
)  # fmt: skip
_SYSTEM_TYPES = frozenset(("deb", "apk", "rpm", "alpm"))
_NUMBERED = ("gcc", "g++", "clang", "golang", "rustc")
# Below a home directory, by package manager.
_HOME_CACHES = (
    ("pip", ".cache/pip/http"), ("pip", ".cache/pip/http-v2"), ("pip", ".cache/pip/wheels"), ("uv", ".cache/uv"),
    ("poetry", ".cache/pypoetry/cache"),
    ("npm", ".npm/_cacache"), ("yarn", ".cache/yarn"), ("yarn", ".yarn/berry/cache"),
    ("go", ".cache/go-build"), ("cargo", ".cargo/registry/cache"), ("composer", ".composer/cache"),
    ("composer", ".cache/composer"), ("maven", ".m2/repository"), ("gradle", ".gradle/caches"),
)  # fmt: skip
_FIXED_CACHES = (
    ("go", "go/pkg/mod/cache"), ("cargo", "usr/local/cargo/registry/cache"), ("yarn", "usr/local/share/.cache/yarn"),
)  # fmt: skip
_MOST_HOMES = 8


def ssh_daemon(scene: Scene) -> Iterator[Finding]:
    """A second way in beside the engine's own."""
    if path := next((one for one in SSH_DAEMONS if scene.exists(one)), ""):
        yield finding("image.ssh-daemon", "sshd", f"/{path}", location=Location(path), places=(path,))


def sudo(scene: Scene) -> Iterator[Finding]:
    """A way to become root again."""
    if path := next((one for one in _SUDO if scene.exists(one)), ""):
        yield finding("image.sudo", "sudo", f"/{path}", location=Location(path), places=(path,))


def tools(scene: Scene) -> Iterator[Finding]:
    """Packages with which a build is made, or a network explored; one finding with the list of them."""
    found: dict[str, Severity] = {}
    for package in scene.packages:
        if package.type in _SYSTEM_TYPES and (severity := _weight(package.name)):
            found[package.name] = severity
    if found:
        names = sorted(found, key=lambda name: (-found[name].rank, name))
        worst = max(found.values(), key=lambda severity: severity.rank)
        yield finding(
            "image.tools-left", "tools", ", ".join(names[:20]), places=names, count=len(names), severity=worst
        )


def _weight(name: str) -> Severity | None:
    stem = name
    if name.startswith(_NUMBERED) and "-" in name:
        head, _, tail = name.partition("-")
        stem = head if tail.replace(".", "").isdecimal() else name
    if stem in _EXPLORERS:
        return Severity.MEDIUM
    return Severity.LOW if stem in _BUILDERS else None


def caches(scene: Scene) -> Iterator[Finding]:
    """What package managers keep for the next time, which never comes: one finding for each of them."""
    by_manager: dict[str, list[Placed]] = defaultdict(list)
    for placed in scene.named(CACHE):
        by_manager[placed.trait.value].append(placed)
    for manager, placed_all in by_manager.items():
        yield of_places("image.package-cache", manager, placed_all, scene.image)
    homes = dict.fromkeys(["root", *(one.home.strip("/") for one in accounts(scene) if one.uid >= 1000)])
    kept: dict[str, list[str]] = defaultdict(list)
    places = [(manager, f"{home}/{tail}") for home in list(homes)[:_MOST_HOMES] for manager, tail in _HOME_CACHES]
    for manager, path in (*places, *_FIXED_CACHES, *_working_caches(scene)):
        if scene.exists(path):
            kept[manager].append(path)
    for manager, paths in kept.items():
        yield finding(
            "image.package-cache", manager, manager, location=Location(paths[0]), places=paths, count=len(paths)
        )


def _working_caches(scene: Scene) -> tuple[tuple[str, str], ...]:
    folder = scene.image.execution.working_directory.strip("/") if scene.image else ""
    return (("node", f"{folder}/node_modules/.cache".strip("/")),)


CHECKS = (ssh_daemon, sudo, tools, caches)
