"""Rules that hold for files of certain names: found by a file's path in a few dictionary look-ups."""

import re
from collections.abc import Callable, Iterable
from functools import lru_cache

from holdfast.fs.select import compile_glob

_glob: Callable[[str], re.Pattern[str]] = lru_cache(maxsize=1024)(compile_glob)


class PathRules:
    """Which rules hold for a path. `*` in a glob stays within one part of it, `**/` is any depth or none."""

    def __init__(self, globs: Iterable[tuple[str, int]]) -> None:
        self._by_name: dict[str, list[tuple[str, int]]] = {}
        self._by_suffix: dict[str, list[tuple[str, int]]] = {}
        self._by_start: dict[str, list[tuple[str, int]]] = {}
        self._by_folder: dict[str, list[tuple[str, int]]] = {}
        self._anywhere: list[tuple[str, int]] = []
        for glob, rule in globs:
            self._bucket(glob).append((glob, rule))

    def of(self, path: str) -> frozenset[int]:
        """The rules whose globs a path matches."""
        folder, _, name = path.rpartition("/")
        named, suffixed = self._by_name.get(name), self._by_suffix.get(name[name.rfind(".") :])
        started, held = self._by_start.get(name[:1]), self._by_folder.get(folder[folder.rfind("/") + 1 :])
        if not (named or suffixed or started or held or self._anywhere):
            return _NONE
        candidates = (*(named or ()), *(suffixed or ()), *(started or ()), *(held or ()), *self._anywhere)
        return frozenset(rule for glob, rule in candidates if _glob(glob).fullmatch(path))

    def _bucket(self, glob: str) -> list[tuple[str, int]]:
        folder, _, name = glob.rpartition("/")
        parent = folder.rpartition("/")[2]
        suffix = name[name.rfind(".") :]
        if "*" not in name:
            return self._by_name.setdefault(name, [])
        if suffix.startswith(".") and "*" not in suffix:
            return self._by_suffix.setdefault(suffix, [])
        if not name.startswith("*"):
            return self._by_start.setdefault(name[:1], [])
        if parent and "*" not in parent:
            return self._by_folder.setdefault(parent, [])
        return self._anywhere


_NONE: frozenset[int] = frozenset()
