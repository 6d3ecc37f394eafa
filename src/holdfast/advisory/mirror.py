"""Mirrors of Debian and Ubuntu: which suites an image should be up to date with, and what they hold now."""

import hashlib
import os
import re
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote, urlsplit

import msgspec
from msgspec import Struct

from holdfast.advisory import debindex, release
from holdfast.advisory.aptsources import AptSource
from holdfast.advisory.debindex import Index
from holdfast.advisory.release import Release, Trust, Verified
from holdfast.model.errors import HoldfastError, InputError, LimitError, NotFound, SourceError
from holdfast.model.package import Distribution
from holdfast.model.status import Gravity, Problem
from holdfast.transport.address import Address
from holdfast.transport.client import Client
from holdfast.transport.deadline import Deadline
from holdfast.transport.retry import parse_http_date

FRESH_SECONDS = 3600.0
_BASES = 6
_OFFLINE_REMEDY = "scan once where the mirror can be reached: what it says is kept"
_UNUSED_SECONDS = 30 * 86400.0


class Archive(Struct, frozen=True):
    """One distribution's archive: what its Release files call it, its components, keyrings, and release names."""

    origin: str
    components: tuple[str, ...]
    keyrings: tuple[str, ...]
    codenames: dict[str, str]


_KEYRINGS = "/usr/share/keyrings/"
ARCHIVES = {
    "debian": Archive(
        "Debian",
        ("main", "contrib", "non-free", "non-free-firmware"),
        (_KEYRINGS + "debian-archive-keyring.gpg", _KEYRINGS + "debian-archive-keyring.pgp"),
        {"9": "stretch", "10": "buster", "11": "bullseye", "12": "bookworm", "13": "trixie", "14": "forky"},
    ),
    "ubuntu": Archive(
        "Ubuntu",
        ("main", "restricted", "universe", "multiverse"),
        (_KEYRINGS + "ubuntu-archive-keyring.gpg",),
        {"16.04": "xenial", "18.04": "bionic", "20.04": "focal", "22.04": "jammy", "24.04": "noble"},
    ),
}


class Wanted(Struct, frozen=True):
    """One suite to look into, the addresses where it may be (the first that has it is taken), and its components.

    An `optional` one may be absent: not every archive has `-updates`, and those of old releases lose it. `foreign` are
    the bases that only the image names: they must not send us into a private network.
    """

    suite: str
    bases: tuple[str, ...]
    components: tuple[str, ...]
    optional: bool = False
    foreign: tuple[str, ...] = ()


class Suite(Struct, frozen=True):
    """What a suite holds: its base address, its Release file, and whether a signature vouches for it."""

    name: str
    base: str
    release: Release
    trust: Trust
    indices: tuple[Index, ...]

    @property
    def date(self) -> str:
        """The day of the Release file, YYYY-MM-DD."""
        moment = parse_http_date(self.release.fields.get("date", ""))
        return "" if moment is None else time.strftime("%Y-%m-%d", time.gmtime(moment))


class _Kept(Struct, frozen=True):
    """A Release file as it was fetched and judged, kept in the cache."""

    base: str
    verified: Verified
    fetched: float


def plan(distribution: Distribution, host: Sequence[AptSource], image: Sequence[AptSource]) -> list[Wanted]:
    """The suites that have an image's updates. The host's mirrors come first: they are near, and ours.

    An archive is taken for the distribution's own if it has the component `main` and either names one of the suites or
    lies at a path that ends as theirs do; its Release file has the last word. The security suite is looked for where
    it is listed, and else where a mirror of that distribution has it. What only the image names is `foreign`.
    """
    archive = ARCHIVES[distribution.id]
    codename = distribution.codename or archive.codenames.get(distribution.version, "")
    if not re.fullmatch(r"[a-z][a-z0-9-]{1,30}", codename):
        return []
    mains: list[str] = []
    securities: list[str] = []
    listed: set[str] = set()
    own = {source.uri for source in host}
    for source in [*host, *(source for source in image if source.uri in own or _is_elsewhere(source))]:
        if "main" not in source.components or not _is_own(source, distribution.id, codename):
            continue
        listed.update(source.components)
        first = source.suites[0] if source.suites else ""
        is_security = source.uri.endswith("-security") or first.endswith(("-security", "/updates"))
        (securities if is_security else mains).append(source.uri)
    components = tuple(name for name in archive.components if name in listed) or archive.components[:1]
    own |= {_debian_security(main) for main in own}
    if distribution.id == "ubuntu":
        bases = _unique([*mains, *securities])
        # The release's own suite is left out: it never changes, so nothing in it is newer than what was installed.
        foreign = tuple(base for base in bases if base not in own)
        pockets = ("security", "updates") if bases else ()
        return [Wanted(f"{codename}-{pocket}", bases, components, foreign=foreign) for pocket in pockets]
    securities += [security for main in mains if (security := _debian_security(main))]
    security = f"{codename}/updates" if codename in ("stretch", "buster") else f"{codename}-security"
    foreign = tuple(base for base in (*mains, *securities) if base not in own)
    wanted = [
        Wanted(security, _unique(securities), components, foreign=foreign),
        Wanted(codename, _unique(mains), components, foreign=foreign),
        Wanted(f"{codename}-updates", _unique(mains), components, optional=True, foreign=foreign),
    ]
    return [suite for suite in wanted if suite.bases]


