"""Secrets in an image's configuration: its history, environment, labels, build arguments and commands.

Everyone who can pull the image can read these with one command, and no layer hides them. Here a name counts too: what
stands in a variable that is called a password, token, key or secret is believed to be one.
"""

import re
from collections.abc import Iterator
from itertools import islice

from msgspec import Struct

from holdfast.model.artifact import Image
from holdfast.model.finding import Confidence
from holdfast.secret.engine import SecretEngine
from holdfast.secret.finding import Place
from holdfast.secret.hit import SecretHit
from holdfast.secret.named import NAMED, is_named_secret
from holdfast.secret.redact import redacted

MOST_TEXT = 1 << 20  # bytes of one part that are looked at
MOST_PARTS = 20_000

_ASSIGNED = re.compile(
    r"(?:^|[\s;&|(\"'])-{0,2}(?P<name>[A-Za-z_][A-Za-z0-9_.-]{0,99})[=](?:\"(?P<double>[^\"\n]{1,4096})\""
    r"|'(?P<single>[^'\n]{1,4096})'|(?P<bare>[^\s\"';&|]{1,4096}))"
)
_HISTORY_ENV = re.compile(
    r"(?:/bin/sh -c #\(nop\)\s+)?(?:ENV|ARG|LABEL)\s+(?P<name>[A-Za-z_][\w.-]{0,99})\s+(?P<value>\S.{0,4096})"
)


_ARGUMENT = re.compile(r"([A-Za-z_]\w{0,99}=.*?)(?: (?=[A-Za-z_]\w{0,99}=|/bin/|/usr/bin/|sh -c|cmd )|$)", re.DOTALL)


class ConfigurationSecret(Struct, frozen=True, repr_omit_defaults=True):
    """A secret of an image's configuration, whole: for the Mask, and to be dropped after. Never stored, never shown."""

    place: Place
    secret: str

    def __repr__(self) -> str:
        return f"ConfigurationSecret({self.place.place!r})"


def configuration_secrets(image: Image, engine: SecretEngine) -> tuple[ConfigurationSecret, ...]:
    """The secrets in an image's configuration, each with the part that it stands in."""
    session = engine.session()
    found: dict[tuple[str, str, str], ConfigurationSecret] = {}
    for place, name, text in islice(_parts(image), MOST_PARTS):
        text = text[:MOST_TEXT]
        told = session.secrets(_encoded(text))
        for variable, value in _variables(name, text):
            secret = _encoded(value)
            if is_named_secret(variable, value) and not any(one in secret or secret in one for _, one in told):
                told.append((_named(secret, engine), secret))
        for hit, secret in told:
            raw = _decoded(secret)
            found.setdefault((place, hit.rule, hit.key_id), ConfigurationSecret(Place((hit,), place=place), raw))
    return tuple(found.values())


def _named(secret: bytes, engine: SecretEngine) -> SecretHit:
    """A hit that a name alone tells."""
    identified = engine.identify(NAMED.id, secret, {})
    return SecretHit(NAMED.id, redacted(secret), identified, len(secret), 0, Confidence.MEDIUM, checks=("name",))


def _parts(image: Image) -> Iterator[tuple[str, str, str]]:
    """Every text of the configuration: where it stands, the name of its variable (or empty), and what stands there."""
    execution = image.execution
    for line in execution.environment:
        name, _, value = line.partition("=")
        yield f"environment {_shown(name)}", name, f"{name}={value}"
    for key, value in [*image.labels.items(), *image.annotations.items()]:
        yield f"label {_shown(key)}", key, f"{key}={value}"
    for number, history in enumerate(image.history, 1):
        place = f"history {number}"
        arguments, rest = _build_arguments(history.created_by)
        for argument in arguments:
            name, _, _ = argument.partition("=")
            yield f"argument {_shown(name)}", name, argument
        yield place, "", rest
        yield place, "", history.comment
    commands = (
        ("entrypoint", execution.entrypoint), ("command", execution.command), ("health check", execution.health_check),
        ("on-build", execution.on_build), ("user", (image.user,)), ("shell", execution.shell),
        ("working directory", (execution.working_directory,)), ("stop signal", (execution.stop_signal,)),
        ("volumes", execution.volumes), ("exposed ports", execution.exposed_ports),
    )  # fmt: skip
    for place, words in commands:
        yield place, "", " ".join(words)


def _build_arguments(created_by: str) -> tuple[list[str], str]:
    """The build arguments of a history line and what is left of it: `|2 TOKEN=a NAME=b /bin/sh -c make`."""
    mark = re.match(r"(?:RUN )?\|([0-9]{1,3}) ", created_by)
    if mark is None:
        return [], created_by
    text = created_by[mark.end() :]
    arguments = []
    for _ in range(int(mark[1])):
        # A value may hold spaces; the next argument, or the command, begins with what no value is likely to hold.
        found = _ARGUMENT.match(text)
        if found is None:
            break
        arguments.append(found[1])
        text = text[found.end() :]
    return arguments, text


def _variables(name: str, text: str) -> Iterator[tuple[str, str]]:
    """The variables of a text with their values: the one that it is, or those that it sets."""
    if name:
        yield name, text.partition("=")[2].strip("\"'")
        return
    if whole := _HISTORY_ENV.fullmatch(text):
        yield whole["name"], whole["value"].strip("\"'")
    for match in _ASSIGNED.finditer(text):
        yield match["name"], match["double"] or match["single"] or match["bare"]


def _shown(name: str) -> str:
    """A name as it may be shown: short, and printable."""
    return ascii(name[:80])[1:-1]


def _encoded(text: str) -> bytes:
    return text.encode(errors="surrogatepass")


def _decoded(secret: bytes) -> str:
    try:
        return secret.decode(errors="surrogatepass")
    except UnicodeDecodeError:  # cut in the middle of a character
        return secret.decode(errors="replace")
