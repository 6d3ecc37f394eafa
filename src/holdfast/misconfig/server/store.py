"""Caches and message brokers that let in whoever reaches them: Redis, Memcached, RabbitMQ."""

import re
from collections.abc import Iterator

from holdfast.misconfig.reading import SettingsReader
from holdfast.misconfig.server.database import EVERYWHERE
from holdfast.misconfig.syntax.ini import is_off, last, settings
from holdfast.misconfig.syntax.lines import Directive, directives, numbered, words
from holdfast.model.found import Trait

_LOCAL = frozenset(("127.0.0.1", "::1", "-::1", "localhost"))


def redis(text: str) -> Iterator[Trait]:
    """No password and no users, and either every address or no protected mode. Of bind and the like the last counts."""
    final: dict[str, Directive] = {}
    for one in directives(text):
        if one.name == "user" and one.words[:1] == ("default",) and not {"off", ">"}.isdisjoint(_marks(one)):
            return
        final[one.name] = one
    if "aclfile" in final or ((password := final.get("requirepass")) and any(password.words)):
        return
    bind, protected = final.get("bind"), final.get("protected-mode")
    addresses = {word.removeprefix("-") for word in bind.words} if bind else set()
    if bind and not EVERYWHERE.isdisjoint(addresses):
        yield Trait("image.redis-open", f"bind {bind.value[:64]} without requirepass", bind.line)
    elif protected and is_off(protected.value) and not (bind and addresses <= _LOCAL):
        yield Trait("image.redis-open", "protected-mode no without requirepass", protected.line)


def _marks(user: Directive) -> set[str]:
    return {word if word == "off" else word[:1] for word in user.words[1:]}


def memcached(text: str) -> Iterator[Trait]:
    """Listening everywhere without SASL; options one a line (Debian) or in OPTIONS (Red Hat)."""
    found: list[tuple[int, str]] = []
    for number, written in numbered(text):
        if written[0] != "#":
            options = written.partition("OPTIONS=")[2].strip("\"'") if "OPTIONS=" in written else written
            found += [(number, word) for word in words(options)]
    if any(word in ("-S", "--enable-sasl", "-Y") for _, word in found):
        return
    for (line, word), (_, following) in zip(found, [*found[1:], (0, "")], strict=False):
        address = following if word in ("-l", "--listen") else word.removeprefix("--listen=").removeprefix("-l")
        if word.startswith(("-l", "--listen")) and not EVERYWHERE.isdisjoint(address.split(",")):
            yield Trait("image.memcached-open", f"-l {address[:64]} without -S", line)


def rabbitmq(text: str) -> Iterator[Trait]:
    """The user `guest`, whose password everybody knows, let in from other machines."""
    for one in last(settings(text)).values():
        if (one.key == "loopback_users" and is_off(one.value)) or (
            one.key == "loopback_users.guest" and is_off(one.value)
        ):
            yield Trait("image.rabbitmq-guest", f"{one.key} = {one.text}", one.line)
    for number, line in numbered(text):
        if line[0] not in "%#" and re.search(r"\{\s{0,9}loopback_users\s{0,9},\s{0,9}\[\s{0,9}\]", line):
            yield Trait("image.rabbitmq-guest", "{loopback_users, []}", number)


READERS = (
    SettingsReader(
        "redis", 1, ("**/redis.conf", "**/valkey.conf", "**/keydb.conf", "etc/redis/*.conf", "etc/valkey/*.conf"), redis
    ),
    SettingsReader("memcached", 1, ("etc/memcached.conf", "etc/sysconfig/memcached"), memcached),
    SettingsReader("rabbitmq", 1, ("**/rabbitmq.conf", "**/rabbitmq.config", "etc/rabbitmq/conf.d/*.conf"), rabbitmq),
)
