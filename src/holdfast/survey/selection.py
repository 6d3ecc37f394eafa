"""Which names of a registry are meant: shell patterns for repositories and tags."""

from collections.abc import Iterable
from fnmatch import fnmatchcase

from msgspec import Struct

from holdfast.model.status import Problem


class Pattern(Struct, frozen=True):
    """A shell pattern (fnmatch) for repositories and one for tags; `*` stands for any characters, also slashes."""

    repository: str
    tag: str = "*"

    @classmethod
    def parse(cls, text: str) -> "Pattern":
        """`team/*`, `team/app:1.*`: without a tag it means all of them."""
        repository, colon, tag = text.rpartition(":")
        return cls(repository, tag) if colon else cls(text)

    def matches(self, repository: str, tag: str) -> bool:
        """Whether it stands for this image."""
        return fnmatchcase(repository, self.repository) and fnmatchcase(tag, self.tag)


class Selection(Struct, frozen=True):
    """What any of `chosen` means (all, where there is none) and none of `excluded` does."""

    chosen: tuple[Pattern, ...] = ()
    excluded: tuple[Pattern, ...] = ()

    @classmethod
    def of(cls, chosen: Iterable[str], excluded: Iterable[str] = ()) -> "Selection":
        """The selection that patterns as typed make."""
        return cls(tuple(map(Pattern.parse, chosen)), tuple(map(Pattern.parse, excluded)))

    def unmet(self, where: str) -> Problem:
        """What it means that nothing was found: a pattern that nobody meant is easily typed."""
        return Problem(
            "survey.nothing-selected", "no image has a name that was asked for", where=where,
            remedy="patterns are shell patterns for the whole name: team/*, or */app:1.*",
        )  # fmt: skip

    def may_select(self, repository: str) -> bool:
        """Whether some tag of a repository could be meant, so that they have to be listed."""
        if any(pattern.tag == "*" and fnmatchcase(repository, pattern.repository) for pattern in self.excluded):
            return False
        return not self.chosen or any(fnmatchcase(repository, pattern.repository) for pattern in self.chosen)

    def selects(self, repository: str, tag: str) -> bool:
        """Whether an image is meant."""
        if any(pattern.matches(repository, tag) for pattern in self.excluded):
            return False
        return not self.chosen or any(pattern.matches(repository, tag) for pattern in self.chosen)
