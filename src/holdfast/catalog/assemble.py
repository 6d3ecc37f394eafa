"""The last step: what single files showed becomes the packages of an image."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain

from msgspec import Struct
from msgspec.structs import replace

from holdfast.model.artifact import Side
from holdfast.model.found import Found
from holdfast.model.package import Distribution, Origin, Package, Purl

Piece = tuple[str, str, Side, Found]
Resolve = Callable[[str], str | None]

_OPERATING_SYSTEM = ("deb", "apk", "rpm")
# Merged into /usr, where package managers go on to list the files under their old names (usrmerge).
_MERGED = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")


class _Seen(Struct, frozen=True):
    """A package with the file that shows it and the layer of that file."""

    package: Package
    path: str
    diff_id: str
    side: Side


def assemble(
    found: Iterable[Piece], distribution: Distribution | None, resolve: Resolve | None = None
) -> tuple[Package, ...]:
    """All packages, each with purl, locations, layer, owner and licences, ordered by type, name, version and purl.

    `found` is (path, diff ID, side, Found) of every visible file; `resolve` follows symlinks inside the image.

    - A package that one layer shows in several files is one package with several locations; another layer's is another.
    - A language package whose file an operating system package installed stays, with that package's purl as `owner`.
    - Licences that a copyright file states are the package's; a package without one has those of its source package,
      whose documentation it shares (dpkg: usr/share/doc/libstdc++6 is a link to gcc-12-base).
    - What a lock file declares is left out where the installed counterpart is known: npm's, where node_modules with
      packages stands beside the lock file; Python's, where any version of that name is installed anywhere (one
      environment is the rule in an image). What an operating system package installed does not count as either.
      go.mod and go.sum stay, as a built program says nothing of their folder.
    - go.sum adds only modules that the go.mod beside it does not name.
    """
    pieces = list(found)
    seen = [_Seen(package, path, diff_id, side) for path, diff_id, side, part in pieces for package in part.packages]
    stated = _licenses(pieces, seen)
    system = [
        replace(one, package=_finished(one.package, distribution, stated))
        for one in seen
        if one.package.type in _OPERATING_SYSTEM
    ]
    language = [one for one in seen if one.package.type not in _OPERATING_SYSTEM]
    owners = _owners(pieces, system, {one.path for one in language}, resolve)
    needed = (
        replace(one, package=replace(_finished(one.package, distribution, {}), owner=owners.get(one.path, "")))
        for one in _needed(language, owners)
    )
    return tuple(sorted(_merged(chain(system, needed)), key=_order))


def purl_of(package: Package, distribution: Distribution | None = None) -> Purl:
    """The package's URL, by the rules of its type (package-url specification, types/)."""
    if package.type not in _OPERATING_SYSTEM:
        # npm scopes and Go module paths are part of the name that advisories use, and the namespace of a purl.
        namespace, _, name = package.name.rpartition("/")
        namespace = "/".join(part for part in (package.namespace, namespace) if part)
        return Purl(package.type, name or package.name, package.version, namespace, tuple(sorted(package.qualifiers)))
    qualifiers = dict(package.qualifiers)
    if package.architecture:
        qualifiers["arch"] = package.architecture
    if distribution:
        release = distribution.version or distribution.codename
        qualifiers["distro"] = f"{distribution.id}-{release}" if release else distribution.id
    if package.source_name or package.source_version:
        version = package.source_version
        qualifiers["upstream"] = (package.source_name or package.name) + (f"@{version}" if version else "")
    namespace = package.namespace or (distribution.id if distribution else "")
    return Purl(package.type, package.name, package.version, namespace, tuple(sorted(qualifiers.items())))


def _finished(package: Package, distribution: Distribution | None, stated: Mapping[str, tuple[str, ...]]) -> Package:
    licenses = stated.get(package.name) or stated.get(package.source_name or package.name, ())
    purl = package.purl or str(purl_of(package, distribution))
    return replace(package, purl=purl, licenses=tuple(sorted({*package.licenses, *licenses})))


