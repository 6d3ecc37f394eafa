"""What is no finding, or a doubtful one: placeholders, documented examples, files that hold such by their nature."""

import hashlib
import re
from functools import lru_cache
from typing import NamedTuple

from holdfast.model.finding import Confidence

LONGEST_LINE = 4000
"""Bytes of a line beyond which a file is taken for minified."""

# Words that stand where a secret should: as the whole value, between its separators, or anywhere in it.
_WHOLE = re.compile(
    rb"(?i)(?:change|replace|insert|enter|set|put|add|use|paste|fill)[ _.-]?(?:me|this|it|here|your|with)[\w .-]{0,60}"
    rb"|(?:your|my|the|a|an|some|any|valid|real|actual)[ _.-][\w .-]{0,60}"
    rb"|(?:todo|fixme|tbd|none|null|nil|undefined|true|false|empty|unset|default|n/?a|secret|token|password|passwd|pass"
    rb"|hidden|masked|removed|placeholder|foo|bar|foobar|test|testing|dummy|fake|sample|string|value)[\d!._-]{0,6}"
)
_PART = re.compile(
    rb"(?i)\$\{[a-z_]|\$\([a-z_]|\{\{|example|placeholder|redacted|change[_-]?me|change[_-]?this|replace[_-]?(?:me|with)|your[_-]?(?:own[_-]?)?"
    rb"(?:api|access|secret|auth|token|key|password|client)|insert[_-]?(?:your|here)|dummy|sample[_-]?(?:key|token|secret)"
    rb"|fake[_-]?(?:key|token|secret|password)|not[_-]?(?:a[_-]?)?(?:real|valid|secret)|lorem|deadbeef|s3cr3t_here"
)
_TEMPLATE = re.compile(
    rb"\$\{[^}]*\}?|\$\([^)]*\)?|\$[A-Za-z_]\w*|\{\{.*|\{%.*|<[^<>]{1,80}>|\{[A-Za-z_][\w.]*\}|%[A-Za-z_]\w*%"
    rb"|%\([A-Za-z_]\w*\)s?|\[[A-Za-z_ -]+\]|@[A-Za-z_]\w*@|__[A-Za-z_]\w*__|%[sd]|#\{[^}]*\}?"
    rb"|(?:process\.env|os\.environ|os\.getenv|getenv|env|secrets|vars|vault|ENV)[.\[(].*"
)
_REPEATED = re.compile(rb"(.)\1{7}|[xX*#._-]{6}", re.DOTALL)
_ROWS = (
    b"abcdefghijklmnopqrstuvwxyz", b"ABCDEFGHIJKLMNOPQRSTUVWXYZ", b"01234567890123456789", b"98765432109876543210",
    b"qwertyuiop", b"asdfghjkl", b"QWERTYUIOP",
)  # fmt: skip
_ROW = 8

# Keys that vendors print in their documentation and emulators, as the first 16 hex digits of their SHA-256.
_DOCUMENTED = frozenset(
    {
        "0011cc25eb432071",  # Azurite and Azure storage emulator
        "aa6547439583c3a2",  # Azure Cosmos DB emulator
        "2cafc0970149a84f",  # Stripe's API reference
        "f2d6ca16515033e5",  # Stripe's API reference, older
        "7e8de44ea9ecf6d5",  # Stripe's samples
        "7f75367e78812551",  # jwt.io
        "da816f9f2c16e6c5",  # jwt.io, older
        "c6ea27c534f993d3",  # AWS
        "78314b11be2e5815",  # AWS secret
        "8d4ef6536dc8895f",  # RFC 7519 jwt
    }
)

