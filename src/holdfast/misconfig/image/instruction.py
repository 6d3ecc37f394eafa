"""The lines of an image's history as the instructions of a Dockerfile, whichever builder wrote them.

BuildKit writes `RUN |1 A=b /bin/sh -c … # buildkit` and `COPY … # buildkit`; Docker's older builder and Buildah
`/bin/sh -c …` for RUN, and `/bin/sh -c #(nop) NAME …` for all others.
"""

import re
from collections.abc import Iterator

from msgspec import Struct

from holdfast.misconfig.syntax.shell import MAX_LENGTH
from holdfast.model.artifact import Image, Layer

_NAMES = frozenset(("ADD", "COPY", "RUN", "ENV", "CMD", "ENTRYPOINT", "USER", "VOLUME", "LABEL", "ARG", "WORKDIR"))
_SHELL = r"(?:/bin/)?(?:sh|bash|ash) (?:-[a-z]{1,8} (?:pipefail )?){1,4}"
_MAX_LINES = 1_000


class Instruction(Struct, frozen=True):
    """One line of the history: `name` in capital letters, `text` what follows; `layer` what it made, if anything."""

    name: str
    text: str
    number: int
    layer: Layer | None = None


def instructions(image: Image) -> Iterator[Instruction]:
    """The instructions in their order, the first thousand; `number` counts the lines of the history from 1."""
    layers = iter(image.layers)
    told = sum(not line.empty for line in image.history) == len(image.layers)
    for number, line in enumerate(image.history[:_MAX_LINES], 1):
        layer = None if line.empty or not told else next(layers, None)
        text = line.created_by[:MAX_LENGTH].strip().removesuffix("# buildkit").rstrip()
        name, rest = _parse(text)
        if name:
            yield Instruction(name, rest, number, layer)


def _parse(text: str) -> tuple[str, str]:
    name, _, rest = text.partition(" ")
    if name in _NAMES and name != "RUN":
        return name, rest.strip()
    text = rest.strip() if name == "RUN" else text
    # Build arguments stand before the shell; their values may be secrets and may hold anything.
    if match := re.search(_SHELL, text[:8_192]) if text.startswith("|") else re.match(_SHELL, text):
        text = text[match.end() :].strip()
    elif text.startswith("|"):
        return "", ""
    if text.startswith("#(nop)"):
        name, _, rest = text.removeprefix("#(nop)").strip().partition(" ")
        return name, rest.strip()
    return "RUN", text
