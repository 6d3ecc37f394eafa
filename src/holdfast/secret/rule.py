r"""The rules as they are written: one TOML file a family, an array of tables `[[rule]]`.

    [family]                      # optional: what the rules of the file have where they say nothing themselves
    why = "…"                     # as well: fix, references, controls, techniques
    fix = "…"

    [[rule]]
    id = "secret.example-token"
    title = "An Example API token"
    severity = "high"             # unknown negligible low medium high critical
    confidence = "high"           # what a match has that passes all its checks
    pattern = '\b(?P<secret>ext_[A-Za-z0-9]{20})\b'
    requires = ["entropy:3.0"]    # checks that drop the match where they fail
    checks = ["example-checksum"] # checks that lower it to low confidence (or drop it: on_failure = "drop")
    matches = ["token = ext_…", { path = "root/.examplerc", text = "…" }]
    ignores = ["ext_too-short"]

How a rule works. Hyperscan looks for `find` in every file at once; each place where one of them ENDS is a candidate.
Around it `pattern` is searched by Python's `re` over bytes: from 256 bytes before the candidate's end (or the longest
that `find` can match) to REACH bytes (8 KiB; `reach`, at most 64 KiB) behind it. A match that begins before the
candidate's end confirms, and its group `secret` is what was left there (without one the whole match).

Where `find` is not given it is derived from `pattern`: look-arounds are dropped, and repetition at its ends is cut to
its minimum. Give `find` where the pattern has a backreference, or where a literal in its midst is the telling part: it
is enough, as the pattern decides. No `find` may match the empty string. Of secrets that overlap, one is told of: of a
specific rule before a generic one, then the surer, then the one whose pattern matched more bytes.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from holdfast.model.errors import InputError
from holdfast.model.finding import Confidence, Rule, Severity
from holdfast.secret.verdict import Check

BEFORE = 256
"""Bytes before a candidate's end where a match may begin; more where a match of `find` itself can be longer."""
REACH = 8 << 10
MOST_REACH = 64 << 10
MOST_FILE_BYTES = 4 << 20
MOST_PATTERN = 4000

DEFAULT_FIX = (
    "Revoke it where it was issued, now: whoever has the image has it. Then keep it out of the image: give it to the "
    "container when it starts (a secret store, a mounted file), or to a build step by a BuildKit secret mount. Build "
    "anew without the layer, because deleting the file in a later layer leaves it in the earlier one."
)
DEFAULT_WHY = (
    "An image is copied to registries, caches and laptops, and everyone who can pull it can read every file of every "
    "layer. A secret inside works for all of them, until it is revoked."
)
DEFAULT_CONTROLS = ("nist-800-190:4.1.4",)
DEFAULT_TECHNIQUES = ("T1552.001",)


class Example(Struct, frozen=True, forbid_unknown_fields=True):
    """A file that a rule matches or ignores. In TOML a plain string is a file of that text, at a path that fits.

    `text` may be a list of pieces that are joined: a key that is split does not alarm other people's scanners.
    `base64` is for content that is no text.
    """

    path: str = ""
    text: str | tuple[str, ...] = ""
    base64: str = ""

    @property
    def content(self) -> bytes:
        """The file's bytes."""
        if self.base64:
            from base64 import b64decode

            return b64decode(self.base64)
        return (self.text if isinstance(self.text, str) else "".join(self.text)).encode(errors="surrogatepass")