def _licenses(pieces: Sequence[Piece], seen: Sequence[_Seen]) -> dict[str, tuple[str, ...]]:
    """What copyright files state, by package, and together by source package where that has none of its own."""
    stated = {claim.package: claim.licenses for *_, part in pieces for claim in part.claims if claim.licenses}
    by_source: dict[str, set[str]] = {}
    for one in seen:
        if one.package.type == "deb" and one.package.name in stated:
            by_source.setdefault(one.package.source_name or one.package.name, set()).update(stated[one.package.name])
    return {source: tuple(sorted(names)) for source, names in by_source.items()} | stated


def _needed(seen: Sequence[_Seen], owners: Mapping[str, str]) -> Iterator[_Seen]:
    """All but what lock files declare and something installed, or a better file, tells more truly."""
    projects = set()
    names = set()
    for one in seen:
        if one.package.origin is Origin.INSTALLED and one.path not in owners:
            if one.package.type == "npm":
                projects.add(one.path.partition("node_modules/")[0])
            elif one.package.type == "pypi":
                names.add(one.package.name)
    modules = {(_folder(one.path), one.package.name) for one in seen if _name(one.path) == "go.mod"}
    for one in seen:
        is_needed = True
        if one.package.origin is Origin.DECLARED:
            match one.package.type:
                case "npm":
                    is_needed = _folder(one.path) not in projects
                case "pypi":
                    is_needed = one.package.name not in names
                case "golang":
                    is_needed = _name(one.path) != "go.sum" or (_folder(one.path), one.package.name) not in modules
        if is_needed:
            yield one


def _owners(
    pieces: Sequence[Piece], system: Sequence[_Seen], paths: set[str], resolve: Resolve | None
) -> dict[str, str]:
    """The purl of the operating system package that installed each of the paths, where one did."""
    merged = {top for top in _MERGED if resolve is None or resolve(top) == f"usr/{top}"}
    spellings = {spelling: path for path in paths for spelling in _spellings(path, merged)}
    if not spellings:
        return {}
    purls: dict[str, str] = {}
    for one in system:
        purls.setdefault(one.package.name, one.package.purl)
        purls[f"{one.package.name}:{one.package.architecture}"] = one.package.purl
    owners: dict[str, str] = {}
    for *_, part in pieces:
        for claim in part.claims:
            purl = purls.get(claim.package)
            if purl and claim.paths:
                for spelling in spellings.keys() & claim.paths.split(b"\n"):
                    owners.setdefault(spellings[spelling], purl)
    return owners


def _spellings(path: str, merged: Collection[str]) -> Iterator[bytes]:
    """The absolute paths by which a package manager may know a file, as bytes."""
    yield b"/" + path.encode("utf-8", "surrogateescape")
    usr, _, rest = path.partition("/")
    if usr == "usr" and rest.partition("/")[0] in merged:
        yield b"/" + rest.encode("utf-8", "surrogateescape")


def _merged(seen: Iterable[_Seen]) -> Iterator[Package]:
    """One package for all the files of a layer that show it; for development only if every lock file says so."""
    together: dict[tuple[object, ...], list[_Seen]] = {}
    for one in seen:
        package = one.package
        key = (package.purl, package.name, package.version, package.origin, package.owner, one.diff_id)
        together.setdefault(key, []).append(one)
    for same in together.values():
        first = same[0]
        yield replace(
            first.package,
            locations=tuple(sorted({one.path for one in same})),
            licenses=tuple(sorted({name for one in same for name in one.package.licenses})),
            development=all(one.package.development for one in same),
            diff_id=first.diff_id,
            side=first.side,
        )


def _order(package: Package) -> tuple[object, ...]:
    return (package.type, package.name, package.version, package.purl, package.diff_id, package.owner, package.origin)


def _folder(path: str) -> str:
    folder, slash, _ = path.rpartition("/")
    return folder + slash


def _name(path: str) -> str:
    return path.rpartition("/")[2]
