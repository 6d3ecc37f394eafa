"""nginx: listings, status pages, aliases and proxies that reach further than they should, old TLS."""

import re
from collections.abc import Iterator, Sequence

from holdfast.misconfig.reading import SettingsReader
from holdfast.misconfig.syntax.braces import Statement, statements
from holdfast.misconfig.syntax.ini import is_on
from holdfast.model.found import Trait

_OLD_TLS = frozenset(("sslv2", "sslv3", "tlsv1", "tlsv1.1"))
_GUARDS = frozenset(("allow", "deny", "auth_basic", "auth_request", "internal", "auth_jwt"))
# What stands for the host of the request, or for a part of the address that its sender chose.
_CHOSEN = r"https?://[^/]{0,200}\$\{?(?:host|http_\w+|arg_\w+|cookie_\w+|\d)\b"


def nginx(text: str) -> Iterator[Trait]:
    """What each statement opens; of two alike in one block the later one counts."""
    found = statements(text)
    final = {(one.block, one.name): one for one in found if not one.opens}
    guarded = {one.block for one in found if one.name in _GUARDS}
    for one in final.values():
        if one.name == "autoindex" and is_on(one.value):
            yield Trait("image.nginx-directory-listing", "autoindex on", one.line)
        elif one.name == "ssl_protocols" and (old := [word for word in one.words if word.lower() in _OLD_TLS]):
            yield Trait("image.nginx-old-tls", f"ssl_protocols {' '.join(old[:4])}", one.line)
        elif one.name == "alias" and _is_traversal(one):
            yield Trait(
                "image.nginx-alias-traversal", f"location {_location(one)} with alias {one.value[:80]}", one.line
            )
        elif one.name in ("root", "alias") and one.value in ("/", "/etc", "/etc/", "/root", "/root/"):
            yield Trait("image.nginx-root-directory", f"{one.name} {one.value}", one.line)
        elif one.name == "proxy_pass" and (host := re.match(_CHOSEN, one.value)):
            yield Trait("image.nginx-open-proxy", f"proxy_pass {_variable(host[0])}", one.line)
        elif one.name == "stub_status" and not is_guarded(one, guarded):
            yield Trait("image.nginx-status-open", f"stub_status in {_location(one) or 'a server'}", one.line)
        elif one.name == "user" and not one.within and one.words[:1] == ("root",):
            yield Trait("image.nginx-root-worker", "user root", one.line)
    yield from _version(found)


def _version(found: Sequence[Statement]) -> Iterator[Trait]:
    """nginx names its version unless told not to, in the block `http` or below."""
    tokens = [one for one in found if one.name == "server_tokens"]
    shown = next((one for one in reversed(tokens) if is_on(one.value)), None)
    if shown:
        yield Trait("image.nginx-version-shown", "server_tokens on", shown.line)
    elif not tokens and (http := next((one for one in found if one.name == "http" and one.opens), None)):
        yield Trait("image.nginx-version-shown", "server_tokens is not off", http.line)


def is_guarded(one: Statement, guarded: set[int]) -> bool:
    """Whether a block around the statement, the file apart, asks who comes."""
    return any(outer.opens in guarded for outer in one.within)


def _is_traversal(one: Statement) -> bool:
    """`location /x` with `alias /y/`: a request for `/x../` leads above /y."""
    if not one.within or one.within[-1].name != "location" or not one.value.endswith("/"):
        return False
    words = one.within[-1].words
    prefix = words[1:] if words[:1] == ("^~",) else words
    return len(prefix) == 1 and prefix[0].startswith("/") and not prefix[0].endswith("/")


def _location(one: Statement) -> str:
    return next((outer.value[:80] for outer in reversed(one.within) if outer.name == "location"), "")


def _variable(address: str) -> str:
    return address[address.rfind("$") :]


READERS = (
    SettingsReader(
        "nginx", 1,
        ("**/nginx.conf", "**/nginx/conf.d/*.conf", "**/nginx/http.d/*.conf", "**/nginx/default.d/*.conf",
            "**/nginx/sites-enabled/*", "**/nginx/templates/*.template",), nginx,
    ),
)  # fmt: skip
