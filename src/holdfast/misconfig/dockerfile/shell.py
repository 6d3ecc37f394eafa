"""Shell scripts as far as rules need them: simple commands, their words, how they are joined, and their lines.

Not an interpreter: nothing is expanded, loops are read once, and what is not understood is passed over. Grammar: POSIX,
Shell Command Language; besides it the parts of bash that Dockerfiles use.
"""

import re

from msgspec import Struct
from msgspec.structs import replace

from holdfast.misconfig.dockerfile.budget import DOCKERFILE_BUDGET, DockerfileBudget
from holdfast.misconfig.dockerfile.lexer import REDIRECTS, Lexer, Token, Word


class Redirect(Struct, frozen=True):
    """A redirection: `operator` as written without the descriptor (`>`, `>>`, `<`, `<<<`), and its target."""

    operator: str
    target: Word


class Command(Struct, frozen=True):
    """A simple command: assignments before it, its words (the program first), redirections.

    `offset` is where it begins in the text that was read. `before` and `after` are the operators around it (`&&`, `||`,
    `;`, `|`, a newline, or empty at the ends). Commands of one pipe share `pipe`; `place` counts within it. `depth`
    counts the groups, subshells, functions and compound commands around it; `condition` says that `if`, `while`,
    `until` or `!` takes its status; `inner` that it stood inside another command (`sh -c`, `$(…)`).
    """

    words: tuple[Word, ...]
    assignments: tuple[tuple[str, Word], ...] = ()
    redirects: tuple[Redirect, ...] = ()
    offset: int = 0
    before: str = ""
    after: str = ""
    pipe: int = 0
    place: int = 0
    depth: int = 0
    condition: bool = False
    inner: bool = False

    @property
    def name(self) -> str:
        """The program without its folder; an empty string where there are assignments or redirections only."""
        return self.words[0].text.rsplit("/", 1)[-1] if self.words else ""

    @property
    def arguments(self) -> tuple[str, ...]:
        """The words behind the program."""
        return tuple(word.text for word in self.words[1:])


class Script(Struct, frozen=True):
    """The commands of a script in order. `fault` says what broke its syntax, `cut` that a budget ended the reading."""

    commands: tuple[Command, ...] = ()
    fault: str = ""
    cut: bool = False

    def pipes(self) -> tuple[tuple[Command, ...], ...]:
        """The commands by the pipe they are in, in order; a pipe of one is a command alone."""
        found: dict[int, list[Command]] = {}
        for command in self.commands:
            found.setdefault(command.pipe, []).append(command)
        return tuple(tuple(pipe) for pipe in found.values())


class Meter:
    """Counts commands, words and characters against the budget of one Dockerfile, for all its scripts together."""

    def __init__(self, budget: DockerfileBudget = DOCKERFILE_BUDGET) -> None:
        self.budget = budget
        self.commands, self.words = budget.commands, budget.words
        self.characters = budget.data * 4

    @property
    def spent(self) -> bool:
        """Whether nothing more may be read."""
        return self.commands <= 0 or self.words <= 0 or self.characters <= 0


SHELLS = ("sh", "bash", "dash", "ash", "zsh", "ksh", "mksh")
_OPENS = ("{", "if", "while", "until")
_GOES_ON = ("then", "do", "else", "elif")
_CLOSES = ("}", "fi", "done")
_CONDITIONS = ("if", "while", "until", "elif")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\+?")
# Programs that run the command which follows them: the words of their own (not options) that come first, and the
# options that take a value in the next word.
_RUNNERS = {
    "builtin": (0, ""),
    "chroot": (1, ""),
    "command": (0, ""),
    "doas": (0, "uC"),
    "eatmydata": (0, ""),
    "env": (0, "uCS"),
    "exec": (0, "a"),
    "gosu": (1, ""),
    "nice": (0, "n"),
    "nohup": (0, ""),
    "su-exec": (1, ""),
    "sudo": (0, "ugpChrtT"),
    "time": (0, "fo"),
    "timeout": (1, "ks"),
    "xargs": (0, "InPLdEsa"),
}


def read_script(text: str, meter: Meter | None = None) -> Script:
    """The commands of a script, those inside `$(…)`, `sh -c "…"`, `eval` and behind `sudo`, `env`, `xargs` too."""
    reader = _Reader(meter or Meter())
    reader.read(text, 0, 0, inner=False)
    return Script(tuple(reader.commands), reader.fault, reader.meter.spent)


def read_words(words: tuple[str, ...], meter: Meter | None = None) -> Script:
    """The command of an exec form (no shell looks at it), and the script it gives to a shell, if it does."""
    reader = _Reader(meter or Meter())
    if words:
        reader.add(Command(tuple(Word(word, quoted=True) for word in words), pipe=reader.next_pipe()), 0)
    return Script(tuple(reader.commands), reader.fault, reader.meter.spent)


class _Reader:
    def __init__(self, meter: Meter) -> None:
        self.meter = meter
        self.commands: list[Command] = []
        self.fault = ""
        self._pipe = 0

    def next_pipe(self) -> int:
        self._pipe += 1
        return self._pipe

    def read(self, text: str, base: int, depth: int, *, inner: bool) -> None:
        """Reads a script; where it is `inner`, `base` is the place of the command that holds it."""
        self.meter.characters -= len(text)
        if depth > self.meter.budget.depth or self.meter.spent:
            return
        lexer = Lexer(text)
        builder = _Builder(self, base, depth, inner=inner)
        for token in lexer.tokens():
            if self.meter.spent:
                break
            builder.take(token)
        builder.finish()
        self.fault = self.fault or lexer.fault

    def add(self, command: Command, depth: int) -> None:
        """Keeps a command, and what it runs in turn."""
        self.meter.commands -= 1
        if self.meter.spent:
            return
        self.commands.append(command)
        if depth <= self.meter.budget.depth:
            self._inside(command, depth)

    def _inside(self, command: Command, depth: int) -> None:
        name, arguments = command.name, command.arguments
        if name in SHELLS:
            for at, word in enumerate(arguments[:-1]):
                if word.startswith("-") and not word.startswith("--") and "c" in word:
                    self.read(arguments[at + 1], command.offset, depth + 1, inner=True)
                    break
        elif name == "eval":
            self.read(" ".join(arguments), command.offset, depth + 1, inner=True)
        elif name in _RUNNERS and (start := _runs(name, arguments)):
            self.add(replace(command, words=command.words[start:], redirects=(), inner=True), depth + 1)


