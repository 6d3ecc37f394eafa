"""The images that a Dockerfile takes from elsewhere: what has to be vetted before it is built."""

from collections.abc import Iterator

from msgspec import Struct

from holdfast.misconfig.dockerfile.syntax import Dockerfile, Instruction, Stage


class Base(Struct, frozen=True):
    """An image that FROM, `COPY --from` or `RUN --mount=from=` names, after expansion.

    `stage` is the label of the stage that uses it, `by` the keyword (`FROM`, `COPY`, `RUN`). `platform` is what
    `--platform` says, as it stands. `resolved` is false where a variable in `reference` has no value in the file.
    """

    reference: str
    line: int
    stage: str
    platform: str = ""
    resolved: bool = True
    by: str = "FROM"


def bases_of(file: Dockerfile) -> tuple[Base, ...]:
    """Every image from outside that the file names, in its order; each once for each stage that uses it."""
    found: dict[tuple[str, str], Base] = {}
    for stage in file.stages:
        for base in _of(stage, file):
            found.setdefault((base.reference, base.stage), base)
    return tuple(found.values())


def mounts_of(instruction: Instruction) -> tuple[dict[str, str], ...]:
    """The `--mount` flags of a RUN as their keys and values (`type` is bind where it is not said)."""
    mounts = []
    for name, value in instruction.flags:
        if name == "mount":
            mount = {"type": "bind"}
            for part in value.split(","):
                key, _, text = part.partition("=")
                mount[key.strip().lower()] = text
            mounts.append(mount)
    return tuple(mounts)


def is_stage(name: str, stage: Stage, file: Dockerfile) -> bool:
    """Whether `name` is the name or the number of a stage that stands before this one."""
    if name.isascii() and name.isdigit():
        return len(name) < 6 and int(name) < stage.number
    return any(other.name == name.lower() for other in file.stages[: stage.number] if other.name)


def _of(stage: Stage, file: Dockerfile) -> Iterator[Base]:
    if stage.parent < 0 and stage.image != "scratch":
        yield Base(stage.image, stage.origin.line, stage.label, stage.platform, stage.resolved)
    for instruction in stage.instructions:
        inner = instruction.trigger or instruction
        names = [inner.flag("from")] if inner.keyword == "COPY" else []
        if inner.keyword == "RUN":
            names = [mount.get("from", "") for mount in mounts_of(inner)]
        for name in names:
            if not name or name == stage.name or is_stage(name, stage, file) or name.isdigit() or name == "scratch":
                continue
            if is_later(name, stage, file):
                continue
            yield Base(name, instruction.line, stage.label, resolved="$" not in name, by=inner.keyword)


def is_later(name: str, stage: Stage, file: Dockerfile) -> bool:
    """Whether a stage further down has this name: a mistake in the order rather than an image."""
    return any(other.name == name.lower() for other in file.stages[stage.number :] if other.name)
