"""A parsed Dockerfile as the checks look at it: stages, and what each RUN calls."""

from collections.abc import Iterator, Mapping
from functools import cached_property

from msgspec import Struct

from holdfast.misconfig.dockerfile.budget import DOCKERFILE_BUDGET, DockerfileBudget
from holdfast.misconfig.dockerfile.context import Context
from holdfast.misconfig.dockerfile.shell import SHELLS, Command, Meter, Script, read_script, read_words
from holdfast.misconfig.dockerfile.syntax import Dockerfile, Heredoc, Instruction, Stage
from holdfast.misconfig.dockerfile.words import SyntaxFault, json_words

_WINDOWS = ("windows/", "nanoserver", "servercore", "powershell:")


class Call(Struct, frozen=True):
    """A command that RUN executes, and the line it stands on. `part` tells the scripts of one RUN apart."""

    command: Command
    line: int
    part: int = 0

    @property
    def name(self) -> str:
        """The program without its folder."""
        return self.command.name

    @property
    def arguments(self) -> tuple[str, ...]:
        """The words behind the program."""
        return self.command.arguments


class Run(Struct, frozen=True):
    """A RUN of a stage: the calls in it, in order, and the shell that reads it.

    `posix` is false where the shell is not of the family of sh: then nothing is known of what it calls. `exec_form`
    ones have no shell. `fault` says what broke the script's syntax.
    """

    instruction: Instruction
    stage: Stage
    shell: tuple[str, ...]
    calls: tuple[Call, ...]
    posix: bool = True
    fault: str = ""
    cut: bool = False

    @property
    def own(self) -> tuple[Call, ...]:
        """The calls that stand in the RUN itself, not inside another command."""
        return tuple(call for call in self.calls if not call.command.inner)

    def pipes(self) -> tuple[tuple[Call, ...], ...]:
        """The calls by the pipe they are in."""
        found: dict[tuple[int, int], list[Call]] = {}
        for call in self.calls:
            found.setdefault((call.part, call.command.pipe), []).append(call)
        return tuple(tuple(pipe) for pipe in found.values())


class View:
    """What checks get: the file, the build context where it is known, and each stage's RUNs."""

    def __init__(
        self, file: Dockerfile, context: Context | None = None, budget: DockerfileBudget = DOCKERFILE_BUDGET
    ) -> None:
        self.file = file
        self.context = context
        self._meter = Meter(budget)
        self._variables: dict[int, dict[str, str | None]] = {}

    @cached_property
    def runs(self) -> tuple[Run, ...]:
        """Every RUN of every stage, in order."""
        return tuple(run for stage in self.file.stages for run in self._of(stage))

    @cached_property
    def shipped_runs(self) -> tuple[Run, ...]:
        """The RUNs whose files end in the image."""
        return tuple(run for run in self.runs if run.stage.shipped)

    @property
    def final(self) -> Stage | None:
        """The last stage: what is built unless another is asked for."""
        return self.file.stages[-1] if self.file.stages else None

    def variables(self, stage: Stage) -> Mapping[str, str | None]:
        """What ENV and ARG set in a stage and its parents of this file, by name; the nearest counts."""
        if stage.number not in self._variables:
            found: dict[str, str | None] = {}
            for parent in reversed(self.file.parents(stage)):
                for instruction in parent.all("ENV", "ARG"):
                    found.update((pair.name, pair.value) for pair in instruction.pairs)
            self._variables[stage.number] = found
        return self._variables[stage.number]

    def last(self, keyword: str) -> tuple[Stage, Instruction] | None:
        """The last instruction of this kind that takes effect in the final stage, parents of this file included."""
        if self.final is None:
            return None
        for stage in self.file.parents(self.final):
            if found := stage.all(keyword):
                return stage, found[-1]
        return None

    def _of(self, stage: Stage) -> Iterator[Run]:
        shell = self._shell_before(stage)
        for instruction in stage.instructions:
            if instruction.keyword == "SHELL":
                shell = instruction.words
            elif instruction.keyword == "RUN":
                yield self._run(instruction, stage, shell)

    def _shell_before(self, stage: Stage) -> tuple[str, ...]:
        for parent in self.file.parents(stage)[1:]:
            if shells := parent.all("SHELL"):
                return shells[-1].words
        outermost = self.file.parents(stage)[-1]
        windows = any(part in outermost.image.lower() for part in _WINDOWS) or outermost.platform.startswith("windows")
        return ("cmd", "/S", "/C") if windows else ("/bin/sh", "-c")

    def _run(self, instruction: Instruction, stage: Stage, shell: tuple[str, ...]) -> Run:
        if instruction.exec_form:
            script = read_words(instruction.words, self._meter)
            return Run(instruction, stage, shell, tuple(_calls(script, instruction)), cut=script.cut)
        if not is_posix(shell):
            return Run(instruction, stage, shell, (), posix=False)
        scripts: list[tuple[Script, Heredoc | None]] = [(read_script(instruction.text, self._meter), None)]
        scripts += [
            (read_script(heredoc.content, self._meter), heredoc) for heredoc in _fed(scripts[0][0], instruction)
        ]
        calls = [
            call
            for part, (script, heredoc) in enumerate(scripts)
            for call in _calls(script, instruction, heredoc, part)
        ]
        fault = next((script.fault for script, _ in scripts if script.fault), "")
        return Run(instruction, stage, shell, tuple(calls), fault=fault, cut=any(script.cut for script, _ in scripts))


def is_posix(shell: tuple[str, ...]) -> bool:
    """Whether a SHELL is one of the family of sh."""
    return bool(shell) and shell[0].rsplit("/", 1)[-1] in SHELLS


def called_by(instruction: Instruction) -> tuple[Call, ...]:
    """What a CMD, ENTRYPOINT, HEALTHCHECK or an ONBUILD RUN calls."""
    if instruction.exec_form:
        return tuple(_calls(read_words(instruction.words), instruction))
    text = instruction.text
    if instruction.keyword == "HEALTHCHECK":
        text = text.partition(" ")[2]
    return tuple(_calls(read_script(text), instruction))


def looks_like_exec_form(instruction: Instruction) -> bool:
    """Whether the arguments begin as a JSON array and are none, so that a shell gets the brackets."""
    text = instruction.text
    if instruction.keyword == "HEALTHCHECK":
        text = text.partition(" ")[2].strip()
    if instruction.exec_form or not text.startswith("[") or text.startswith(("[ ", "[[")):
        return False
    try:
        return json_words(text) is None
    except SyntaxFault:
        return True


def _fed(script: Script, instruction: Instruction) -> list[Heredoc]:
    """The heredocs of a RUN that a shell of the family of sh reads."""
    fed = not script.commands or any(
        command.name in SHELLS and all(word.startswith("-") and "c" not in word for word in command.arguments)
        for command in script.commands
    )
    found = []
    for heredoc in instruction.heredocs if fed else ():
        first = heredoc.content.split("\n", 1)[0]
        interpreter = first[2:].split()[-1:] if first.startswith("#!") else ["sh"]
        if interpreter and interpreter[0].rsplit("/", 1)[-1].startswith((*SHELLS, "-")):
            found.append(heredoc)
    return found


def _calls(script: Script, instruction: Instruction, heredoc: Heredoc | None = None, part: int = 0) -> Iterator[Call]:
    at, line = 0, heredoc.line if heredoc else 0
    for command in script.commands:
        if heredoc is None:
            line = instruction.line_at(command.offset)
        elif command.offset > at:
            line += heredoc.content.count("\n", at, command.offset)
            at = command.offset
        yield Call(command, line, part)
