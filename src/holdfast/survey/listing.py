"""The images of a registry, found by its catalogue: repositories, their tags, and the digest of each."""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from holdfast.model.errors import AuthError, HoldfastError, LimitError, NotFound, SourceError
from holdfast.model.status import Gravity, Problem
from holdfast.oci.reference import Reference
from holdfast.scan.plan import Plan
from holdfast.survey.ahead import side_by_side
from holdfast.survey.candidate import Candidate
from holdfast.survey.catalogue import refused, without_catalogue
from holdfast.survey.selection import Selection

if TYPE_CHECKING:
    from holdfast.oci.registry.client import Registry

CONNECTIONS = 8
_UNREADABLE_IN_A_ROW = 50
# Signatures, attestations and lists of referrers are attached to images by tags of this form (cosign; the
# distribution specification's referrers tag schema): they are no images.
_ATTACHMENT = re.compile(r"sha(256-[0-9a-f]{64}|512-[0-9a-f]{64,128})(\.[a-z]+)?")


class Named(Struct, frozen=True):
    """One name, and the error that asking for it met."""

    reference: Reference
    digest: str = ""
    error: HoldfastError | None = None


class Problems:
    """Problems as they come: like ones counted, with the places of the first ones."""

    _MOST = 1000

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], Problem] = {}

    def add(self, problem: Problem) -> None:
        """Take one."""
        key = (problem.code, problem.message)
        if key not in self._found and len(self._found) >= self._MOST:
            key = (problem.code, "")
            problem = replace(problem, message="and others of this sort")
        known = self._found.get(key)
        self._found[key] = replace(known, count=known.count + problem.count) if known else problem

    def __iter__(self) -> Iterator[Problem]:
        return iter(tuple(self._found.values()))


def candidates_of(
    names: Iterable[Reference], registry_of: Callable[[str], "Registry"], problems: Problems
) -> Iterator[Candidate]:
    """Each name with its digest, asked for over several connections; what is not there is left out, and said."""

    def ask(reference: Reference) -> Named:
        if reference.digest:
            return Named(reference, reference.digest)
        try:
            digest = registry_of(reference.registry).digest(reference.repository, reference.tag)
            return Named(reference, digest)
        except HoldfastError as error:
            return Named(reference, error=error)

    for named in side_by_side(ask, names, CONNECTIONS):
        reference = named.reference
        if isinstance(named.error, NotFound):
            message = "these names lead nowhere: what they named is gone"
            problems.add(Problem("registry.gone", message, Gravity.NOTE, str(reference)))
            continue
        # What else went wrong the scan meets again, and says it of this image.
        pinned = replace(reference, digest=named.digest)
        yield Candidate(Plan(str(reference), "registry", reference=str(pinned)), named.digest)


class Catalogue:
    """The candidates of one registry that a selection means. `registry` gives the client of a registry by its name."""

    def __init__(self, host: str, registry_of: Callable[[str], "Registry"], selection: Selection) -> None:
        self._host, self._registry_of, self._selection = host, registry_of, selection
        self._problems = Problems()

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What could not be listed."""
        return tuple(self._problems)

    def __iter__(self) -> Iterator[Candidate]:
        if error := without_catalogue(self._host):
            raise error
        client = self._registry_of(self._host)
        repositories = client.catalog(lambda name: self._problems.add(_no_name(name, self._host)))
        try:
            first = next(repositories, None)
        except SourceError as error:
            told = refused(self._host, error)
            if told is error:
                raise
            raise told from error
        if first is None:
            return
        names = self._names(client, first, repositories)
        met = False
        for candidate in candidates_of(names, self._registry_of, self._problems):
            met = True
            yield candidate
        if self._selection.chosen and not met:
            self._problems.add(self._selection.unmet(self._host))

    def _names(self, client: "Registry", first: str, others: Iterator[str]) -> Iterator[Reference]:
        unreadable = 0
        for repository in self._repositories(first, others):
            if not self._selection.may_select(repository):
                continue
            try:
                yield from tagged(client, repository, self._selection, self._problems)
                unreadable = 0
            except (NotFound, AuthError, LimitError) as error:
                self._problems.add(_of_repository(error, self._host, repository))
            except HoldfastError as error:
                self._problems.add(_of_repository(error, self._host, repository))
                unreadable += 1
                if unreadable == _UNREADABLE_IN_A_ROW:
                    message = f"{unreadable} repositories in a row could not be listed; what follows them was left out"
                    self._problems.add(Problem("registry.unreadable", message, where=self._host))
                    return

    def _repositories(self, first: str, others: Iterator[str]) -> Iterator[str]:
        yield first
        try:
            yield from others
        except HoldfastError as error:
            message = f"its catalogue broke off: {error.what}"
            self._problems.add(Problem("registry.catalogue", message, where=self._host, remedy=error.remedy))


def tagged(client: "Registry", repository: str, selection: Selection, problems: Problems) -> Iterator[Reference]:
    """The names in a repository that a selection means. Raises what listing its tags does."""
    for tag in client.tags(repository, lambda name: problems.add(_no_name(name, f"{client.name}/{repository}"))):
        if _ATTACHMENT.fullmatch(tag):
            message = "tags of signatures and other attachments, which are no images"
            problems.add(Problem("registry.attachment", message, Gravity.NOTE))
        elif selection.selects(repository, tag):
            yield Reference(client.name, repository, tag)


def _no_name(name: str, where: str) -> Problem:
    """A name that the registry lists, and that it could not be asked for: it would lead elsewhere."""
    shown = ascii(name[:80])[1:-1]
    return Problem("registry.bad-name", "it lists what can be no name: left out", where=f"{where}: {shown}")


def _of_repository(error: HoldfastError, host: str, repository: str) -> Problem:
    where = f"{host}/{repository}"
    if isinstance(error, NotFound):
        message = "listed in the catalogue, and without any tags"
        return Problem("registry.empty-repository", message, Gravity.NOTE, where)
    return Problem("registry.repository", f"a repository's tags could not be listed: {error.what}", where=where)
