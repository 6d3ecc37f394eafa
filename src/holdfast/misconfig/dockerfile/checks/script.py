"""Shell scripts in RUN that do not do what they look like, or go on when they should not."""

import re
from collections.abc import Iterator

from holdfast.misconfig.dockerfile.breach import Breach
from holdfast.misconfig.dockerfile.checks.download import runs_download
from holdfast.misconfig.dockerfile.view import Call, Run, View
from holdfast.model.finding import Confidence

_POINTLESS = frozenset(
    (
        "free",
        "halt",
        "ifconfig",
        "kill",
        "killall",
        "mount",
        "nano",
        "ps",
        "reboot",
        "service",
        "shutdown",
        "ssh",
        "systemctl",
        "top",
        "umount",
        "vi",
        "vim",
    )
)
# What fails only where nothing works any more: a pipe that begins with these loses nothing.
_HARMLESS = frozenset(("cat", "echo", "false", "printf", "seq", "true", "yes"))
_DEBIAN = re.compile(r"(?:^|[/:-])(?:debian|ubuntu|bookworm|bullseye|buster|trixie|jammy|noble|focal|slim)(?:$|[:@-])")
_BASH = ("[[", "source", "pushd", "popd", "shopt", "declare")
_LOOSE = re.compile(
    r"\$(?:\{([A-Za-z_]\w*)\}|([A-Za-z_]\w*))/(?:\*|(?:bin|etc|home|lib|opt|root|srv|usr|var)(?:/.*)?)?"
)


def check(view: View) -> Iterator[Breach]:
    """Pipes, cd, rm, words of bash, programs without use in a container."""
    for run in view.runs:
        if run.fault:
            yield Breach(
                "broken-script",
                run.instruction.line,
                run.stage.label,
                "RUN",
                run.fault,
                "a script that a shell can read",
                confidence=Confidence.MEDIUM,
            )
            continue
        yield from _pipefail(run)
        yield from _link(run)
        yield from _cd(run)
        yield from _pointless(run)
        yield from _remove(run, view)
        yield from _bash(run, view)


def _sets(run: Run, option: str, letter: str) -> bool:
    """Whether the shell was started with an option, or a `set` in the script turns it on."""
    if any(option in word or (letter and re.fullmatch(rf"-\w*{letter}\w*", word)) for word in run.shell[1:]):
        return True
    return any(
        call.name == "set"
        and any(word == option or (letter and re.fullmatch(rf"-\w*{letter}\w*", word)) for word in call.arguments)
        for call in run.calls
    )


def _pipefail(run: Run) -> Iterator[Breach]:
    if run.instruction.exec_form or _sets(run, "pipefail", ""):
        return
    for pipe in run.pipes():
        own = [call for call in pipe if not call.command.inner]
        if runs_download(pipe):
            continue  # said by another rule, and the worse of the two
        first = [call for call in own[:-1] if call.name not in _HARMLESS and not call.command.condition]
        if len(own) > 1 and first and own[-1].command.after != "||":
            alpine = "alpine" in run.stage.image
            shell = '"/bin/ash", "-eo"' if alpine else '"/bin/bash", "-o"'
            yield Breach(
                "pipe-without-pipefail",
                first[0].line,
                run.stage.label,
                "pipe",
                f"{first[0].name or 'a command'} … | {own[-1].name}: the failure of the first is not seen",
                "pipefail, set before",
                f'SHELL [{shell}, "pipefail", "-c"]',
            )
            return


def _link(run: Run) -> Iterator[Breach]:
    for call in run.calls:
        if call.name == "ln" and any(word in ("/bin/sh", "/usr/bin/sh") for word in call.arguments[1:]):
            yield Breach(
                "shell-replaced-by-link",
                call.line,
                run.stage.label,
                "/bin/sh",
                "ln puts another shell in the place of /bin/sh",
                "SHELL",
                'SHELL ["/bin/bash", "-c"]',
            )


def _cd(run: Run) -> Iterator[Breach]:
    own = run.own
    last = own[-1] if own else None
    if last and last.name == "cd" and not last.command.depth:
        target = last.arguments[0] if last.arguments else "/"
        yield Breach(
            "cd-without-effect",
            last.line,
            run.stage.label,
            f"cd {target}",
            "RUN ends with cd, and the next instruction begins where this one did",
            "WORKDIR",
            f"WORKDIR {target}",
        )
    if run.instruction.exec_form or _sets(run, "errexit", "e"):
        return
    for call in own:
        command = call.command
        if call.name == "cd" and call is not last and command.after in (";", "\n") and not command.condition:
            yield Breach(
                "unchecked-cd",
                call.line,
                run.stage.label,
                f"cd {' '.join(call.arguments)}",
                "where cd fails, the script goes on in another folder",
                "&&, or set -e",
                f"cd {' '.join(call.arguments)} && …",
            )


def _pointless(run: Run) -> Iterator[Breach]:
    for call in run.own:
        if call.name in _POINTLESS and call.command.words[0].text == call.name and not run.instruction.flag("mount"):
            yield Breach(
                "pointless-command",
                call.line,
                run.stage.label,
                call.name,
                f"RUN calls {call.name}",
                "nothing: what it does ends with the RUN",
                confidence=Confidence.MEDIUM,
            )


def _remove(run: Run, view: View) -> Iterator[Breach]:
    if not any(call.name == "rm" for call in run.calls) or _sets(run, "nounset", "u"):
        return
    given = {name for name, value in view.variables(run.stage).items() if value}
    given |= {name for call in run.calls for name, word in call.command.assignments if word.text}
    for call in run.calls:
        if call.name != "rm" or not any(re.fullmatch(r"-\w*[rR]\w*|--recursive", word) for word in call.arguments):
            continue
        for word in call.command.words[1:]:
            found = _LOOSE.fullmatch(word.text[:512])
            name = (found[1] or found[2]) if found else ""
            if name and name not in given:
                yield Breach(
                    "remove-from-unset-variable",
                    call.line,
                    run.stage.label,
                    f"rm ${name}",
                    f"rm -r {word.text}: deletes from the root where {name} is empty",
                    "a variable that may not be empty",
                    f'rm -rf "${{{name}:?}}/…"',
                )


def _bash(run: Run, view: View) -> Iterator[Breach]:
    outermost = view.file.parents(run.stage)[-1]
    if run.instruction.exec_form or run.shell != ("/bin/sh", "-c") or not _DEBIAN.search(outermost.image.lower()):
        return
    own = run.own
    fed = any(call.part == 0 for call in own)
    if not fed and any(heredoc.content.startswith("#!") for heredoc in run.instruction.heredocs):
        return
    if any(call.name == "ln" and "/bin/sh" in call.arguments for call in run.calls):
        return
    for call in own:
        found = _of_bash(call) if not (fed and call.part) else ""
        if found:
            yield Breach(
                "bash-syntax-in-sh",
                call.line,
                run.stage.label,
                found,
                f"{found} is of bash, and /bin/sh is dash here",
                "a shell that knows it",
                'SHELL ["/bin/bash", "-o", "pipefail", "-c"]',
                Confidence.MEDIUM,
            )


def _of_bash(call: Call) -> str:
    first = call.command.words[0].text if call.command.words else ""
    if first in _BASH:
        return first
    if first == "set" and "pipefail" in call.arguments:
        return "set -o pipefail"
    for redirect in call.command.redirects:
        if redirect.operator in ("&>", "&>>", "<<<"):
            return redirect.operator
    return "<(…)" if any(word.text.startswith(("<(", ">(")) for word in call.command.words) else ""
