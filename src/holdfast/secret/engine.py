"""The secret engine: loaded once a scan, shared by its threads."""

import hashlib
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from holdfast.model.finding import Rule
from holdfast.secret.named import NAMED
from holdfast.secret.pack import Pack, fingerprint_of, open_pack, rule_files
from holdfast.secret.paths import PathRules
from holdfast.secret.redact import key_id
from holdfast.secret.session import Session

if TYPE_CHECKING:
    from holdfast.secret.confirm import Compiled
    from holdfast.secret.rule import SecretRule

_MOST_KEPT = 10_000


class Kept(Struct, frozen=True, repr_omit_defaults=True):
    """A secret in memory, to be verified; `groups` is what else its pattern captured. Never stored, never shown."""

    rule: str
    key_id: str
    secret: bytes
    groups: dict[str, bytes]

    def __repr__(self) -> str:
        return f"Kept({self.rule!r}, {self.key_id!r})"


class SecretEngine:
    """Finds secrets in files. It is not changed by what it finds, except for `kept`.

    `fingerprint` is a short stable hash of rules, code and key: the layer cache's. `kept` are the secrets found, where
    the engine was loaded with `keep` (a hit that comes from a cache is not among them: do without one then).
    """

    def __init__(self, pack: Pack, key: bytes, *, keep: bool = False, fingerprint: str = "") -> None:
        self.pack, self._key, self._keep = pack, key, keep
        self.fingerprint = hashlib.sha256(fingerprint.encode() + key).hexdigest()[:16]
        self._compiled: dict[int, Compiled] = {}
        self._paths = PathRules((glob, number) for number, rule in enumerate(pack.rules) for glob in rule.paths)
        self.placed = self._paths.of
        self.kept: dict[tuple[str, str], Kept] = {}

    @property
    def keeps(self) -> bool:
        """Whether the secrets that it finds are kept in memory."""
        return self._keep

    @classmethod
    def load(cls, packs: Path, key: bytes, keep: bool = False) -> "SecretEngine":
        """The engine with the built-in rules. The compiled ones are kept in `packs`; ids are made with `key`.

        InputError where the built-in rules are not in order, which the tests forbid.
        """
        files = rule_files()
        fingerprint = fingerprint_of(files)
        return cls(open_pack(packs, files, fingerprint), key, keep=keep, fingerprint=fingerprint)

    def __repr__(self) -> str:
        return f"SecretEngine({self.fingerprint})"

    def expressions(self) -> tuple[tuple[bytes, int], ...]:
        """All that makes a session look closer at a file, with Hyperscan's flags."""
        from holdfast.secret.pack import expressions
        from holdfast.secret.rule import load_rules

        return tuple((text, 0) for text in expressions(load_rules(rule_files())))

    def session(self) -> Session:
        """A session for one thread and one layer."""
        return Session(self)

    @cached_property
    def rules(self) -> Mapping[str, Rule]:
        """The rules by their ids, in the words that findings are made of (their `why` is in secret.rules())."""
        return {rule.id: rule.described for rule in self.pack.rules} | {NAMED.id: NAMED}

    @cached_property
    def secret_rules(self) -> "Mapping[str, SecretRule]":
        """The rules by their ids, as the engine works with them."""
        return {rule.id: rule for rule in self.pack.rules}

    def compiled(self, number: int) -> "Compiled":
        """A rule ready to confirm, by its place in the pack."""
        # Two threads may both compile a rule at first: it comes to the same.
        if (compiled := self._compiled.get(number)) is None:
            from holdfast.secret.confirm import Compiled

            compiled = self._compiled[number] = Compiled(self.pack.rules[number], self.pack.widths[number])
        return compiled

    def identify(self, rule: str, secret: bytes, groups: dict[str, bytes]) -> str:
        """The keyed id of a secret, which is kept where that is wanted."""
        name = key_id(secret, self._key)
        if self._keep and len(self.kept) < _MOST_KEPT:
            self.kept.setdefault((rule, name), Kept(rule, name, secret, groups))
        return name
