"""Who the container runs as, and who is made in the image."""

import re
from collections.abc import Iterator
from itertools import pairwise

from holdfast.misconfig.dockerfile.breach import Breach
from holdfast.misconfig.dockerfile.view import Run, View
from holdfast.model.finding import Confidence, Severity

_ROOT = ("root", "0")
_NUMBER = re.compile(r"[0-9]{1,10}")
_UNPRIVILEGED = re.compile(
    r"mcr\.microsoft\.com/windows|nanoserver|servercore|nonroot|non-root|rootless|unprivileged|chainguard|bitnami"
)


def check(view: View) -> Iterator[Breach]:
    """The final stage's user, and the accounts that its RUNs make."""
    yield from _user(view)
    for run in view.runs:
        if run.stage.shipped:
            yield from _accounts(run)


def _user(view: View) -> Iterator[Breach]:
    if view.final is None:
        return
    last = view.last("USER")
    if last is None:
        yield from _missing(view)
        return
    stage, instruction = last
    user = instruction.words[0].partition(":")[0]
    if user.lower() in _ROOT:
        yield Breach(
            "root-user",
            instruction.line,
            view.final.label,
            "user",
            f"the last USER is {user}",
            "a user without rights, behind everything that needs root",
            "USER 10001:10001",
        )
    elif not _NUMBER.fullmatch(user) and "$" not in user and stage.shipped and "\\" not in user:
        yield Breach(
            "user-by-name",
            instruction.line,
            view.final.label,
            "user",
            f"USER {user}",
            "the user's number",
            "USER 10001:10001",
        )


def _missing(view: View) -> Iterator[Breach]:
    final = view.final
    assert final is not None
    outermost = view.file.parents(final)[-1]
    if _UNPRIVILEGED.search(outermost.image.lower()) or any(not run.posix for run in view.shipped_runs):
        return
    own = outermost.image == "scratch"
    if own and not (view.last("CMD") or view.last("ENTRYPOINT")):
        return  # made to be copied from, not to be run
    yield Breach(
        "no-user",
        final.origin.line,
        final.label,
        "user",
        "no USER: the container runs as whoever the base says" if not own else "no USER: the container runs as root",
        "a user without rights, as the last that is set",
        "USER 10001:10001",
        Confidence.HIGH if own else Confidence.MEDIUM,
    )


def _accounts(run: Run) -> Iterator[Breach]:
    for call in run.calls:
        arguments = call.arguments
        if call.name in ("useradd", "usermod") and any(
            word in ("-p", "--password") or word.startswith("--password=") for word in arguments
        ):
            yield Breach(
                "password-in-command",
                call.line,
                run.stage.label,
                call.name,
                f"{call.name} is given a password",
                "an account without a password",
            )
        if call.name == "useradd" and "-l" not in arguments and "--no-log-init" not in arguments:
            for option, value in pairwise(arguments):
                if option in ("-u", "--uid") and _NUMBER.fullmatch(value) and int(value) > 65_535:
                    yield Breach(
                        "large-user-id",
                        call.line,
                        run.stage.label,
                        "useradd",
                        f"useradd makes a user with the number {value}, without -l",
                        "-l, or a number up to 65535",
                        severity=Severity.LOW,
                    )
        if call.name == "passwd" and any(word in ("-d", "--delete") for word in arguments):
            yield Breach(
                "empty-password",
                call.line,
                run.stage.label,
                "passwd",
                "passwd -d takes an account's password away",
                "a locked account: passwd -l",
            )
    for pipe in run.pipes():
        if len(pipe) > 1 and pipe[-1].name == "chpasswd" and _speaks(pipe[-2].arguments):
            yield Breach(
                "password-in-command",
                pipe[-1].line,
                run.stage.label,
                "chpasswd",
                "chpasswd is given a password that stands in the file",
                "an account without a password",
            )


def _speaks(words: tuple[str, ...]) -> bool:
    return any(":" in word and "$" not in word.partition(":")[2][:1] for word in words)
