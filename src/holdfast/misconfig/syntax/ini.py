"""Sections of `key = value`: my.cnf, php.ini, pip.conf, yum's and npm's settings, properties."""

from collections.abc import Iterator

from msgspec import Struct

from holdfast.misconfig.syntax.lines import numbered

_ON = frozenset(("1", "on", "yes", "true", "enabled", "stdout"))
_OFF = frozenset(("0", "off", "no", "false", "none", "disabled"))


class Setting(Struct, frozen=True, gc=False):
    """One setting: `key` and `section` in lower case, `value` without quotes; None where there is no `=` or `:`."""

    section: str
    key: str
    value: str | None
    line: int

    @property
    def text(self) -> str:
        """The value, empty where there is none."""
        return self.value or ""


def settings(text: str, *, separators: str = "=", comments: str = "#;!") -> Iterator[Setting]:
    """The settings in their order. A key on its own is one as well; `key[]` and the like are kept as they are."""
    section = ""
    for number, line in numbered(text):
        if line[0] in comments:
            continue
        if line[0] == "[":
            section = line[1:].partition("]")[0].strip().lower()
            continue
        at = min((found for mark in separators if (found := line.find(mark)) >= 0), default=-1)
        if at < 0:
            yield Setting(section, _bare(line, comments).lower(), None, number)
        else:
            yield Setting(section, line[:at].strip().lower(), unquoted(_bare(line[at + 1 :], comments)), number)


def last(found: Iterator[Setting]) -> dict[tuple[str, str], Setting]:
    """The setting that counts for each section and key: the last one."""
    return {(one.section, one.key): one for one in found}


def is_on(value: str | None) -> bool:
    """Whether a value switches something on."""
    return value is not None and value.strip().lower() in _ON


def is_off(value: str | None) -> bool:
    """Whether a value switches something off."""
    return value is not None and value.strip().lower() in _OFF


def unquoted(value: str) -> str:
    """A value without the quotes around it."""
    value = value.strip()
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'" else value


def _bare(value: str, comments: str) -> str:
    """Without a comment behind it; one begins after white space and outside quotes."""
    value = value.strip()
    if value[:1] and value[0] in "\"'":
        end = value.find(value[0], 1)
        return value[: end + 1] if end > 0 else value
    for at in range(len(value)):
        if value[at] in comments and (at == 0 or value[at - 1] in " \t"):
            return value[:at].strip()
    return value
