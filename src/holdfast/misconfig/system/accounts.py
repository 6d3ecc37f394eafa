"""Accounts and groups: passwd(5), shadow(5), group(5), gshadow(5)."""

from collections.abc import Iterator

from holdfast.misconfig.reading import SettingsReader
from holdfast.misconfig.syntax.lines import numbered
from holdfast.model.found import Trait

ACCOUNT = "account"
"""The fact that an account is there; its value reads `name uid gid home shell`."""

_MAX_NAME = 64
_MOST_ACCOUNTS = 120
_SHELLS = frozenset(("sh", "bash", "ash", "dash", "zsh", "ksh", "csh", "tcsh", "fish"))
_FIRST_PERSON = 1000  # the first uid that useradd(8) gives to people; 65534 is nobody
_WEAK = {"$1$": "MD5", "_": "DES", "$3$": "NT"}


def _rows(text: str, least: int) -> Iterator[tuple[int, list[str]]]:
    for number, line in numbered(text):
        fields = line.split(":")
        if len(fields) >= least and fields[0] and line[0] not in "#+-":
            yield number, [field[:256] for field in fields]


def _id(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 10 else -1


def passwd(text: str) -> Iterator[Trait]:
    """The accounts, and what is wrong among them."""
    names: dict[str, int] = {}
    ids: dict[int, str] = {}
    told = 0
    for line, fields in _rows(text, 4):
        name, uid = fields[0][:_MAX_NAME], _id(fields[2])
        home, shell = (fields[5], fields[6]) if len(fields) > 6 else ("", "")
        if told < _MOST_ACCOUNTS:
            told += 1
            yield Trait(ACCOUNT, f"{name} {uid} {_id(fields[3])} {home or '/'} {shell}", line)
        if not fields[1]:
            yield Trait("image.empty-password", f"account {name}", line)
        if name in names:
            yield Trait("image.duplicate-id", f"account {name} stands twice", line)
        names[name] = line
        if uid == 0 and name != "root":
            yield Trait("image.second-root-account", f"account {name} has uid 0", line)
        elif uid in ids and uid >= 0:
            yield Trait("image.duplicate-id", f"uid {uid}: {ids[uid]}, {name}", line)
        ids.setdefault(uid, name)
        if 0 < uid < _FIRST_PERSON and shell.rpartition("/")[2] in _SHELLS:
            yield Trait("image.service-account-shell", f"{name}: {shell}", line)


def group(text: str) -> Iterator[Trait]:
    """Groups that stand twice."""
    names: set[str] = set()
    ids: dict[int, str] = {}
    for line, fields in _rows(text, 3):
        name, gid = fields[0][:_MAX_NAME], _id(fields[2])
        if name in names:
            yield Trait("image.duplicate-id", f"group {name} stands twice", line)
        elif gid >= 0 and gid in ids:
            yield Trait("image.duplicate-id", f"gid {gid}: {ids[gid]}, {name}", line)
        names.add(name)
        ids.setdefault(gid, name)


def shadow(text: str) -> Iterator[Trait]:
    """Passwords that are empty, or that every container of the image shares."""
    for line, fields in _rows(text, 2):
        name, password = fields[0][:_MAX_NAME], fields[1]
        if not password:
            yield Trait("image.empty-password", f"account {name}", line)
        elif password[0] not in "*!x" and len(password) >= 13:
            weak = next((kind for start, kind in _WEAK.items() if password.startswith(start)), "")
            weak = weak or ("" if password[0] == "$" else "DES")
            yield Trait("image.account-password", f"account {name}" + (f", hashed with {weak}" if weak else ""), line)


def gshadow(text: str) -> Iterator[Trait]:
    """Groups that stand twice. An empty password lets nobody in: newgrp(1) then asks for membership."""
    names: set[str] = set()
    for line, fields in _rows(text, 4):
        name = fields[0][:_MAX_NAME]
        if name in names:
            yield Trait("image.duplicate-id", f"group {name} stands twice", line)
        names.add(name)


READERS = (
    SettingsReader("gshadow", 1, ("etc/gshadow",), gshadow),
    SettingsReader("passwd", 1, ("etc/passwd",), passwd),
    SettingsReader("group", 1, ("etc/group",), group),
    SettingsReader("shadow", 1, ("etc/shadow",), shadow),
)
