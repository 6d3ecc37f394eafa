"""What Python projects pin: requirements files, Pipfile.lock, and the lock files of Poetry, uv and PDM."""

import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from holdfast.catalog.declared import (
    MAX_VALUES,
    declared,
    guarded,
    json_object,
    lock_cataloger,
    mapping,
    once,
    reachable,
    sequence,
    text,
)
from holdfast.catalog.document import bounded, corrupt, lines
from holdfast.catalog.python import normalised
from holdfast.model.errors import InputError, LimitError
from holdfast.model.found import Found
from holdfast.model.package import Package
from holdfast.model.status import Gravity, Problem

_Judge = Callable[[Mapping[str, object]], bool]

_PIN = re.compile(
    r"([A-Za-z0-9][A-Za-z0-9._-]*) ?(?:\[[^\]]*\])? ?\(? ?={2,3} ?(v?\d[A-Za-z0-9.!+_-]*)(?=[;#),\\]|--|$| )"
)
_UNPINNED = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*) ?(?:\[[^\]]*\])? ?(?=$|[<>=!~(;#@]|--[a-z])")
_REFERENCE = re.compile(r"(?:-r|-c|--requirement|--constraint)[ =]?[^ ]")
_ADDRESS = re.compile(r"(?:-e|--editable)[ =]|[A-Za-z0-9+]+://|git\+|file:|\.{0,2}/|[^ ]+\.(?:whl|zip|tar\.gz)(?: |$)")
_FOR_DEVELOPMENT = re.compile(
    r"(?:^|[-_./])(?:dev|develop|development|test|tests|testing|lint|docs?|ci|typing)(?=[-_./]|$)"
)
_MAX_LINE = 4_000
_MAX_TOML = 8 << 20
_MAX_DOTTED = 10_000_000
# Where a locked package comes from when it is the project itself or a folder beside it.
_OWN_SOURCES = ("virtual", "editable", "directory", "workspace")


def parse_requirements(path: str, data: bytes) -> Found:
    """What a requirements file asks for: in a version where it is pinned (`==`, `===`), in none where it is not.

    Which version was installed of the latter is not known from here, but those that were are found elsewhere (assemble
    leaves these out then). Other files and addresses have no published name: they are counted.
    """
    content = data.decode("utf-8", "replace").replace("\r\n", "\n").replace("\\\n", " ")
    name = "/".join(path.split("/")[-2:]) if "/requirements/" in f"/{path}" else path.rpartition("/")[2]
    development = bool(_FOR_DEVELOPMENT.search(name.removesuffix(".txt").lower()))
    aside: list[str] = []
    return Found(once(_required(content, development, aside)), problems=_beside(aside))


def _required(content: str, development: bool, aside: list[str]) -> Iterator[Package]:
    for line in lines(content):
        requirement = " ".join(line[:_MAX_LINE].split())
        if pin := _PIN.match(requirement):
            yield declared("pypi", normalised(pin[1]), pin[2], development=development)
        elif _REFERENCE.match(requirement):
            aside.append("reference")
        elif _ADDRESS.match(requirement):
            aside.append("address")
        elif named := _UNPINNED.match(requirement):
            yield declared("pypi", normalised(named[1]), "", development=development)


def _beside(aside: Sequence[str]) -> tuple[Problem, ...]:
    messages = {
        "address": "requirements name an address instead of a published version: they were not checked",
        "reference": "references to other requirements files were not followed: such files are read by their own names",
    }
    return tuple(
        Problem(f"catalog.requirements.{what}", message, Gravity.NOTE, count=aside.count(what))
        for what, message in messages.items()
        if what in aside
    )


def parse_pipfile(_path: str, data: bytes) -> Found:
    """Pipfile.lock: `default` is installed to run, `develop` to work on it."""
    lock = json_object(data)
    if not {"default", "develop", "_meta"} & lock.keys():
        raise InputError("not a lock file of Pipenv")
    return Found(
        once(
            declared("pypi", normalised(name), version.removeprefix("=="), development=section == "develop")
            for section in ("default", "develop")
            for name, entry in mapping(lock.get(section)).items()
            if (version := text(mapping(entry).get("version"))).startswith("==")
        )
    )


def parse_poetry(_path: str, data: bytes) -> Found:
    """poetry.lock: `category` until version 1.4, `groups` since 2.0, and nothing about development between them."""

    def is_development(entry: Mapping[str, object]) -> bool:
        groups = sequence(entry.get("groups"))
        return entry.get("category") == "dev" or (bool(groups) and "main" not in groups)

    return _from_toml(data, is_development)


def parse_pdm(_path: str, data: bytes) -> Found:
    """pdm.lock: groups by the names the project gave them; `default` and extras are for running."""

    def is_development(entry: Mapping[str, object]) -> bool:
        groups = [text(group) for group in sequence(entry.get("groups"))]
        return bool(groups) and all(_FOR_DEVELOPMENT.search(group) for group in groups)

    return _from_toml(data, is_development)


def parse_uv(_path: str, data: bytes) -> Found:
    """uv.lock: for development is what nothing but the projects' own dependency groups leads to."""
    entries = _entries(data)
    edges: dict[str, list[str]] = {}
    roots = []
    for entry in entries:
        name = text(entry.get("name"))
        extras = [item for extra in mapping(entry.get("optional-dependencies")).values() for item in sequence(extra)]
        edges.setdefault(name, []).extend(
            text(mapping(item).get("name")) for item in (*sequence(entry.get("dependencies")), *extras)
        )
        if _is_own(entry):
            roots.append(name)
    running = reachable(roots, edges) if roots else edges.keys()
    return _toml_found(entries, lambda entry: text(entry.get("name")) not in running)


def _from_toml(data: bytes, is_development: _Judge) -> Found:
    return _toml_found(_entries(data), is_development)


def _toml_found(entries: Iterable[Mapping[str, object]], is_development: _Judge) -> Found:
    packages, reasons = [], []
    for entry in entries:
        name, version = text(entry.get("name")), text(entry.get("version"))
        if _is_own(entry):
            continue
        if name and version:
            packages.append(declared("pypi", normalised(name), version, development=is_development(entry)))
        elif not entry.get("source"):  # What comes from an address has no version that was published.
            reasons.append("a package without a name or version")
    return Found(once(packages), problems=corrupt("python-lock", reasons))


def _entries(data: bytes) -> list[Mapping[str, object]]:
    # For each dotted key tomllib keeps every prefix: time and memory go with the square of its parts.
    if sum(line.count(b".") ** 2 for line in io.BytesIO(data)) > _MAX_DOTTED:
        raise LimitError("keys of too many parts")
    import tomllib  # Only an image with such a lock file pays for it.

    lock = guarded(lambda: tomllib.loads(bounded(data, MAX_VALUES).decode("utf-8")))
    return [mapping(entry) for entry in sequence(lock.get("package"))]


def _is_own(entry: Mapping[str, object]) -> bool:
    source = mapping(entry.get("source"))
    return source.get("type") in _OWN_SOURCES or not source.keys().isdisjoint(_OWN_SOURCES)


REQUIREMENTS = lock_cataloger(
    "requirements",
    3,
    ("**/requirements*.txt", "**/*requirements.txt", "**/*-requirements-*.txt", "**/requirements/*.txt"),
    parse_requirements,
)
PIPFILE = lock_cataloger("pipfile", 2, ("**/Pipfile.lock",), parse_pipfile)
POETRY = lock_cataloger("poetry", 2, ("**/poetry.lock",), parse_poetry, _MAX_TOML)
PDM = lock_cataloger("pdm", 2, ("**/pdm.lock",), parse_pdm, _MAX_TOML)
UV = lock_cataloger("uv", 2, ("**/uv.lock",), parse_uv, _MAX_TOML)
