"""A list of images that somebody wrote down: one name a line."""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from holdfast.model.errors import HoldfastError, InputError
from holdfast.model.status import Problem
from holdfast.oci.reference import Reference
from holdfast.survey.candidate import Candidate
from holdfast.survey.listing import Problems, candidates_of, tagged
from holdfast.survey.selection import Pattern, Selection

if TYPE_CHECKING:
    from holdfast.oci.registry.client import Registry

MOST_NAMES = 1_000_000
_LINE_BYTES = 4096
_MOST_TOLD = 100
_GLOB = frozenset("*?[")
# As targets of a scan are written, here and in other tools; `registry:5000/app` is on a host of that name.
_PREFIX = re.compile(r"docker://|registry:(?![0-9]+/)(//)?")


class Names:
    """The candidates that lines name: `HOST/NAME:TAG`, `NAME@DIGEST`, or `HOST/NAME:1.*` for all tags of that form.

    Blank lines and what follows a # are nothing. A line that is no name is a problem with its number.
    """

    def __init__(
        self,
        lines: Iterable[bytes],
        registry_of: Callable[[str], "Registry"],
        selection: Selection,
        where: str = "the list",
    ) -> None:
        self._lines, self._registry_of, self._selection, self._where = lines, registry_of, selection, where
        self._problems = Problems()
        self._wrong = 0

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Lines that are no names, and repositories that could not be listed."""
        return tuple(self._problems)

    def __iter__(self) -> Iterator[Candidate]:
        met = False
        for candidate in candidates_of(self._references(), self._registry_of, self._problems):
            met = True
            yield candidate
        if not met and (self._selection.chosen or not self._wrong):
            self._problems.add(self._selection.unmet(self._where))

    def _references(self) -> Iterator[Reference]:
        count = 0
        for number, line in enumerate(self._lines, 1):
            try:
                for reference in self._named(line):
                    if self._selects(reference):
                        count += 1
                        if count > MOST_NAMES:
                            message = f"it names more than {MOST_NAMES:,} images: the rest was left out"
                            self._problems.add(Problem("list.too-long", message, where=self._where))
                            return
                        yield reference
            except InputError as error:
                self._refuse(number, error)
            except HoldfastError as error:
                message = f"the tags of a repository could not be listed: {error.what}"
                self._problems.add(Problem("registry.repository", message, where=error.where, remedy=error.remedy))

    def _named(self, line: bytes) -> Iterator[Reference]:
        if len(line) > _LINE_BYTES:
            raise InputError(f"a line of more than {_LINE_BYTES:,} bytes")
        try:
            text = line.partition(b"#")[0].decode().strip().removeprefix("\ufeff")
        except UnicodeDecodeError:
            raise InputError("not UTF-8") from None
        if not text:
            return
        text = text[prefix.end() :] if (prefix := _PREFIX.match(text)) else text
        head, colon, tag = text.rpartition(":")
        if colon and _GLOB & set(tag) and "/" not in tag:
            whole = Reference.parse(head)
            pattern = Selection((Pattern(whole.repository, tag),))
            yield from tagged(self._registry_of(whole.registry), whole.repository, pattern, self._problems)
        else:
            yield Reference.parse(text)

    def _selects(self, reference: Reference) -> bool:
        return self._selection.selects(reference.repository, reference.tag)

    def _refuse(self, number: int, error: InputError) -> None:
        self._wrong += 1
        if self._wrong <= _MOST_TOLD:
            message, where = f"line {number} is left out: {error.what}", error.where or self._where
            self._problems.add(Problem("list.bad-line", message, where=where))
        else:
            self._problems.add(Problem("list.bad-line", "more lines that are no names are left out", where=self._where))
