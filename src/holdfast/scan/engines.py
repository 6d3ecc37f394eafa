"""The engines of a scan: what reads single files, and what looks into all of them."""

import hashlib
import re
import threading
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from holdfast.fs.archive import ZIP_END
from holdfast.fs.reader import Reader
from holdfast.fs.select import Selector
from holdfast.model.file import Entry
from holdfast.model.found import Trait
from holdfast.model.status import Problem
from holdfast.scan.content import Examination

if TYPE_CHECKING:
    from holdfast.malware import MalwareEngine
    from holdfast.scan.options import Wanted
    from holdfast.scan.sieve import Sieve, Strainer
    from holdfast.secret import SecretEngine
    from holdfast.settings import Settings

PACKAGES, VULNERABILITIES, SECRETS, MALWARE, CONFIGURATION = (
    "packages", "vulnerabilities", "secrets", "malware", "configuration",
)  # fmt: skip
ENGINES = (PACKAGES, VULNERABILITIES, SECRETS, MALWARE, CONFIGURATION)

_ZIP_END = re.escape(ZIP_END)
PACKS = "packs"
"""The folder of compiled rules, in the data folder."""

Marks = Callable[[Entry], tuple[Trait, ...]]


class Engines:
    """What looks at the files of every layer; shared by the threads that read them.

    `secrets` looks into files where `secrets_wanted`, and into what reports quote of an image in any case. `marks`
    tells what an entry's own bits say; None where the configuration is not looked at. Compiled rules are kept in
    `packs`.
    """

    def __init__(
        self,
        readers: Iterable[Reader],
        secrets: "SecretEngine",
        malware: "MalwareEngine | None" = None,
        marks: Marks | None = None,
        *,
        packs: Path,
        secrets_wanted: bool = True,
    ) -> None:
        self._packs, self._lock = packs, threading.Lock()
        self._sieve: Sieve | None = None
        self.selector = Selector(tuple(readers))
        self.secrets, self.secrets_wanted = secrets, secrets_wanted
        self.malware, self.marks = malware, marks

    @cached_property
    def fingerprint(self) -> str:
        """What changes when any engine may find something else in the same bytes."""
        secrets = self.secrets.fingerprint if self.secrets_wanted else ""
        parts = (self.selector.fingerprint, secrets, self.malware.fingerprint if self.malware else "", bool(self.marks))
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]

    def examination(self, strainer: "Strainer | None" = None) -> Examination | None:
        """What looks into the files of one layer, in one thread; None where nothing does."""
        secrets = self.secrets.session() if self.secrets_wanted else None
        malware = self.malware.session() if self.malware else None
        return Examination(secrets, malware, strainer) if secrets or malware else None

    def strainer(self) -> "Strainer | None":
        """What a layer flows through before its files are looked at; None where nothing looks into files."""
        if not self.secrets_wanted and self.malware is None:
            return None
        with self._lock:
            if self._sieve is None:
                from holdfast.scan.sieve import Sieve

                name = f"sieve-{self.fingerprint}.pack"
                self._sieve = Sieve.load(self._packs, name, self._expressions)
        return self._sieve.strainer()

    def _expressions(self) -> list[tuple[tuple[bytes, int], ...]]:
        secrets = self.secrets.expressions() if self.secrets_wanted else ()
        return [secrets, self.malware.expressions() if self.malware else (), ((_ZIP_END, 0),)]


def open_engines(settings: "Settings", wanted: "Wanted") -> tuple[Engines, list[Problem]]:
    """The engines that are wanted, and what of the user's own rules or lists cannot be used."""
    problems: list[Problem] = []
    readers: list[Reader] = []
    marks, malware, packs = None, None, settings.data / PACKS
    if wanted.engines & {PACKAGES, VULNERABILITIES, CONFIGURATION}:  # what is installed is a part of how it is set up
        from holdfast.catalog import CATALOGERS

        readers += CATALOGERS
    if CONFIGURATION in wanted.engines:
        from holdfast import misconfig

        readers += misconfig.READERS
        marks = misconfig.marks
    secrets, doubt = open_secrets(settings, keep=wanted.verify)
    if MALWARE in wanted.engines:
        from holdfast.malware import MalwareEngine

        bad, good = _digests(wanted.known_bad), _digests(wanted.known_good)
        secrets_in = partial(_secrets_in, secrets)
        malware = MalwareEngine.load(packs, wanted.malware_rules, bad, good, secrets_in=secrets_in)
        problems += malware.problems
    problems += (doubt,) if doubt and SECRETS in wanted.engines else ()
    return Engines(readers, secrets, malware, marks, packs=packs, secrets_wanted=SECRETS in wanted.engines), problems


def open_secrets(settings: "Settings", *, keep: bool = False) -> tuple["SecretEngine", Problem | None]:
    """The engine for secrets, and what is amiss with the key that it makes their ids with; see SecretEngine.load."""
    from holdfast.secret.engine import SecretEngine
    from holdfast.secret.key import fingerprint_key

    key, doubt = fingerprint_key(settings.data)
    return SecretEngine.load(settings.data / PACKS, key, keep=keep), doubt


def _secrets_in(engine: "SecretEngine", data: bytes) -> list[bytes]:
    return [secret for _, secret in engine.session().secrets(data)]


def _digests(files: Sequence[Path]) -> frozenset[str]:
    from holdfast.malware.digests import read_digests

    return frozenset(digest for file in files for digest in read_digests(file))
