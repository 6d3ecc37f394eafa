"""Passwords that people chose: is it one, or does something stand in its place?"""

import re
from itertools import pairwise
from urllib.parse import unquote_to_bytes

from holdfast.secret.checks.argument import number

_REFERENCE = re.compile(
    rb"[$#%@]\{|\{\{|\}\}|\$\(|%\(\w{1,40}\)|%[sd](?!\w)|%[A-Za-z_]{3,60}%|<[^<>]{1,80}>|^\[[^\[\]]{1,80}\]$|^\{[^{}]{1,80}\}$"
    rb"|^\$(?:[A-Z_][A-Z0-9_]{2,}|[a-z_]{3,})(?![A-Za-z0-9])|^(?:vault|ssm|op|arn|file|env|secret|ref|keyring|sm):|ENC[\[(]|^!vault"
    rb"|^(?:os|process|env|secrets?|var|data|local|self|this|config|settings|params|args|module)[.\[]|getenv"
)
_STAND_IN = re.compile(
    rb"(?i)change.?(?:me|it|this)|example|sample|dummy|placeholder|redacted|censored|replace.?(?:me|this|with)|"
    rb"(?:your|my|our|the|some|any|enter|insert|put|set|add|use)[-_ .]?(?:own[-_ ])?[-_a-z0-9]{0,12}"
    rb"(?:pass(?:word|wd|phrase)?|secret|token|key|api|account|user|here|value)|"
    rb"^tiger|x{4,}|\*{3,}|\.{3,}|-{4,}|_{4,}|0{6,}|1234|abcd|qwert|asdf|dead.?beef|foo.?bar|todo|fixme|lorem|"
    rb"^(?:pass(?:word|wd|phrase)?|secret|token|key|user(?:name)?|admin|root|guest|test(?:ing|er)?|default|none|null|nil|"
    rb"true|false|empty|undefined|string|value|hunter2|unused|invalid|unknown|optional|required|nope|anonymous|letmein)"
    rb"[-_ ]?[0-9!]{0,4}$|"
    rb"^(?:my|test|your|the|super|top|fake|mock|some|not|no|is|new|old|user|db|demo)[-_ ]?(?:a[-_ ]?)?(?:real[-_ ]?)?"
    rb"(?:pass(?:word|wd|phrase)?|secret|token|key|pw|pwd)[-_ ]?[0-9]{0,4}$|"
    rb"test[-_]?(?:pass|secret|token|key|api)|fake|mock|no.?such|not.?a.?real|not.?set|[-_ ]here$|open sesame"
)
_LONGEST_WORDS = 100
_LOGIN_HASH = re.compile(
    rb"\$(?:1\$[^$:]{1,8}\$[./A-Za-z0-9]{22}|5\$(?:rounds=\d{1,9}\$)?[^$:]{1,16}\$[./A-Za-z0-9]{43}"
    rb"|6\$(?:rounds=\d{1,9}\$)?[^$:]{1,16}\$[./A-Za-z0-9]{86}|2[abxy]?\$\d\d\$[./A-Za-z0-9]{53}"
    rb"|(?:y|gy|7)\$[./A-Za-z0-9]{1,40}\$[./A-Za-z0-9]{1,90}\$[./A-Za-z0-9]{43}|apr1\$[^$:]{1,8}\$[./A-Za-z0-9]{22})"
    rb"|\{SHA\}[A-Za-z0-9+/]{27}=|\{SSHA\}[A-Za-z0-9+/=]{32,48}"
)


def is_placeholder(password: bytes) -> bool:
    """Whether this is a word that stands for a password, a reference to one, or a pattern, and none itself."""
    if len(password) > 1024:
        return False
    if _REFERENCE.search(password):
        return True
    # In a long random text one of the short words stands by chance.
    if len(password) <= _LONGEST_WORDS and _STAND_IN.search(password):
        return True
    return len(set(password)) <= 2 or not any(c > 32 for c in password)


def literal(secret: bytes, argument: str) -> str:
    """No placeholder, no variable or template, and at least so many characters (`literal:8`, else 4)."""
    return "" if len(secret) < number(argument, 4) or is_placeholder(secret) else "no placeholder"


def url_password(secret: bytes, _argument: str) -> str:
    """A password out of a URL: no placeholder, and no short word, as documentation has them (`scott:tiger`)."""
    plain = unquote_to_bytes(secret)
    if is_placeholder(plain) or is_placeholder(secret):
        return ""
    short = len(plain) < 3 or (len(plain) < 6 and not any(48 <= c <= 57 for c in plain))
    return "" if short else "no placeholder"


def password(secret: bytes, argument: str) -> str:
    """A password in an assignment: so many characters (`password:8`), no placeholder, no name, path or sentence."""
    if len(secret) < number(argument, 8) or len(secret) > 200 or is_placeholder(secret):
        return ""
    letters = sum(65 <= c <= 90 or 97 <= c <= 122 for c in secret)
    # One kind of character alone is a word, a name (`user_password`), a number; letters alone are mostly a name.
    if (letters == len(secret) and _turns(secret) < 5) or all(97 <= c <= 122 or c in b"_-. :/" for c in secret):
        return ""
    if all(65 <= c <= 90 or c in b"_-. " for c in secret) or all(48 <= c <= 57 or c in b".-:" for c in secret):
        return ""
    if secret.count(b" ") > 1 or secret.startswith((b"/", b"./", b"../", b"http://", b"https://", b"--", b"//")):
        return ""
    # What only names things has its parts joined by dots, arrows, brackets.
    return "" if re.fullmatch(rb"[A-Za-z_][\w.\-]*(?:\(.*\)|\[.*\]|::\w+|->\w+)", secret) else "no placeholder"


def _turns(letters: bytes) -> int:
    """How often small letters and capitals follow one another."""
    return sum((a < 97) != (b < 97) for a, b in pairwise(letters))


def login_hash(secret: bytes, _argument: str) -> str:
    """A hash of crypt(5) or of an htpasswd file, whole: a password can log in, and be guessed at."""
    return "structure" if _LOGIN_HASH.fullmatch(secret) else ""


CHECKS = {"literal": literal, "url-password": url_password, "password": password, "login-hash": login_hash}
