"""The feed `archive`: what a Debian or Ubuntu mirror's own changelogs say was fixed since an image was built.

It needs nothing but the mirror that every build host can reach. What to fetch is known only after cataloguing, so it
runs at scan time: the suites' indices show which source packages are outdated, and the changelog inside the newest
package shows which CVEs were fixed by which version.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from urllib.parse import quote

from msgspec import Struct
from msgspec.structs import replace

from holdfast.advisory import aptsources, changelog, debfile
from holdfast.advisory.aptsources import AptSource
from holdfast.advisory.debindex import Deb
from holdfast.advisory.ecosystem import ecosystems_of
from holdfast.advisory.ledger import NAME, Entry, Ledger
from holdfast.advisory.mirror import ARCHIVES, Archive, Mirror, Suite, Wanted, fetch_verified, plan
from holdfast.advisory.origin import is_third_party
from holdfast.advisory.release import Trust
from holdfast.model.advisory import SourceInfo
from holdfast.model.errors import HoldfastError, InputError, LimitError, NotFound, SourceError, StoreError
from holdfast.model.package import Distribution, Origin, Package
from holdfast.model.status import Gravity, Problem
from holdfast.transport.client import Client
from holdfast.transport.deadline import Deadline
from holdfast.version import ordering_for

CONNECTIONS = 5
_DEB_LIMIT = 96 << 20
_TOTAL_LIMIT = 512 << 20
_CANDIDATES = 4
_NAMED = 8

Progress = Callable[[str, int, int | None], None]


Opened = dict[tuple[str, tuple[Wanted, ...], tuple[str, ...], tuple[str, ...]], tuple[list[Suite], list[Problem]]]
"""Suites that were read, by what was asked for: distribution, suites, architectures, keyrings."""


class ArchiveResult(Struct, frozen=True):
    """Which ledger to match against (None: there is nothing in it for this image), its date, and what went wrong."""

    path: Path | None
    source: SourceInfo
    problems: tuple[Problem, ...] = ()


class Outdated(Struct, frozen=True):
    """A source package of the image that is older than the archive's newest, and the packages that may explain it."""

    name: str
    installed: str
    newest: str
    suite: Suite
    debs: tuple[Deb, ...]

    def __str__(self) -> str:
        return f"{self.name} {self.installed} → {self.newest} in {self.suite.name}"


def applies_to(distribution: Distribution | None) -> bool:
    """Whether there is an archive for this distribution."""
    return distribution is not None and distribution.id in ARCHIVES


def collect(
    packages: Sequence[Package],
    distribution: Distribution | None,
    apt_sources: Mapping[str, bytes],
    client: Client,
    store_path: Path,
    *,
    cache: Path,
    deadline: Deadline,
    progress: Progress = lambda _resource, _done, _total: None,
    host_sources: Mapping[str, bytes] | None = None,
    keyrings: Sequence[str] | None = None,
    opened: Opened | None = None,
) -> ArchiveResult:
    """Bring the ledger at `store_path` up to date for these packages, and say what could not be.

    `apt_sources` and `host_sources` are sources.list(5) files by path, the image's and this machine's. `cache` keeps
    indices; a suite read within the last hour is not asked for again, and a changelog once read is never fetched
    again. `progress` is told how many changelogs there are and how many are done. Offline, what is kept is used.
    `keyrings` are files with the archive's keys, besides those that the host's own sources name (None: where Debian
    and Ubuntu install them). Without any, what is found is used, kept apart, and said to be unverified. `opened` keeps
    the suites that were read for whoever scans many images in a row.
    """
    if distribution is None or not applies_to(distribution):
        return ArchiveResult(None, SourceInfo(NAME))
    installed = _installed(packages, distribution)
    if not installed:
        return ArchiveResult(None, SourceInfo(NAME))
    host, image = aptsources.parse(host_sources or {}), aptsources.parse(apt_sources)
    work = _Work(client, cache, deadline, progress)
    wanted = plan(distribution, host, image)
    if not wanted:
        message = f"no mirror of {distribution} is named in the apt sources of the image or of this machine"
        work.problems.append(Problem("archive.no-mirror", message, remedy="name one in /etc/apt/sources.list"))
    trusted = [*(ARCHIVES[distribution.id].keyrings if keyrings is None else keyrings), *_keyrings(host, wanted)]
    architectures = _architectures(packages)
    key = (distribution.id, tuple(wanted), tuple(architectures), tuple(trusted))
    opened = {} if opened is None else opened
    if key not in opened:
        opened[key] = work.open_suites(wanted, ARCHIVES[distribution.id], architectures, trusted)
    suites, problems = opened[key]
    work.problems += problems
    failure = "" if suites else "no mirror of the distribution could be read"
    source = SourceInfo(NAME, max((suite.date for suite in suites), default=""), failure=failure)
    try:
        store_path = _ledger_path(store_path, suites)
        Ledger(store_path).discard_outdated()
        source = work.read(
            Ledger(store_path), ecosystems_of(distribution)[0], list(_outdated(installed, suites)), source
        )
    except StoreError as error:
        work.problems.append(Problem.of("archive.ledger", error))
        return ArchiveResult(None, replace(source, failure=error.what), tuple(work.problems))
    return ArchiveResult(store_path if store_path.is_file() else None, source, tuple(work.problems))


