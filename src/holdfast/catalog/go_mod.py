"""Go modules as a copied source tree declares them: go.mod, and go.sum for what go.mod leaves out."""

import re
from collections.abc import Iterator

from holdfast.catalog.declared import declared, lock_cataloger, once
from holdfast.catalog.document import MAX_PACKAGES, corrupt, lines
from holdfast.model.found import Found

_MAX_MOD = 2 << 20
_MAX_LINE = 4_000
_WORD = re.compile(r'"[^"]*"|`[^`]*`|\S+')
_DIRECTIVES = {"require", "replace", "exclude", "retract", "tool", "ignore", "godebug"}
_ALONE = {"module", "go", "toolchain"}


def parse_mod(_path: str, data: bytes) -> Found:
    """What is required, after replacements (https://go.dev/ref/mod#go-mod-file)."""
    required: dict[str, str] = {}
    replaced: dict[tuple[str, str], tuple[str, str]] = {}
    excluded: set[tuple[str, str]] = set()
    reasons = []
    for directive, words in _statements(data.decode("utf-8", "replace")):
        if directive == "require" and len(words) == 2:
            required[words[0]] = words[1]
        elif directive == "exclude" and len(words) == 2:
            excluded.add((words[0], words[1]))
        elif directive == "replace" and "=>" in words[1:3]:
            arrow = words.index("=>")
            new = (*words[arrow + 1 :], "", "")
            replaced[words[0], words[1] if arrow == 2 else ""] = new[0], new[1]
        elif directive not in _DIRECTIVES | _ALONE or directive in ("require", "exclude", "replace"):
            reasons.append("a line that is no directive")
    chosen = []
    for module, version in required.items():
        if (module, version) in excluded:
            continue
        name, release = replaced.get((module, version)) or replaced.get((module, "")) or (module, version)
        if release:  # A folder that stands in for a module has no version that was published.
            chosen.append(declared("golang", name, release))
    return Found(once(chosen), problems=corrupt("go-mod", reasons))


def parse_sum(_path: str, data: bytes) -> Found:
    """The modules whose content was needed, each in its highest version: go.sum is sorted, so that it is the last.

    A line ending in `/go.mod` was only looked at. Catalog.assemble takes from here what go.mod does not name.
    """
    versions: dict[str, str] = {}
    reasons = []
    for line in lines(data.decode("utf-8", "replace")):
        words = line[:_MAX_LINE].split()
        if len(words) == 3 and words[2].startswith("h1:"):
            if not words[1].endswith("/go.mod"):
                versions[words[0]] = words[1]
                if len(versions) > MAX_PACKAGES:
                    break
        elif words:
            reasons.append("a line that is no checksum")
    return Found(once(declared("golang", *item) for item in versions.items()), problems=corrupt("go-sum", reasons))


def _statements(text: str) -> Iterator[tuple[str, list[str]]]:
    """Each directive with its words; a block repeats its directive on every line within parentheses."""
    block = ""
    for line in lines(text):
        words = [word.strip('"`') for word in _WORD.findall(line[:_MAX_LINE].partition("//")[0])]
        if not words:
            continue
        if words == [")"]:
            block = ""
        elif not block and words[-1] == "(":
            block = words[0]
        elif block:
            yield block, words
        else:
            yield words[0], words[1:]


GO_MOD = lock_cataloger("go-mod", 2, ("**/go.mod",), parse_mod, _MAX_MOD)
GO_SUM = lock_cataloger("go-sum", 2, ("**/go.sum",), parse_sum)
