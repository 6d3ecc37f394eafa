"""What a Dockerfile is made of, after it is parsed: instructions with their lines, and stages."""

from bisect import bisect_right

from msgspec import Struct

from holdfast.model.status import Problem


class Heredoc(Struct, frozen=True):
    """A here-document of RUN, COPY or ADD: its delimiter, its lines, and the first of them in the file.

    `chomp` is `<<-` (leading tabs go away), `expand` whether the delimiter stood without quotes.
    """

    name: str
    content: str
    line: int
    chomp: bool = False
    expand: bool = True


class Pair(Struct, frozen=True):
    """A name and what is given to it in ENV, LABEL or ARG.

    `raw` is the value as written, `value` after variables and quotes; both are None for an `ARG NAME` alone.
    """

    name: str
    raw: str | None
    value: str | None


class Instruction(Struct, frozen=True):
    """One instruction: its keyword in capitals, first and last line, and its arguments.

    `text` is what follows keyword and flags, with continued lines joined; `words` are the arguments as this keyword
    splits them, variables expanded where BuildKit does so; `pairs` those of ENV, LABEL and ARG. `exec_form` says that
    the arguments were a JSON array. `starts` are (offset into `text`, line) of each physical line. `comments` are
    (line, text) of the comments directly above and within. `trigger` is what ONBUILD holds back. `unresolved` are the
    names of variables that this file gives no value to. `type` is HEALTHCHECK's CMD or NONE.
    """

    keyword: str
    line: int
    last: int
    text: str = ""
    flags: tuple[tuple[str, str], ...] = ()
    words: tuple[str, ...] = ()
    pairs: tuple[Pair, ...] = ()
    exec_form: bool = False
    heredocs: tuple[Heredoc, ...] = ()
    starts: tuple[tuple[int, int], ...] = ()
    comments: tuple[tuple[int, str], ...] = ()
    trigger: "Instruction | None" = None
    unresolved: frozenset[str] = frozenset()
    type: str = ""

    def flag(self, name: str) -> str:
        """The value of the last flag of this name; an empty string where it is absent."""
        return next((value for key, value in reversed(self.flags) if key == name), "")

    def line_at(self, offset: int) -> int:
        """The line of the file that the character of `text` at this offset stands on."""
        place = bisect_right(self.starts, offset, key=lambda start: start[0])
        return self.starts[place - 1][1] if place else self.line


class Stage(Struct, frozen=True):
    """From one FROM to the next.

    `image` is what FROM names after expansion, `parent` the number of the earlier stage where it is one of those (else
    -1). `resolved` says that every variable in it has a value. `shipped` is true for the last stage and those it is
    built on: what they hold ends in the image. `platform` is what `--platform` says.
    """

    number: int
    name: str
    image: str
    origin: Instruction
    instructions: tuple[Instruction, ...]
    parent: int = -1
    platform: str = ""
    resolved: bool = True
    final: bool = False
    shipped: bool = False

    @property
    def label(self) -> str:
        """How findings name the stage: its name, `final`, or its number."""
        return self.name or ("final" if self.final else str(self.number))

    def all(self, *keywords: str) -> tuple[Instruction, ...]:
        """The stage's instructions of these kinds, in order."""
        return tuple(instruction for instruction in self.instructions if instruction.keyword in keywords)


class Dockerfile(Struct, frozen=True):
    """A parsed Dockerfile: directives (name → value), ARGs before the first FROM, stages, and what was wrong.

    `before` are all instructions before the first FROM, those that do not belong there too. `escape` is the character
    that escapes and continues lines. `comments` are those that belong to no instruction.
    """

    directives: dict[str, str]
    escape: str
    before: tuple[Instruction, ...]
    stages: tuple[Stage, ...]
    comments: tuple[tuple[int, str], ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def instructions(self) -> tuple[Instruction, ...]:
        """Every instruction in the order of the file, each FROM among them."""
        inside = (part for stage in self.stages for part in (stage.origin, *stage.instructions))
        return (*self.before, *inside)

    def parents(self, stage: Stage) -> tuple[Stage, ...]:
        """The stage and those of this file that it is built on, nearest first."""
        chain = [stage]
        while chain[-1].parent >= 0:
            chain.append(self.stages[chain[-1].parent])
        return tuple(chain)
