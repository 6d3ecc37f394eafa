"""Readers of configuration files: a pure function over the text, the paths it is for, and its budget."""

from collections.abc import Callable, Iterable
from itertools import islice

from msgspec import Struct

from holdfast.fs.tree import File
from holdfast.misconfig.syntax.lines import MAX_LINES
from holdfast.model.found import Found, Trait
from holdfast.model.status import Gravity, Problem

MAX_BYTES = 4 << 20
MAX_TRAITS = 200
MAX_VALUE = 300

Parse = Callable[[str], Iterable[Trait]]

_SAMPLES = ("/usr/share/doc/", "/examples/", "/example/", "/testdata/", "/tests/", "/test/", "/docs/", "/fixtures/")
PARTS = (
    "/site-packages/", "/dist-packages/", "/node_modules/", "/vendor/", "/gems/", "/usr/share/", "/usr/lib/",
    "/.pyenv/", "/.rbenv/", "/.nvm/", "/.cargo/", "/.oh-my-zsh/", "/.cache/",
)  # fmt: skip
"""Folders of what others wrote and the image only uses."""
_PAGES = "usr/share/nginx/html/"  # what the official image of nginx serves


class SettingsReader(Struct, frozen=True):
    """A Reader made of `parse(text)`, which gives the traits that it finds.

    Files beyond 4 MiB are not read, which becomes a Problem of that `gravity`; samples and documentation are passed
    over, and parts that others wrote (`PARTS`) where `own` is set. Of one file at most MAX_TRAITS traits are kept,
    their values cut at MAX_VALUE characters.
    """

    name: str
    version: int
    patterns: tuple[str, ...]
    parse: Parse
    own: bool = False
    gravity: Gravity = Gravity.PARTIAL
    magic: tuple[bytes, ...] = ()

    def read(self, file: File) -> Found:
        """What the file shows, within the budget."""
        path = file.entry.path
        if is_sample(path) or (self.own and is_part(path)):
            return Found()
        if file.entry.size > MAX_BYTES:
            message = f"a configuration file of more than {MAX_BYTES >> 20} MiB is not read"
            return Found(problems=(Problem("configuration.too-large", message, self.gravity),))
        text = file.read(MAX_BYTES).decode("utf-8", "replace").removeprefix("\ufeff")
        problems: list[Problem] = []
        if text.count("\n") > MAX_LINES:
            message = f"of a configuration file of more than {MAX_LINES:,} lines only the first are read"
            problems.append(Problem("configuration.too-large", message, self.gravity))
        traits = tuple(islice(self.parse(text), MAX_TRAITS + 1))
        if len(traits) > MAX_TRAITS:
            message = f"more than {MAX_TRAITS} things worth telling in one file: the rest is left out"
            problems.append(Problem("configuration.too-many", message, self.gravity))
        return Found(traits=tuple(map(_shortened, traits[:MAX_TRAITS])), problems=tuple(problems))


class PresenceReader(Struct, frozen=True):
    """A Reader that does not read: that a file is there is the trait. `own` as for SettingsReader."""

    name: str
    version: int
    patterns: tuple[str, ...]
    trait: Trait
    own: bool = False
    magic: tuple[bytes, ...] = ()

    def read(self, file: File) -> Found:
        """The trait of a file at this path."""
        path = file.entry.path
        if is_sample(path) or (self.own and is_part(path)):
            return Found()
        return Found(traits=(self.trait,))


def is_sample(path: str) -> bool:
    """Whether a path is documentation or an example, which no program reads."""
    rooted = "/" + path
    return any(part in rooted for part in _SAMPLES)


def is_part(path: str) -> bool:
    """Whether a path belongs to a library or to the distribution, and not to the application."""
    rooted = "/" + path.removeprefix(_PAGES)
    return any(part in rooted for part in PARTS)


def _shortened(trait: Trait) -> Trait:
    return trait if len(trait.value) <= MAX_VALUE else Trait(trait.name, trait.value[:MAX_VALUE], trait.line)