class Verification(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """How the issuer is asked whether a secret lives: one request that changes nothing.

    `{secret}` in url, headers and body stands for the secret, `{basic}` for base64 of `secret:` and `{basic_password}`
    for base64 of `:secret` (HTTP basic authentication). `{name}` is the pattern's other group of that name. `alive` and
    `dead` are statuses; where `alive_text` (or `dead_text`) is given the answer's body must hold it as well.
    """

    url: str
    method: Literal["GET", "POST", "HEAD"] = "GET"
    headers: dict[str, str] = {}
    body: str = ""
    alive: tuple[int, ...] = (200,)
    dead: tuple[int, ...] = (401,)
    alive_text: str = ""
    dead_text: str = ""


class SecretRule(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """One rule, as the engine works with it.

    `id`                 `secret.<what-it-is>`
    `title`, `why`, `fix`, `severity`, `references`, `controls`, `techniques`: as in model.finding.Rule
    `confidence`         what a match has when every check holds: high, medium, low
    `pattern`            regular expression over bytes (Python `re`); group `secret` is what was left there
    `find`               Hyperscan expressions whose matches are the candidates; derived from `pattern` where empty
    `near`               regular expression that must match within 256 bytes before or behind the secret (case as
                         written: begin with `(?i)` where it does not matter): for tokens without a telling form
    `requires`           checks that must hold; else it is no finding
    `checks`             checks that lower to low confidence where they fail …
    `on_failure`         … or drop the match: "low" (default) or "drop"
    `paths`              globs over the whole path (`**/.netrc`, `root/*.conf`): looked for there only
    `generic`            true for what is told by a variable's name or by randomness only: not in binaries, minified
                         files, source maps, lock files or documentation, and it loses to any specific rule
    `reach`              bytes behind a candidate's end in which the pattern is searched (private keys need more)
    `verify`             how the issuer is asked whether it lives
    `matches`, `ignores` examples, which the tests run
    """

    id: str
    title: str
    severity: Severity
    pattern: str
    confidence: Confidence = Confidence.HIGH
    why: str = ""
    fix: str = ""
    references: tuple[str, ...] = ()
    controls: tuple[str, ...] = ()
    techniques: tuple[str, ...] = ()
    find: tuple[str, ...] = ()
    near: str = ""
    requires: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()
    on_failure: Literal["low", "drop"] = "low"
    paths: tuple[str, ...] = ()
    generic: bool = False
    reach: int = REACH
    verify: Verification | None = None
    matches: tuple[str | Example, ...] = ()
    ignores: tuple[str | Example, ...] = ()

    @property
    def described(self) -> Rule:
        """The rule in the words that all rooms share."""
        return Rule(
            id=self.id, title=self.title, why=self.why or DEFAULT_WHY, fix=self.fix or DEFAULT_FIX,
            severity=self.severity, controls=self.controls or DEFAULT_CONTROLS,
            techniques=self.techniques or DEFAULT_TECHNIQUES, references=self.references,
        )  # fmt: skip

    def example(self, example: str | Example) -> tuple[str, bytes]:
        """An example's path and content; without a path it stands where the rule looks."""
        if isinstance(example, str):
            example = Example(text=example)
        if example.path:
            return example.path, example.content
        place = self.paths[0].replace("**/", "").replace("*", "x") if self.paths else "srv/app/settings.txt"
        return place, example.content


class Family(Struct, frozen=True, forbid_unknown_fields=True):
    """What the rules of one file have in common, where they say nothing themselves."""

    why: str = ""
    fix: str = ""
    references: tuple[str, ...] = ()
    controls: tuple[str, ...] = ()
    techniques: tuple[str, ...] = ()


class RuleFile(Struct, frozen=True, forbid_unknown_fields=True):
    """One file of rules as it is written."""

    family: Family = Family()
    rule: tuple[SecretRule, ...] = ()


def parse_rules(data: bytes, where: str) -> tuple[SecretRule, ...]:
    """The rules of one file, each checked as far as it can be on its own; InputError names file, rule and remedy."""
    import tomllib

    if len(data) > MOST_FILE_BYTES:
        raise InputError(f"a rule file of more than {MOST_FILE_BYTES >> 20} MiB", where=where)
    try:
        document = tomllib.loads(data.decode())
        content = msgspec.convert(document, RuleFile)
    except (ValueError, RecursionError, msgspec.ValidationError) as error:
        raise InputError(f"not a file of secret rules: {error}", where=where) from error
    for rule in content.rule:
        _validate(rule, where)
    return tuple(_with_family(rule, content.family) for rule in content.rule)


def load_rules(paths: Sequence[Path]) -> tuple[SecretRule, ...]:
    """The rules of several files, in the files' order; InputError, also for an id that is there twice."""
    rules: dict[str, SecretRule] = {}
    for path in paths:
        try:
            data = path.read_bytes()
        except OSError as error:
            raise InputError(f"cannot be read: {error.strerror}", where=str(path)) from error
        for rule in parse_rules(data, path.name):
            if rule.id in rules:
                raise InputError(f"the id {rule.id} stands twice", where=path.name, remedy="give each rule its own")
            rules[rule.id] = rule
    return tuple(rules.values())


def _with_family(rule: SecretRule, family: Family) -> SecretRule:
    given = {name: getattr(rule, name) or getattr(family, name) for name in Family.__struct_fields__}
    return msgspec.structs.replace(rule, **given)


def unknown_checks(rule: SecretRule, checks: dict[str, Check]) -> list[str]:
    """The checks that a rule names and that do not exist."""
    return [name for name in (*rule.requires, *rule.checks) if name.partition(":")[0] not in checks]


def _validate(rule: SecretRule, where: str) -> None:
    def wrong(what: str, remedy: str = "") -> InputError:
        return InputError(f"{rule.id or 'a rule without id'}: {what}", where=where, remedy=remedy)

    if not re.fullmatch(r"secret\.[a-z0-9]+(-[a-z0-9]+)*", rule.id):
        raise wrong("not an id", "write it as secret.example-token")
    if not rule.title:
        raise wrong("has no title")
    if not 1 <= rule.reach <= MOST_REACH:
        raise wrong(f"reaches {rule.reach} bytes", f"at most {MOST_REACH}")
    for name, text in (("pattern", rule.pattern), ("near", rule.near)):
        if len(text) > MOST_PATTERN:
            raise wrong(f"{name} has more than {MOST_PATTERN} characters")
        try:
            compiled = re.compile(text.encode())
        except (re.error, ValueError, OverflowError, RecursionError) as error:
            raise wrong(f"{name} is no regular expression: {error}") from error
        if text and compiled.search(b"") is not None:
            raise wrong(f"{name} matches the empty string")
    if not rule.pattern:
        raise wrong("has no pattern")
    if rule.verify is not None and not rule.verify.url.startswith("https://"):
        raise wrong("the issuer is asked over https only")