def _is_elsewhere(source: AptSource) -> bool:
    """Whether an image's source may lead to the internet: its lists are written by whoever made the image."""
    try:
        return Address.parse(source.uri).may_be_public
    except SourceError:
        return False


def _is_own(source: AptSource, distribution: str, codename: str) -> bool:
    tails = (distribution, f"{distribution}-security", f"{distribution}-ports")
    stems = {codename, f"{codename}-updates", f"{codename}-security", f"{codename}/updates"}
    return urlsplit(source.uri).path.rpartition("/")[2] in tails or bool(stems & set(source.suites))


def _debian_security(main: str) -> str:
    """Where a Debian mirror keeps the security archive: beside the main one."""
    return main + "-security" if main.endswith("/debian") else ""


def _unique(bases: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(bases))[:_BASES]


class Mirror:
    """Reads suites over the network or from what an earlier scan kept in `cache`; what went wrong is in `problems`."""

    def __init__(self, client: Client, cache: Path, deadline: Deadline, keyrings: Sequence[str] = ()) -> None:
        self._client, self._cache, self._deadline = client, cache, deadline
        self._keyrings = tuple(Path(keyring) for keyring in keyrings)
        self.problems: list[Problem] = []

    def open(self, wanted: Wanted, archive: Archive, architectures: Sequence[str]) -> Suite | None:
        """The suite from the first address that has it, is of this archive and is not wrongly signed."""
        failures: list[HoldfastError] = []
        for base in wanted.bases:
            try:
                return self._open(wanted, base, archive, architectures)
            except (SourceError, InputError, LimitError) as error:
                failures.append(error)
        if failures and not (wanted.optional and all(isinstance(error, NotFound) for error in failures)):
            worst = next((error for error in failures if not isinstance(error, NotFound)), failures[0])
            self.problems.append(Problem.of("archive.suite-unread", worst, where=wanted.suite))
        return None

    def _open(self, wanted: Wanted, base: str, archive: Archive, architectures: Sequence[str]) -> Suite:
        if base in wanted.foreign:
            self._client.confine(base)
        kept = self._release(base, wanted.suite)
        parsed = release.parse(kept.verified.content)
        where = Address.parse(f"{base}/dists/{wanted.suite}").url
        if kept.verified.trust is Trust.BAD:
            raise InputError(f"refused: {kept.verified.why}", where=where, remedy="use another mirror")
        names = {parsed.codename, parsed.fields.get("suite", "")}
        if parsed.fields.get("origin") != archive.origin or not names & {wanted.suite, wanted.suite.partition("/")[0]}:
            raise NotFound(f"not {archive.origin}'s {wanted.suite}", where=where)
        self._remark(kept, parsed, where)
        indices = tuple(
            index
            for component in wanted.components
            for architecture in architectures
            if (index := self._index(base, wanted.suite, parsed, f"{component}/binary-{architecture}/Packages"))
        )
        return Suite(wanted.suite, base, parsed, kept.verified.trust, indices)

    def _remark(self, kept: _Kept, parsed: Release, where: str) -> None:
        if kept.verified.trust is not Trust.GOOD:
            self.problems.append(
                Problem(
                    "archive.not-verified",
                    f"the archive's signature was not verified: {kept.verified.why}",
                    Gravity.NOTE,
                    where,
                    "install gpgv and the archive's keyring",
                )
            )
        until = parse_http_date(parsed.fields.get("valid-until", ""))
        if until is not None and until < time.time():
            message = f"the mirror is out of date: its Release file was valid until {parsed.fields['valid-until']}"
            self.problems.append(Problem("archive.expired", message, Gravity.NOTE, where))

    def _release(self, base: str, suite: str) -> _Kept:
        """The judged Release file, fetched unless it is fresh in the cache, or cannot be fetched offline."""
        file = self._cache / f"{hashlib.sha256(f'{base} {suite}'.encode()).hexdigest()[:32]}.release"
        kept = _read_kept(file)
        age = time.time() - kept.fetched if kept else -1.0
        if kept and kept.base == base and (0 <= age < FRESH_SECONDS or self._client.offline):
            return kept
        address = f"{base}/dists/{quote(suite)}/InRelease"
        signed = _get(self._client, address, release.LIMIT, self._deadline, f"{suite} InRelease")
        kept = _Kept(base, release.verify(signed, self._keyrings), time.time())
        _store(file, msgspec.msgpack.encode(kept))
        return kept

    def _index(self, base: str, suite: str, parsed: Release, path: str) -> Index | None:
        """A Packages index: taken apart once, then kept in the cache by its digest; None where it is not listed."""
        name = next((name for name in (f"{path}.xz", f"{path}.gz", path) if name in parsed.files), "")
        if not name:
            return None
        listed = parsed.files[name]
        file = self._cache / f"{listed.sha256}.index"
        if (known := debindex.load(file)) is not None:
            _touch(file)
            return known
        folder = f"{base}/dists/{quote(suite)}"
        content = self._verified(folder, name, listed, by_hash=parsed.fields.get("acquire-by-hash") == "yes")
        index = debindex.build(debindex.read(content, name))
        _store(file, debindex.dump(index))
        return index

    def _verified(self, folder: str, name: str, listed: release.Listed, *, by_hash: bool) -> bytes:
        # By its digest an index can be had while the mirror is in the middle of an update.
        paths = [f"{name.rpartition('/')[0]}/by-hash/SHA256/{listed.sha256}"] if by_hash else []
        for path in (*paths, name):
            try:
                return fetch_verified(
                    self._client, f"{folder}/{path}", listed.size, listed.sha256, self._deadline,
                    name=name, limit=debindex.LIMIT,
                )  # fmt: skip
            except NotFound:
                if path == name:
                    raise
        raise AssertionError("the last path returns or raises")


