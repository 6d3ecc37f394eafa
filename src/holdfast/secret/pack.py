"""The rules made ready: Hyperscan's databases and what is needed beside them, kept on disk so that it is built once."""

import contextlib
import hashlib
import platform
import zlib
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from holdfast.fs.whole import write_whole
from holdfast.model.errors import InputError
from holdfast.secret.rule import SecretRule, load_rules

if TYPE_CHECKING:
    import hyperscan

ROOM = Path(__file__).parent
RULE_FOLDER = ROOM / "rules"
_MAGIC = b"HFSECRET2\n"
_MOST_BYTES = 64 << 20
_PREFIX = "secrets-"
_MOST_KEPT = 3
_WRAPPED = -1


class Aim(Struct, frozen=True, array_like=True):
    """What one expression of a database stands for: a rule by its place in the list, or something in base64.

    `width` is the most bytes that a match of the expression is long. For base64 (`rule` is negative) it is exact, and
    `place` that of the first character within four.
    """

    rule: int
    width: int
    place: int = 0

    @property
    def wrapped(self) -> bool:
        """Whether this is something in base64."""
        return self.rule == _WRAPPED


class Content(Struct, frozen=True, array_like=True):
    """A pack as it is stored. `widths` are the most bytes that a match of each rule's pattern is long."""

    rules: tuple[SecretRule, ...]
    widths: tuple[int, ...]
    aims: tuple[Aim, ...]
    placed_aims: tuple[Aim, ...]
    database: bytes
    placed_database: bytes


class Pack:
    """Rules with the databases that find their candidates: one for every file, one for files that rules name."""

    def __init__(
        self, content: Content, database: "hyperscan.Database | None", placed: "hyperscan.Database | None"
    ) -> None:
        self.rules, self.widths = content.rules, content.widths
        self.aims, self.placed_aims = content.aims, content.placed_aims
        self.database, self.placed_database = database, placed


def fingerprint_of(rule_files: Sequence[Path]) -> str:
    """16 hex digits that change when rules or code do: of the bytes of all files of this room."""
    digest = hashlib.sha256()
    for path in sorted([*ROOM.glob("*.py"), *(ROOM / "checks").glob("*.py"), *rule_files]):
        with contextlib.suppress(OSError):  # an installation may come without its sources
            digest.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]


def rule_files() -> tuple[Path, ...]:
    """The files of the built-in rules, in the order of their names."""
    return tuple(sorted(RULE_FOLDER.glob("*.toml")))


def open_pack(folder: Path, files: Sequence[Path], fingerprint: str) -> Pack:
    """The pack kept in a folder, or one that is built and kept there. A folder that cannot be written is no error.

    `fingerprint` is that of the files (fingerprint_of). Raises InputError for rules that are not in order.
    """
    path = folder / f"{_PREFIX}{_name(fingerprint)}.pack"
    with contextlib.suppress(OSError, ValueError, msgspec.MsgspecError):
        if (pack := unpack(path.read_bytes())) is not None:
            return pack
    content = build(load_rules(files))
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_whole(path, packed(content))
        _forget_old(folder, path)
    return _opened(content)


def expressions(rules: Sequence[SecretRule]) -> tuple[bytes, ...]:
    """Everything by which a file may be told that the session has to examine: rules for single files aside."""
    telling = [text for rule in rules if not rule.paths for text, _ in _expressions(rule)]
    wrapped = [text for text, _ in _wrapped({literal for rule in rules for literal in _literals(rule)})]
    # In a stream of files nothing says where one begins: what is only looked for there is looked for everywhere.
    unbound = (text.removeprefix("\\A").removeprefix("(?m)^") for text in (*telling, *wrapped))
    return tuple(text.encode() for text in dict.fromkeys(unbound))


def packed(content: Content) -> bytes:
    """A pack as bytes, its own digest before it."""
    # Packed, so that no scanner takes the pack for what its rules look for.
    body = zlib.compress(msgspec.msgpack.encode(content), 1)
    return _MAGIC + hashlib.sha256(body).digest() + body


def unpack(data: bytes) -> Pack | None:
    """The pack that bytes hold; None where they are damaged, or of another version or processor."""
    start = len(_MAGIC) + 32
    if not data.startswith(_MAGIC) or hashlib.sha256(data[start:]).digest() != data[len(_MAGIC) : start]:
        return None
    import hyperscan

    try:
        return _opened(msgspec.msgpack.decode(_inflated(data[start:]), type=Content))
    except (hyperscan.error, msgspec.MsgspecError, ValueError, zlib.error):
        return None