def _installed(packages: Iterable[Package], distribution: Distribution) -> dict[str, str]:
    """The distribution's source packages in the image, each with its oldest version there."""
    key = ordering_for("deb").key
    found: dict[str, str] = {}
    for package in packages:
        if package.type != "deb" or package.origin is not Origin.INSTALLED:
            continue
        if package.namespace not in ("", distribution.id) or is_third_party(package, distribution):
            continue
        name, version = package.source_name or package.name, package.source_version or package.version
        if name not in found or key(version) < key(found[name]):
            found[name] = version
    return found


def _architectures(packages: Iterable[Package]) -> list[str]:
    found = {package.architecture for package in packages if package.type == "deb"} - {"", "all"}
    return sorted(architecture for architecture in found if architecture.isalnum())[:3] or ["amd64"]


def _outdated(installed: Mapping[str, str], suites: Sequence[Suite]) -> Iterator[Outdated]:
    """The sources that some suite has a newer version of, each with the packages of its newest version."""
    key = ordering_for("deb").key
    for name, version in sorted(installed.items()):
        offers = [(deb, suite) for suite in suites for index in suite.indices for deb in index[name]]
        if not offers:
            continue
        newest, suite = max(((deb.version, suite) for deb, suite in offers), key=lambda offer: key(offer[0]))
        if key(newest) > key(version):
            debs = sorted(
                (deb for deb, at in offers if at is suite and deb.version == newest), key=lambda deb: deb.size
            )
            yield Outdated(name, version, newest, suite, tuple(debs[:_CANDIDATES]))


def _ledger_path(path: Path, suites: Sequence[Suite]) -> Path:
    """The ledger for what is verified, or one for just these addresses.

    What nobody vouched for never stands with what was, and what one mirror says that anybody may have named never
    answers for another.
    """
    if all(suite.trust is Trust.GOOD for suite in suites):
        return path
    bases = "\n".join(sorted({suite.base for suite in suites}))
    return path.with_stem(f"{path.stem}-unverified-{hashlib.sha256(bases.encode()).hexdigest()[:16]}")


def _merged(problems: Sequence[Problem]) -> list[Problem]:
    """One problem for one cause: a mirror that is dead is so for each of its suites."""
    found: dict[tuple[str, str], Problem] = {}
    for problem in problems:
        first = found.get((problem.code, problem.message))
        found[problem.code, problem.message] = replace(first, count=first.count + 1) if first else problem
    return list(found.values())


def _keyrings(host: Sequence[AptSource], wanted: Sequence[Wanted]) -> list[str]:
    """The keys that this machine's administrator chose for the mirrors in use; an image's word on keys is no use."""
    bases = {base for suite in wanted for base in suite.bases}
    return [keyring for source in host if source.uri in bases for keyring in source.signed_by]