def _runs(name: str, arguments: tuple[str, ...]) -> int:
    """Where the command that a runner runs begins among its words; 0 where there is none."""
    own, takes_value = _RUNNERS[name]
    at = 0
    while at < len(arguments):
        word = arguments[at]
        if word == "--":
            at += 1
            break
        if word.startswith("-"):
            at += 2 if len(word) == 2 and word[1] in takes_value else 1
        elif name in ("env", "sudo") and "=" in word:
            at += 1
        elif own:
            own -= 1
            at += 1
        else:
            break
    return at + 1 if at < len(arguments) else 0


class _Builder:
    """Puts tokens together to commands."""

    def __init__(self, reader: _Reader, base: int, depth: int, *, inner: bool) -> None:
        self.reader, self.base, self.depth, self.inner = reader, base, depth, inner
        self.words: list[Word] = []
        self.assignments: list[tuple[str, Word]] = []
        self.redirects: list[Redirect] = []
        self.scripts: list[str] = []
        self.offset = -1
        self.before = ""
        self.redirect = ""
        self.nesting = 0
        self.condition = self.negated = False
        self.skipping = ""  # `for x in …`, `case x in` and a case's patterns are no commands
        self.pipe, self.place = reader.next_pipe(), 0

    def take(self, token: Token) -> None:
        """One token more."""
        if token.operator:
            self._operator(token.operator)
            return
        self.reader.meter.words -= 1
        if self.offset < 0:
            self.offset = token.offset
        self.scripts += token.scripts
        if self.redirect:
            self.redirects.append(Redirect(self.redirect, token.word))
            self.redirect = ""
        elif self.skipping or not self.words:
            self._first(token.word)
        else:
            self.words.append(token.word)

    def finish(self) -> None:
        """The end of the script."""
        self.skipping = "" if self.skipping == "for" else self.skipping
        self._end("")

    def _first(self, word: Word) -> None:
        text = word.text
        if self.skipping:
            if self.skipping == "function":
                self.skipping = ""
                self._clear()
            elif text == "in" and self.skipping == "case":
                self.skipping = "pattern"
            elif text == "esac" and self.skipping == "pattern":
                self.skipping = ""
                self._close()
        elif word.quoted:
            self._word(word)
        elif text in ("for", "select", "case", "function"):
            self.skipping = "for" if text == "select" else text
            self.nesting += text != "function"
        elif text == "!":
            self.negated = True
        elif text in _CLOSES or text == "esac":
            self._close()
        elif text in _OPENS or text in _GOES_ON:
            self.nesting += text in _OPENS
            self.condition = text in _CONDITIONS
            self._clear()
        else:
            self._word(word)

    def _close(self) -> None:
        self.nesting = max(0, self.nesting - 1)
        self._clear()

    def _word(self, word: Word) -> None:
        name, equals, value = word.text.partition("=")
        if equals and not self.words and _NAME.fullmatch(name):
            self.assignments.append((name.rstrip("+"), replace(word, text=value)))
        else:
            self.words.append(word)

    def _operator(self, operator: str) -> None:
        if operator in REDIRECTS:
            self.redirect = operator
        elif operator == "\n" and self.offset < 0 and self.before in ("|", "|&", "&&", "||"):
            return  # the command goes on below
        elif self.skipping == "pattern":
            if operator == ")":
                self.skipping = ""
                self._clear()
        else:
            if operator == "(":
                if self.words:  # `name() {`: a function's name is no command
                    self._clear()
                self.nesting += 1
            self._end(operator)
            if operator == ")":
                self.nesting = max(0, self.nesting - 1)
            elif operator == ";;":
                self.skipping = "pattern"
            elif self.skipping == "for":
                self.skipping = ""

    def _end(self, after: str) -> None:
        """What has come so far is a command, if it is anything; `after` ends it."""
        self.redirect = ""
        offset = self.base if self.inner else max(0, self.offset)
        emitted = not self.skipping and bool(self.words or self.assignments or self.redirects)
        scripts = self.scripts
        if emitted:
            self.reader.add(
                Command(
                    words=tuple(self.words),
                    assignments=tuple(self.assignments),
                    redirects=tuple(self.redirects),
                    offset=offset,
                    before=self.before,
                    after=after,
                    pipe=self.pipe,
                    place=self.place,
                    depth=self.depth + self.nesting,
                    condition=self.condition or self.negated,
                    inner=self.inner,
                ),
                self.depth,
            )
        for script in scripts:
            self.reader.read(script, offset, self.depth + 1, inner=True)
        self._clear()
        if after in ("|", "|&"):
            self.place += 1
        else:
            self.pipe, self.place = self.reader.next_pipe(), 0
            self.negated = False
        if emitted or after != "\n":
            self.before = after

    def _clear(self) -> None:
        self.words, self.assignments, self.redirects, self.scripts = [], [], [], []
        self.offset = -1
