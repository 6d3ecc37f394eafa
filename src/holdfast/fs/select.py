"""Which reader reads which file: globs and magic bytes compiled into a few dictionary look-ups.

An image has tens of thousands of entries and nearly none of them is for any, so a path that is not must be
known as such after its last part was looked up, before any regular expression runs.
"""

import hashlib
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

import msgspec

from holdfast.fs.reader import Reader

_Rule = tuple[str, Reader]


class Selector:
    """The readers of a scan, found by path or by first bytes. Only regular files are to be offered.

    `fingerprint` is a short stable hash over names, versions, patterns and magic, for the key of a cache.
    """

    def __init__(self, readers: Sequence[Reader]) -> None:
        self.readers = tuple(readers)
        self.fingerprint = _fingerprint(self.readers)
        self._by_name: dict[str, list[_Rule]] = {}
        self._by_suffix: dict[str, list[_Rule]] = {}
        self._by_folder: dict[str, list[_Rule]] = {}
        self._anywhere: list[_Rule] = []
        self._by_magic = [(magic, reader) for reader in self.readers for magic in reader.magic]
        self._magics = tuple(magic for magic, _ in self._by_magic)
        for reader in self.readers:
            for pattern in reader.patterns:
                self._bucket(pattern).append((pattern, reader))

    def by_path(self, path: str) -> tuple[Reader, ...]:
        """The readers that read a file at this path, in their order, each once."""
        folder, _, name = path.rpartition("/")
        rules = self._by_name.get(name, ()), self._by_suffix.get(name[name.rfind(".") :], ())
        parent = self._by_folder.get(folder[folder.rfind("/") + 1 :], ())
        if not (rules[0] or rules[1] or parent or self._anywhere):
            return ()
        candidates: Iterable[_Rule] = (*rules[0], *rules[1], *parent, *self._anywhere)
        return tuple({id(reader): reader for glob, reader in candidates if compile_glob(glob).fullmatch(path)}.values())

    def by_head(self, head: bytes) -> tuple[Reader, ...]:
        """The readers that read a file of any name that begins with these bytes."""
        if not head.startswith(self._magics):
            return ()
        return tuple({id(one): one for magic, one in self._by_magic if head.startswith(magic)}.values())

    def _bucket(self, pattern: str) -> list[_Rule]:
        """The rules that are tried for paths with the same last part, suffix or parent folder as the pattern."""
        folder, _, name = pattern.rpartition("/")
        parent = folder.rpartition("/")[2]
        suffix = name[name.rfind(".") :]
        if "*" not in name:
            return self._by_name.setdefault(name, [])
        if suffix.startswith(".") and "*" not in suffix:
            return self._by_suffix.setdefault(suffix, [])
        if parent and "*" not in parent:
            return self._by_folder.setdefault(parent, [])
        return self._anywhere


@lru_cache(maxsize=4096)
def compile_glob(pattern: str) -> re.Pattern[str]:
    """A glob over a whole path as a regular expression: `**/` is any depth or none, `*` stays within one part."""
    parts = re.split(r"(\*\*/|\*)", pattern)
    translated = {"**/": "(?:[^/]+/)*?", "*": "[^/]*"}
    return re.compile("".join(translated.get(part) or re.escape(part) for part in parts), re.DOTALL)


def _fingerprint(readers: Iterable[Reader]) -> str:
    facts = sorted((one.name, one.version, one.patterns, one.magic) for one in readers)
    return hashlib.sha256(msgspec.json.encode(facts)).hexdigest()[:16]
