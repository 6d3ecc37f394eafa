"""A Dockerfile's bytes to its instructions and stages, as BuildKit reads them; what is wrong becomes a Problem.

Source of facts: moby/buildkit, frontend/dockerfile/parser, frontend/dockerfile/instructions and docs/reference.md.
"""

import re

from msgspec.structs import replace

from holdfast.misconfig.dockerfile.budget import DOCKERFILE_BUDGET, DockerfileBudget
from holdfast.misconfig.dockerfile.expand import TooLarge, expand
from holdfast.misconfig.dockerfile.lines import LineReader, LogicalLine
from holdfast.misconfig.dockerfile.syntax import Dockerfile, Instruction, Pair, Stage
from holdfast.misconfig.dockerfile.words import SPACES, SyntaxFault, json_words, name_values, split_flags, split_words
from holdfast.model.status import Gravity, Problem

_FLAGS: dict[str, tuple[str, ...]] = {
    "FROM": ("platform",),
    "RUN": ("mount", "network", "security", "device"),
    "COPY": ("from", "chown", "chmod", "link", "parents", "exclude"),
    "ADD": ("chown", "chmod", "link", "keep-git-dir", "checksum", "exclude", "unpack"),
    "HEALTHCHECK": ("interval", "timeout", "start-period", "start-interval", "retries"),
}
_LISTS = ("COPY", "ADD", "VOLUME")
_TEXTS = ("USER", "WORKDIR", "STOPSIGNAL", "MAINTAINER")
_COMMANDS = ("RUN", "CMD", "ENTRYPOINT", "SHELL")
KEYWORDS = frozenset((*_FLAGS, *_LISTS, *_TEXTS, *_COMMANDS, "ARG", "ENV", "LABEL", "EXPOSE", "ONBUILD"))
"""Every instruction that there is."""
_STAGE_NAME = re.compile(r"[a-z][a-z0-9._-]*")
_MANY = 50  # problems that are told one by one


def parse(data: bytes, budget: DockerfileBudget = DOCKERFILE_BUDGET) -> Dockerfile:
    """The Dockerfile in these bytes. Never raises: what cannot be read becomes a Problem whose `where` is the line."""
    return _Parser(data, budget).run()


