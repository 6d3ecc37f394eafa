"""Variables that are secrets by their names alone."""

import re

from holdfast.model.finding import Rule, Severity
from holdfast.secret.rule import DEFAULT_CONTROLS, DEFAULT_FIX

NAMED = Rule(
    id="secret.named-variable",
    title="A variable of the image's configuration is called a secret and has a value",
    why=(
        "Environment, labels and build arguments are part of the image: `docker inspect` and `docker history` show "
        "them to everyone who can pull it, and every process of the container inherits its environment. The name of "
        "this one says that its value should be known to few."
    ),
    fix=DEFAULT_FIX,
    severity=Severity.HIGH,
    controls=DEFAULT_CONTROLS,
    techniques=("T1552.001",),
    references=("https://docs.docker.com/build/building/secrets/",),
)

_NAME = re.compile(
    r"(?i)(?:.*[_.-])?(?:[a-z0-9]{0,20}(?:password|passwd|secret|apikey)|pass(?:word|wd|phrase|code)?|pwd|secret|token|credentials?|api_?key|(?:access|auth|private|"
    r"secret|encryption|signing|master|admin|account|service|shared|license|deploy|session|app|jwt|client|db|root|user)"
    r"[_.-]?(?:key|secret|password|passwd|token|pwd))(?:[_.-]?(?:\d{1,3}|base|value|hash|default|prod|dev))?"
)
# Names that hold where a secret is, how long it lives or how it looks; and public ones.
_NOT_NAME = re.compile(
    r"(?i).*(?:public|pub_?key|_file|_path|_dir|_url|_uri|_id|_name|_length|_len|_size|_ttl|_expiry|_expires?|_type|"
    r"_policy|_algorithm|_header|_field|_enabled|_required|gpg_?keys?|_key_?id|key_?server|_sha\d*|_fingerprint|"
    r"keyring|cache_?key|sort_?key|primary_?key|foreign_?key|host_?key|allow_empty_password|_endpoint)"
)
_NOT_VALUE = re.compile(
    r"(?i)(?:true|false|yes|no|on|off|none|null|nil|\d{1,5}|/\S*|\./\S*|https?://[^@\s]*|file:\S*|[\w./-]+\.(?:pem|key|crt|"
    r"txt|json|ya?ml|conf|cfg|ini|jks|p12)|.*\$[({A-Za-z].*|/run/secrets/.*)"
)
_PGP = re.compile(r"(?:0x)?[0-9A-F]{16,40}(?:\s+(?:0x)?[0-9A-F]{16,40})*")


def is_named_secret(name: str, value: str) -> bool:
    """Whether a variable is called a secret and has a value that may be one."""
    from holdfast.secret.context import is_placeholder

    if not 4 <= len(value) <= 4096 or not _NAME.fullmatch(name[:200]) or _NOT_NAME.fullmatch(name[:200]):
        return False
    if _NOT_VALUE.fullmatch(value) or _PGP.fullmatch(value) or " " in value.strip():
        return False
    return not is_placeholder(value.encode(errors="surrogatepass"))