def _inflated(body: bytes) -> bytes:
    return zlib.decompressobj().decompress(body, _MOST_BYTES)


def build(rules: Sequence[SecretRule]) -> Content:
    """Compile rules; InputError names one whose expressions Hyperscan does not take."""
    from holdfast.secret.derive import width_of

    everywhere: dict[str, list[Aim]] = {}
    placed: dict[str, list[Aim]] = {}
    literals: set[bytes] = set()
    for number, rule in enumerate(rules):
        for text, width in _expressions(rule):
            (placed if rule.paths else everywhere).setdefault(text, []).append(Aim(number, width))
        literals.update(_literals(rule))
    aims = [(text, aim) for text, group in everywhere.items() for aim in group]
    aims += _wrapped(literals)
    placed_aims = [(text, aim) for text, group in placed.items() for aim in group]
    return Content(
        tuple(_slim(rule) for rule in rules), tuple(width_of(rule.pattern) for rule in rules),
        tuple(aim for _, aim in aims), tuple(aim for _, aim in placed_aims),
        _compile(aims, rules), _compile(placed_aims, rules),
    )  # fmt: skip


def _opened(content: Content) -> Pack:
    import hyperscan

    def load(data: bytes) -> "hyperscan.Database":
        return hyperscan.loadb(data, hyperscan.HS_MODE_BLOCK)

    placed = load(content.placed_database) if content.placed_database else None
    return Pack(content, load(content.database) if content.database else None, placed)


def _slim(rule: SecretRule) -> SecretRule:
    return msgspec.structs.replace(rule, matches=(), ignores=(), find=(), why="")


def _expressions(rule: SecretRule) -> Iterable[tuple[str, int]]:
    from holdfast.secret.derive import expression_of, width_of

    if rule.find:
        return [(text, width_of(text)) for text in rule.find]
    try:
        derived = expression_of(rule.pattern)
    except InputError as error:
        raise InputError(f"{error.what}", where=rule.id, remedy=error.remedy) from error
    return [(derived.text, derived.width)]


def _literals(rule: SecretRule) -> Iterable[bytes]:
    """What tells a rule's secrets, wrapped in base64. Rules for certain files know how it stands there themselves."""
    from holdfast.secret.derive import literals_of

    if rule.paths:
        return ()
    return [literal for text in rule.find or (rule.pattern,) for literal in literals_of(text)]


def _wrapped(literals: Iterable[bytes]) -> list[tuple[str, Aim]]:
    from holdfast.secret.wrapping import wrapped_forms

    forms = sorted({form for literal in literals for form in wrapped_forms(literal)})
    return [(text.decode().replace("+", r"\+"), Aim(_WRAPPED, len(text), place)) for text, place in forms]


def _compile(aims: Sequence[tuple[str, Aim]], rules: Sequence[SecretRule]) -> bytes:
    if not aims:
        return b""
    import hyperscan

    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    expressions = [text.encode() for text, _ in aims]
    try:
        database.compile(expressions=expressions, ids=list(range(len(aims))), flags=[0] * len(aims))
    except hyperscan.error:
        for text, aim in aims:
            _try(text, rules[aim.rule].id)
        raise
    return hyperscan.dumpb(database)


def _try(text: str, rule: str) -> None:
    import hyperscan

    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    try:
        database.compile(expressions=[text.encode()], ids=[0], flags=[0])
    except hyperscan.error as error:
        raise InputError(f"Hyperscan does not take {text[:80]!r}: {error}", where=rule, remedy="give `find`") from error


@lru_cache(maxsize=8)
def _name(fingerprint: str) -> str:
    """The name's changing part: of the rules and code, Hyperscan's version, and the processor it compiled for."""
    import hyperscan

    facts = [fingerprint, platform.machine(), platform.python_version(), str(vars(hyperscan).get("__version__"))]
    with contextlib.suppress(OSError), Path("/proc/cpuinfo").open("rb") as stream:
        lines = stream.read(8192).split(b"\n\n")[0].splitlines()
        facts += [repr(line) for line in lines if line.startswith((b"flags", b"Features", b"model", b"cpu family"))]
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()[:16]


def _forget_old(folder: Path, current: Path) -> None:
    packs = sorted(folder.glob(f"{_PREFIX}*.pack"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in packs[_MOST_KEPT:]:
        if path != current:
            path.unlink()