class _Parser:
    def __init__(self, data: bytes, budget: DockerfileBudget) -> None:
        self.budget = budget
        self.lines = LineReader(data, budget)
        self.faults: list[tuple[int, str]] = []
        self.exceeded: set[str] = set()
        self.left = budget.expanded
        self.globals: dict[str, str | None] = {}
        self.values: dict[str, str | None] = {}  # of the stage: ARG and ENV
        self.environment: dict[str, str | None] = {}  # of the stage: ENV alone
        self.environments: list[dict[str, str | None]] = []  # of each finished stage
        self.before: list[Instruction] = []
        self.stages: list[Stage] = []
        self.body: list[Instruction] = []
        self.comments: list[tuple[int, str]] = []

    def run(self) -> Dockerfile:
        count = 0
        for line in self.lines:
            count += 1
            if count > self.budget.instructions:
                self.exceeded.add("instructions")
                break
            try:
                instruction = self._instruction(line, line.text.strip(SPACES), 0)
            except SyntaxFault as fault:
                self.faults.append((line.line, str(fault)))
                self.comments += line.comments
                continue
            if instruction.keyword == "FROM":
                if len(self.stages) >= self.budget.stages:
                    self.exceeded.add("stages")
                    break
                self._close()
                self._open(instruction)
            elif self.stages:
                self.body.append(instruction)
            else:
                self.before.append(instruction)
                if instruction.keyword != "ARG":
                    self.faults.append((line.line, f"{instruction.keyword} stands before the first FROM"))
        self._close()
        if not self.stages:
            self.faults.append((1, "the file has no FROM"))
        return Dockerfile(
            self.lines.directives,
            self.lines.escape,
            tuple(self.before),
            self._ships(),
            tuple(self.comments + self.lines.comments),
            self._problems(),
        )

    def _problems(self) -> tuple[Problem, ...]:
        faults = sorted(self.faults + self.lines.faults)
        remedy = "mend the line, docker build refuses it too"
        problems = [
            Problem("dockerfile.syntax", what, Gravity.PARTIAL, f"line {line}", remedy) for line, what in faults[:_MANY]
        ]
        if len(faults) > _MANY:
            rest = len(faults) - _MANY
            problems.append(Problem("dockerfile.syntax", "more lines cannot be read", count=rest, remedy=remedy))
        if self.lines.cut:
            self.exceeded.add("bytes or lines")
        problems += [
            Problem("dockerfile.limit", f"the Dockerfile has more {what} than are read", remedy="make the file shorter")
            for what in sorted(self.exceeded)
        ]
        return tuple(problems)

    def _ships(self) -> tuple[Stage, ...]:
        shipped, at = set(), len(self.stages) - 1
        while at >= 0:
            shipped.add(at)
            at = self.stages[at].parent
        last = len(self.stages) - 1
        return tuple(
            replace(stage, final=stage.number == last, shipped=stage.number in shipped) for stage in self.stages
        )

    def _close(self) -> None:
        if self.stages:
            self.stages[-1] = replace(self.stages[-1], instructions=tuple(self.body))
            self.environments.append(self.environment)
        self.body = []

    def _open(self, origin: Instruction) -> None:
        words = origin.words
        name = words[2].lower() if len(words) == 3 else ""
        image, parent = words[0], -1
        for stage in reversed(self.stages):
            if stage.name and stage.name == image.lower():
                parent = stage.number
                break
        self.environment = dict(self.environments[parent]) if parent >= 0 else {}
        self.values = dict(self.environment)
        resolved = not (origin.unresolved & set(_names(image)))
        platform = origin.flag("platform")
        self.stages.append(Stage(len(self.stages), name, image, origin, (), parent, platform, resolved))

    def _instruction(self, line: LogicalLine, text: str, depth: int) -> Instruction:
        """The instruction in `text`, which ends the logical line: all of it, or what follows ONBUILD."""
        keyword = text.split(None, 1)[0].upper() if text else ""
        if keyword not in KEYWORDS:
            raise SyntaxFault("an instruction that is not known" if keyword else "an instruction is missing")
        rest = text[len(keyword) :].strip(SPACES)
        if keyword == "ONBUILD":
            if depth:
                # Kept, so that a rule can name it: BuildKit refuses it.
                return Instruction("ONBUILD", line.line, line.last, rest)
            trigger = self._instruction(line, rest, depth + 1)
            return Instruction("ONBUILD", line.line, line.last, rest, comments=line.comments, trigger=trigger)
        flags, begin = split_flags(rest)
        if keyword not in _FLAGS:
            flags, begin = [], 0
        for name, _ in flags:
            if name not in _FLAGS[keyword]:
                self.faults.append((line.line, f"{keyword} has a flag that is not known"))
        rest = rest[begin:].strip(SPACES)
        shift = len(line.text.rstrip(SPACES)) - len(rest)
        starts = tuple((max(0, start - shift), number) for start, number in line.starts)
        builder = _Arguments(self, keyword, rest, applies=not depth)
        return Instruction(
            keyword,
            line.line,
            line.last,
            rest,
            tuple((name, builder.expanded(value)) for name, value in flags),
            *builder.read(),
            heredocs=line.heredocs,
            starts=starts,
            comments=line.comments if not depth else (),
            unresolved=frozenset(builder.unresolved),
            type=builder.type,
        )


def _names(text: str) -> list[str]:
    return re.findall(r"[A-Za-z_][A-Za-z0-9_]*", text) if "$" in text else []


