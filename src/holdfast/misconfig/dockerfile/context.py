"""The folder that a build is given: what lies in it, and what its .dockerignore keeps out.

Source of facts: docs.docker.com "Build context", moby/patternmatcher.
"""

from pathlib import Path
from typing import Self

from msgspec import Struct

_ENTRIES, _DEPTH, _IGNORE_BYTES, _PATTERNS, _PATTERN_LENGTH = 20_000, 4, 256 << 10, 500, 512


class Context(Struct, frozen=True):
    """A build context: paths in it (`a/b`, folders too), and the text of its .dockerignore (None: it has none)."""

    paths: tuple[str, ...] = ()
    ignore: str | None = None

    @classmethod
    def of(cls, folder: Path, dockerfile: str = "Dockerfile") -> Self:
        """The context in a folder: at most 20,000 paths, four levels deep; links are not followed.

        What cannot be read counts as absent. `<dockerfile>.dockerignore` goes before `.dockerignore`.
        """
        paths: list[str] = []
        folders = [(folder, "", 1)]
        while folders and len(paths) < _ENTRIES:
            here, prefix, depth = folders.pop(0)
            try:
                entries = sorted(here.iterdir())
            except OSError:
                continue
            for entry in entries[: _ENTRIES - len(paths)]:
                paths.append(prefix + entry.name)
                if depth < _DEPTH and entry.name != ".git" and entry.is_dir() and not entry.is_symlink():
                    folders.append((entry, f"{prefix}{entry.name}/", depth + 1))
        return cls(tuple(paths), _ignore_text(folder, dockerfile))

    def sent(self, path: str) -> bool:
        """Whether a path of the context is sent to the builder: .dockerignore does not keep it out."""
        sent = True
        for line in (self.ignore or "").splitlines()[:_PATTERNS]:
            pattern = line.strip()
            if not pattern or pattern.startswith("#") or len(pattern) > _PATTERN_LENGTH:
                continue
            keeps = pattern.startswith("!")
            pattern = pattern.lstrip("!").strip().strip("/").removeprefix("./")
            parts = path.split("/")
            # A pattern that fits a folder fits all that is in it.
            if keeps != sent and any(_fits(pattern, "/".join(parts[:end])) for end in range(1, len(parts) + 1)):
                sent = keeps
        return sent


def _ignore_text(folder: Path, dockerfile: str) -> str | None:
    for name in (f"{dockerfile}.dockerignore", ".dockerignore"):
        try:
            with (folder / name).open("rb") as file:
                return file.read(_IGNORE_BYTES).decode("utf-8", "replace")
        except (OSError, ValueError):
            continue
    return None


def _fits(pattern: str, path: str) -> bool:
    """Whether a pattern fits a whole path: `?`, `*` within a part, `**` over parts. Sets of places: none backtracks."""
    if pattern == ".":
        return True
    here, at, size = {0}, 0, len(path)
    while at < len(pattern) and here:
        if pattern.startswith("**/", at):
            here = here | {position + 1 for position in range(min(here), size) if path[position] == "/"}
            at += 3
        elif pattern.startswith("**", at):
            here = set(range(min(here), size + 1))
            at += 2
        elif pattern[at] == "*":
            here = _within_part(here, path)
            at += 1
        elif pattern[at] == "?":
            here = {position + 1 for position in here if position < size and path[position] != "/"}
            at += 1
        else:
            if pattern[at] == "\\" and at + 1 < len(pattern):
                at += 1
            here = {position + 1 for position in here if path[position : position + 1] == pattern[at]}
            at += 1
    return size in here


def _within_part(starts: set[int], path: str) -> set[int]:
    """Every place that can be reached from these without crossing a slash."""
    reached: set[int] = set()
    going = False
    for position in range(min(starts), len(path) + 1):
        going = going or position in starts
        if going:
            reached.add(position)
        if path[position : position + 1] == "/":
            going = False
    return reached
