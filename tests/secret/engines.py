"""Builders: an engine with rules of a test's own, and windows to show it."""

import tempfile
from functools import lru_cache
from pathlib import Path

from holdfast.model.file import Window
from holdfast.secret import SecretEngine, SecretHit
from holdfast.secret.pack import build, packed, unpack
from holdfast.secret.rule import parse_rules

KEY = bytes(range(32))

# No scanner of anybody's may be alarmed by these: the rules of the tests have prefixes of their own.
TOKEN = b"hft_" + b"k3Jq9Zt7Lw2Xn5Vb8Rd1"
OTHER = b"hft_" + b"Q7wE4rT9yU2iO5pA8sD1"

RULES = r"""
[[rule]]
id = "secret.test-token"
title = "A token of the tests"
severity = "high"
pattern = '\b(?P<secret>hft_[A-Za-z0-9]{20})\b'

[[rule]]
id = "secret.test-checked"
title = "A token with a check"
severity = "critical"
pattern = '\b(?P<secret>hfc_[A-Za-z0-9]{8,40})\b'
requires = ["entropy:1.5"]
checks = ["entropy:3.0"]

[[rule]]
id = "secret.test-near"
title = "A token that only its neighbours tell"
severity = "medium"
pattern = '\b(?P<secret>[0-9a-f]{24})\b'
near = '(?i)testvendor'

[[rule]]
id = "secret.test-key"
title = "A private key of the tests"
severity = "critical"
find = ["-----BEGIN TEST KEY-----"]
pattern = '(?P<secret>-----BEGIN TEST KEY-----[A-Za-z0-9+/=\s]{40,}?-----END TEST KEY-----)'
reach = 65536

[[rule]]
id = "secret.test-netrc"
title = "A password in a file of the tests"
severity = "high"
pattern = 'login \w{1,40} word (?P<secret>\S{6,60})'
paths = ["**/.testrc", "etc/test/*.conf"]

[[rule]]
id = "secret.test-assignment"
title = "Something that is assigned"
severity = "medium"
confidence = "medium"
generic = true
pattern = '(?i)(?:passphrase|handshake)["\x27]?\s{0,3}[=:]\s{0,3}["\x27]?(?P<secret>[^\s"\x27]{8,80})'
"""


def engine(rules: str = RULES, *, keep: bool = False, key: bytes = KEY) -> SecretEngine:
    """An engine with these rules, through a pack as it is stored."""
    pack = unpack(packed(build(parse_rules(rules.encode(), "test.toml"))))
    assert pack is not None
    return SecretEngine(pack, key, keep=keep, fingerprint="test")


def window(data: bytes, path: str = "srv/app/settings.conf", inside: str = "") -> Window:
    """A whole file."""
    return Window(path, data, len(data), inside=inside)


def examined(data: bytes, path: str = "srv/app/settings.conf", rules: str = RULES) -> tuple[SecretHit, ...]:
    """What an engine with these rules finds in a file."""
    return engine(rules).session().examine(window(data, path))


@lru_cache(maxsize=1)
def built_in() -> SecretEngine:
    """The engine as it is shipped."""
    with tempfile.TemporaryDirectory() as folder:
        return SecretEngine.load(Path(folder), KEY)