_DOCUMENTATION = re.compile(
    r"(?:.*/)?usr/(?:local/)?share/(?:doc|man|info|licenses|gtk-doc|help|doc-base|javadoc|ri|common-licenses|vim|zsh"
    r"|bash-completion|fish|nano|mime|zoneinfo|perl(?:/[\d.]+)?/pod)/.*|(?:.*/)?(?:man|doc|docs)/man\d[^/]*/.*"
    r"|.*\.pod|.*\.(?:dist-info|egg-info)/(?:METADATA|PKG-INFO)|(?:.*/)?usr/lib/[^/]+/perl(?:-base)?/.*\.pod"
)
_SHIPPED = re.compile(
    r"(?:.*/)?(?:site-packages|dist-packages|node_modules|go/pkg/mod|gems|perl5?|vendor/bundle|\.cargo/registry"
    r"|cargo/registry|\.m2/repository|usr/(?:local/)?lib/python[\d.]+|usr/(?:local/)?go(?:-[\d.]+)?/(?:src|test|misc|pkg)"
    r"|usr/lib/go[^/]*|usr/share/go[^/]*|usr/share/(?:perl[^/]*|python3?|nodejs|ruby[^/]*|php|java|tcltk|mysql-test|postgresql[^/]*)"
    r"|usr/lib/(?:ruby|php|R|jvm|rustlib|node_modules)|opt/(?:java|conda)[^/]*)/.*"
)
_TEST = re.compile(
    r"(?:.*/)?(?:[\w.-]*tests?|testdata|testing|test[_-][\w.-]+|fixtures?|specs?|__tests__|__fixtures__|examples?|samples?"
    r"|mocks?|demos?|benchmarks?|bench|docs?|tutorials?)/.*|(?:.*/)?(?:test_[^/]*|conftest\.py|example_[^/]*)"
    r"|.*[._-](?:test|tests|spec|examples?|sample|mock)\.[\w.]+|.*\.(?:md|rst|example|sample|template|tmpl|dist)",
    re.IGNORECASE,
)
_MADE = re.compile(
    r".*\.(?:map|min\.js|min\.css|min\.mjs|bundle\.js|chunk\.js|po|pot|mo|gmo|pyi|svg|css|lock|sum|woff2?|ipynb|snap)"
    r"|(?:.*/)?(?:package-lock\.json|npm-shrinkwrap\.json|pnpm-lock\.yaml|packages\.lock\.json|bun\.lockb?|RECORD|md5sums"
    r"|[\w.-]*\.md5sums|[\w.-]*SHA\d*SUMS|deps\.json)|.*\.deps\.json|(?:.*/)?(?:locales?|i18n|translations?|l10n)/.*"
    r"|(?:.*/)?var/lib/(?:dpkg|apt|rpm)/.*|lib/apk/db/.*|(?:.*/)?usr/share/(?:locale|i18n|zoneinfo|mime|icons)/.*"
)
_DIGEST_BEFORE = re.compile(rb"(?i)(?:sha(?:1|224|256|384|512)|md5|integrity|checksum|digest|hash)[-:=\"' ]{1,4}$")


class Nature(NamedTuple):
    """What a path says of its file: read by people, part of shipped software, of its tests, or made by a program."""

    documentation: bool
    shipped: bool
    test: bool
    made: bool


@lru_cache(maxsize=1024)
def nature_of(path: str) -> Nature:
    """What a path says of its file."""
    return Nature(*(bool(one.fullmatch(path[-1000:])) for one in (_DOCUMENTATION, _SHIPPED, _TEST, _MADE)))


def judged(nature: Nature, confidence: Confidence, *, generic: bool) -> tuple[Confidence | None, str]:
    """The confidence that is left of a match in such a file, None where it is none; and why it is lower."""
    if generic and (nature.documentation or nature.made or (nature.shipped and nature.test)):
        return None, ""
    if nature.documentation:
        return Confidence.LOW, "in documentation"
    if nature.shipped and nature.test:
        return Confidence.LOW, "in tests or examples of shipped software"
    if nature.shipped and generic:
        return Confidence.LOW, "in shipped software"
    if nature.test and generic:
        return Confidence.LOW, "in a test, example or template"
    return confidence, ""


def is_placeholder(secret: bytes) -> bool:
    """Whether what stands there only shows where a secret would, or is a key that its vendor documents."""
    if len(secret) > 4096:
        return False
    bare = secret.strip(b" \t\"'`")
    if _WHOLE.fullmatch(bare) or _TEMPLATE.fullmatch(bare):
        return True
    if len(secret) <= 512 and (_PART.search(secret) or _is_monotonous(secret)):
        return True
    return hashlib.sha256(secret).hexdigest()[:16] in _DOCUMENTED


def is_digest(data: bytes, start: int) -> bool:
    """Whether what stands right before says that a digest follows."""
    return bool(_DIGEST_BEFORE.search(data, max(0, start - 24), start))


def is_minified(data: bytes, start: int, end: int) -> bool:
    """Whether the line around a match is longer than people write."""
    first = data.rfind(b"\n", max(0, start - LONGEST_LINE), start)
    last = data.find(b"\n", end, end + LONGEST_LINE)
    left = start - first if first >= 0 else min(start, LONGEST_LINE)
    right = last - end if last >= 0 else min(len(data) - end, LONGEST_LINE)
    return left + right >= LONGEST_LINE


def is_commented(data: bytes, start: int) -> bool:
    """Whether a comment of XML is open: files of settings come with examples that are commented out."""
    low = max(0, start - LONGEST_LINE)
    return data.rfind(b"<!--", low, start) > data.rfind(b"-->", low, start)


_TELLING = 8


def _is_monotonous(secret: bytes) -> bool:
    """One byte over and over, few of them, or a row of the alphabet or the keyboard."""
    tail = secret.rpartition(b"_")[2]  # what is behind a prefix, unless an underscore is one of the token's own
    body = tail if len(tail) >= _TELLING else secret
    if len(set(body)) <= max(2, min(len(body) // 12, 6)) or (len(secret) < 200 and _REPEATED.search(secret)):
        return True
    return any(
        secret[place : place + _ROW] in row
        for place in range(min(len(secret), 128) - _ROW + 1)
        for row in _ROWS
        if secret[place] in row
    )