def fetch_verified(
    client: Client, address: str, size: int, sha256: str, deadline: Deadline, *, name: str, limit: int
) -> bytes:
    """A file of the archive with exactly this length and SHA-256; InputError where it has another."""
    if size > limit:
        raise LimitError(f"larger than the {limit:,} bytes allowed for it", where=name)
    content = _get(client, address, size, deadline, name)
    if len(content) != size or hashlib.sha256(content).hexdigest() != sha256:
        raise InputError("not what the signed index says it is", where=Address.parse(address).url)
    return content


def _get(client: Client, address: str, limit: int, deadline: Deadline, name: str) -> bytes:
    """A file that a signature or digest vouches for. Offline, no mirror can be carried to where there is none."""
    try:
        return client.get(address, limit=limit, deadline=deadline, signed=True, name=name)
    except SourceError as error:
        if client.offline and Address.parse(address).scheme != "file":
            raise SourceError(error.what, where=error.where, remedy=_OFFLINE_REMEDY) from error
        raise


def _read_kept(file: Path) -> _Kept | None:
    try:
        return msgspec.msgpack.decode(file.read_bytes(), type=_Kept)
    except (OSError, msgspec.MsgspecError):
        return None


def _touch(file: Path) -> None:
    with suppress(OSError):
        os.utime(file)


def _store(file: Path, content: bytes) -> None:
    """Put a file into the cache by rename (two scans at once write the same), and drop what nobody uses any more."""
    part = file.with_name(f"{file.name}.{time.monotonic_ns()}.part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        for old in file.parent.iterdir():
            with suppress(FileNotFoundError):  # another thread's part, renamed meanwhile
                if time.time() - old.stat().st_mtime > _UNUSED_SECONDS:
                    old.unlink()
        part.write_bytes(content)
        part.replace(file)
    except OSError:
        with suppress(OSError):
            part.unlink(missing_ok=True)