class _Work:
    """One run: where it fetches from and keeps things, and what has come of it so far."""

    def __init__(self, client: Client, cache: Path, deadline: Deadline, progress: Progress) -> None:
        self._client, self._cache, self._deadline, self._progress = client, cache, deadline, progress
        self.problems: list[Problem] = []

    def open_suites(
        self, wanted: Sequence[Wanted], archive: Archive, architectures: Sequence[str], keyrings: Sequence[str]
    ) -> tuple[list[Suite], list[Problem]]:
        """The suites that can be read, side by side, and why others cannot."""
        mirror = Mirror(self._client, self._cache, self._deadline, keyrings)
        with ThreadPoolExecutor(max(1, len(wanted))) as pool:
            suites = [*pool.map(lambda suite: mirror.open(suite, archive, architectures), wanted)]
        # They come as the suites do; a report has to be the same every time.
        problems = _merged(sorted(mirror.problems, key=lambda problem: (problem.where, problem.message)))
        return [suite for suite in suites if suite is not None], problems

    def read(self, ledger: Ledger, ecosystem: str, outdated: Sequence[Outdated], source: SourceInfo) -> SourceInfo:
        """Fetch the changelogs that the ledger does not have yet, until the deadline; what is now known of the source.

        Its `records` are the outdated packages whose changelog is known.
        """
        known = ledger.known(ecosystem, [(package.name, package.newest) for package in outdated])
        missing = [package for package in outdated if (package.name, package.newest) not in known]
        entries: list[Entry] = []
        silent: list[Outdated] = []
        failed: list[tuple[Outdated, HoldfastError]] = []
        for package, outcome in self._fetch_all(self._affordable(missing, failed)):
            if isinstance(outcome, Entry):
                entries.append(outcome)
            elif isinstance(outcome, NotFound):
                silent.append(package)
            else:
                failed.append((package, outcome))
        self._report(silent, failed)
        source = replace(source, records=len(known) + len(entries))
        if entries or (source.date and not ledger.path.is_file()):
            entries.sort(key=lambda entry: (entry.source, entry.version))
            ledger.append(ecosystem, entries, source)
        return source

    def _affordable(self, missing: Sequence[Outdated], failed: list[tuple[Outdated, HoldfastError]]) -> list[Outdated]:
        """Those that fit into the budget of bytes, smallest first."""
        left, chosen = _TOTAL_LIMIT, []
        for source in sorted(missing, key=lambda source: source.debs[0].size):
            left -= source.debs[0].size
            if left < 0:
                failed.append((source, LimitError("too many packages are outdated to fetch them all")))
            else:
                chosen.append(source)
        return chosen

    def _fetch_all(self, sources: Sequence[Outdated]) -> Iterator[tuple[Outdated, Entry | HoldfastError]]:
        """Each source with what came of it, as they come; several connections at once."""
        pool = ThreadPoolExecutor(CONNECTIONS)
        running: dict[Future[Entry | HoldfastError], Outdated] = {
            pool.submit(self._explain, source): source for source in sources
        }
        total = len(running)
        try:
            while running and self._deadline.remaining:
                left = self._deadline.remaining
                done, _ = wait(running, None if left > 1e6 else left, FIRST_COMPLETED)
                for future in done:
                    yield running.pop(future), future.result()
                self._progress("changelogs", total - len(running), total)
            late = LimitError("the time ran out", remedy="scan again: what was fetched is kept")
            yield from ((source, late) for source in running.values())
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _explain(self, source: Outdated) -> Entry | HoldfastError:
        """What the changelog of the newest version says, from the smallest package that carries one.

        NotFound means that the packages were read and none has a changelog; other errors, that some were not read.
        """
        outcome: HoldfastError = NotFound("none of its packages holds a changelog")
        for deb in source.debs:
            try:
                mentions = changelog.fixes(debfile.changelog(self._fetch(source.suite, deb)))
            except NotFound:
                continue
            except (SourceError, InputError, LimitError) as error:
                outcome = error
            else:
                return Entry(source.name, source.newest, source.suite.name, mentions)
        return outcome

    def _fetch(self, suite: Suite, deb: Deb) -> bytes:
        try:
            return fetch_verified(
                self._client, f"{suite.base}/{quote(deb.path, safe='/+~:=')}", deb.size, deb.sha256, self._deadline,
                name=deb.path.rpartition("/")[2], limit=_DEB_LIMIT,
            )  # fmt: skip
        except NotFound as error:
            raise SourceError("listed by the mirror, and not there", where=error.where) from error

    def _report(self, silent: Sequence[Outdated], failed: Sequence[tuple[Outdated, HoldfastError]]) -> None:
        # They come as the fetches end; a report has to be the same every time.
        silent = sorted(silent, key=lambda source: source.name)
        causes: dict[str, list[tuple[Outdated, HoldfastError]]] = {}
        for source, error in sorted(failed, key=lambda failure: failure[0].name):
            causes.setdefault(error.what, []).append((source, error))
        if silent:
            message = f"outdated, with no changelog that says what was fixed: {_names(silent)}"
            self.problems.append(Problem("archive.no-changelog", message, Gravity.NOTE, count=len(silent)))
        for what, members in sorted(causes.items()):
            message = f"{what}; not known what was fixed in: {_names([source for source, _ in members])}"
            first = members[0][1]
            self.problems.append(
                Problem("archive.unread", message, where=first.where, remedy=first.remedy, count=len(members))
            )


def _names(sources: Sequence[Outdated]) -> str:
    shown = ", ".join(str(source) for source in sources[:_NAMED])
    return shown if len(sources) <= _NAMED else f"{shown} and {len(sources) - _NAMED} more"