class _Arguments:
    """Takes the arguments of one instruction apart; what ARG and ENV set takes effect unless it is a trigger's."""

    def __init__(self, parser: _Parser, keyword: str, text: str, *, applies: bool) -> None:
        self.parser, self.keyword, self.text, self.applies = parser, keyword, text, applies
        self.values = parser.values if parser.stages and keyword != "FROM" else parser.globals
        self.unresolved: set[str] = set()
        self.type = ""

    def read(self) -> tuple[tuple[str, ...], tuple[Pair, ...], bool]:
        """Words, pairs, and whether the arguments stood in exec form."""
        keyword, text = self.keyword, self.text
        if not text and keyword not in ("CMD", "ENTRYPOINT"):
            raise SyntaxFault(f"{keyword} needs an argument")
        if keyword in ("ENV", "LABEL", "ARG"):
            return (), self._pairs(), False
        if keyword == "FROM":
            return self._from(), (), False
        if keyword in _TEXTS:
            return (self.expanded(text).strip(SPACES),), (), False
        if keyword == "EXPOSE":
            return tuple(word for part in text.split() for word in self.split(part)), (), False
        if keyword == "HEALTHCHECK":
            return self._health()
        words = json_words(text)
        if keyword in _LISTS:
            parts = words if words is not None else tuple(text.split())
            if keyword != "VOLUME" and len(parts) < 2:
                raise SyntaxFault(f"{keyword} needs a source and a destination")
            return tuple(self.expanded(part) for part in parts), (), words is not None
        if keyword == "SHELL" and not words:
            raise SyntaxFault("SHELL needs a JSON array of strings")
        return words or (), (), words is not None

    def _from(self) -> tuple[str, ...]:
        parts = self.text.split()
        if len(parts) not in (1, 3) or (len(parts) == 3 and parts[1].upper() != "AS"):
            raise SyntaxFault("FROM takes an image, and may end with `AS name`")
        if len(parts) == 3 and not _STAGE_NAME.fullmatch(parts[2].lower()):
            raise SyntaxFault("the stage's name is not one: it begins with a letter, then letters, digits, `-_.`")
        image = self.expanded(parts[0])
        if not image:
            raise SyntaxFault("the image that FROM names is empty after its variables are put in")
        return (image, *parts[1:])

    def _health(self) -> tuple[tuple[str, ...], tuple[Pair, ...], bool]:
        kind, *rest = self.text.split(None, 1)
        self.type = kind.upper()
        if self.type not in ("CMD", "NONE"):
            self.type = ""
            raise SyntaxFault("HEALTHCHECK takes CMD or NONE")
        if self.type == "NONE" and rest:
            raise SyntaxFault("HEALTHCHECK NONE takes nothing more")
        if self.type == "CMD" and not rest:
            raise SyntaxFault("HEALTHCHECK CMD needs a command")
        words = json_words(rest[0]) if rest else None
        return words or (), (), words is not None

    def _pairs(self) -> tuple[Pair, ...]:
        escape = self.parser.lines.escape
        raw: list[tuple[str, str | None]] = []
        if self.keyword == "ARG":
            for word in split_words(self.text, escape):
                name, equals, given = word.partition("=")
                raw.append((name, given if equals else None))
        else:
            raw += name_values(self.text, escape, self.keyword)
        pairs = []
        for written, value in raw:
            name = self.expanded(written) if self.keyword == "LABEL" else written
            pairs.append(Pair(name, value, None if value is None else self.expanded(value)))
            if self.keyword == "ARG" and self.applies:
                self._argument(pairs[-1])
        if self.keyword == "ENV" and self.applies:
            for pair in pairs:
                # A value that hangs on what is not known is itself not known.
                known = None if pair.raw and self.unresolved & set(_names(pair.raw)) else pair.value
                self.parser.values[pair.name] = self.parser.environment[pair.name] = known
        return tuple(pairs)

    def _argument(self, pair: Pair) -> None:
        parser = self.parser
        value = None if pair.raw and self.unresolved & set(_names(pair.raw)) else pair.value
        if not parser.stages:
            parser.globals[pair.name] = value
        elif pair.name not in parser.environment:
            parser.values[pair.name] = parser.globals.get(pair.name) if pair.value is None else value

    def expanded(self, text: str) -> str:
        """The text with variables and quotes worked out; as it stands where that would grow too large."""
        return self._expansion(text)[0]

    def split(self, text: str) -> tuple[str, ...]:
        """The same, split at the spaces that variables brought."""
        return self._expansion(text)[1]

    def _expansion(self, text: str) -> tuple[str, tuple[str, ...]]:
        escape = self.parser.lines.escape
        if "$" not in text and escape not in text and "'" not in text and '"' not in text:
            return text, (text,)
        if self.parser.left <= 0:
            self.parser.exceeded.add("expanded variables")
            return text, (text,)
        try:
            found = expand(text, self.values, escape, self.parser.budget)
        except TooLarge:
            self.parser.exceeded.add("expanded variables")
            self.unresolved.update(_names(text))
            self.parser.left -= self.parser.budget.value
            return text, (text,)
        self.parser.left -= len(text) + len(found.text)
        self.unresolved.update(found.unresolved)
        return found.text, found.words
