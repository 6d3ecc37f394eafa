"""Where the base image ends and the application begins, and how that is known."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from holdfast.model.artifact import History, Image, Side
from holdfast.model.report import Base
from holdfast.model.status import Gravity, Problem

BASE_DIGEST = "org.opencontainers.image.base.digest"
BASE_NAME = "org.opencontainers.image.base.name"

_COMMAND = re.compile(r"^(/bin/sh -c #\(nop\)\s+)?CMD\b")


class RegisteredBase(Struct, frozen=True, omit_defaults=True):
    """An image that was named a base: its name, its digests, and the diff IDs of its layers, lowest first."""

    name: str
    diff_ids: tuple[str, ...]
    digest: str = ""
    index_digest: str = ""


def side_of(base: Base, index: int) -> Side:
    """Whose the layer at `index` is."""
    if not base.decided_by:
        return Side.UNKNOWN
    return Side.BASE if index < base.layers else Side.APPLICATION


def boundary(
    image: Image, *, option: RegisteredBase | None, registered: Iterable[RegisteredBase]
) -> tuple[Base, tuple[Problem, ...]]:
    """The base of an image: by option, then verified label, registered base, history; else unknown.

    A label is only a claim. It counts where the diff IDs of the image that it names are known and begin this one.
    """
    diff_ids = tuple(layer.diff_id for layer in image.layers)
    known = tuple(registered)
    if option is not None:
        if _begins(diff_ids, option.diff_ids):
            return _as_base(option, "option"), ()
        return Base(), (_not_a_prefix(option.name, "the base given is not the one this image was built on"),)
    problems: tuple[Problem, ...] = ()
    claimed = {**image.annotations, **image.labels}
    digest, name = claimed.get(BASE_DIGEST, ""), claimed.get(BASE_NAME, "")
    if digest:
        candidates = [base for base in known if digest in (base.digest, base.index_digest)]
        for base in candidates:
            if _begins(diff_ids, base.diff_ids):
                return _as_base(base, "label"), ()
        if candidates:
            problems = (_not_a_prefix(name or digest, "the base that the image's label claims is not beneath it"),)
    fitting = [base for base in known if _begins(diff_ids, base.diff_ids)]
    if fitting:
        return _as_base(max(fitting, key=lambda base: (len(base.diff_ids), base.name)), "registered"), problems
    layers = _by_history(image.history)
    if 0 < layers < len(diff_ids):
        return Base(layers, "history", name, digest), problems
    return Base(name=name, digest=digest), problems


def _begins(diff_ids: Sequence[str], base: Sequence[str]) -> bool:
    return bool(base) and len(base) <= len(diff_ids) and tuple(diff_ids[: len(base)]) == tuple(base)


def _as_base(base: RegisteredBase, decided_by: str) -> Base:
    return Base(len(base.diff_ids), decided_by, base.name, base.digest)


def _not_a_prefix(name: str, message: str) -> Problem:
    return Problem("base.not-a-prefix", message, Gravity.NOTE, name, "check the name, or leave --base out")


def _by_history(history: Sequence[History]) -> int:
    """Layers below the last CMD that another layer follows: bases end with a command, and builds go on from there."""
    layers, boundary_at = 0, 0
    command_at = -1
    for line in history:
        if not line.empty:
            if command_at > 0:
                boundary_at = command_at
            layers += 1
            command_at = -1
        elif _COMMAND.match(line.created_by):
            command_at = layers
    return boundary_at


def load_bases(folder: Path) -> tuple[tuple[RegisteredBase, ...], tuple[Problem, ...]]:
    """The bases registered in the data folder; a damaged one becomes a problem."""
    bases, problems = [], []
    for path in sorted((folder / "bases").glob("*.json")):
        try:
            bases.append(msgspec.json.decode(path.read_bytes(), type=RegisteredBase))
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            problems.append(Problem("base.unreadable", "a registered base cannot be read", Gravity.NOTE, str(path)))
    return tuple(bases), tuple(problems)
