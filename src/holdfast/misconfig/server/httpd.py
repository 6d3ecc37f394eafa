"""Apache httpd: listings, status pages, what it tells of itself."""

from collections.abc import Iterator

from holdfast.misconfig.reading import SettingsReader
from holdfast.misconfig.syntax.ini import is_on
from holdfast.misconfig.syntax.sections import Placed, directives
from holdfast.model.found import Trait

_TALKATIVE = frozenset(("full", "os", "minimal", "min", "minor", "major"))
_PLACES = frozenset(("directory", "directorymatch", "location", "locationmatch", "files", "virtualhost"))
_HANDLERS = frozenset(("server-status", "server-info", "ldap-status", "balancer-manager"))


def httpd(text: str) -> Iterator[Trait]:
    """What the directives of each section come to, the later ones counting."""
    found = list(directives(text))
    listings: dict[int, Placed] = {}
    final: dict[str, Placed] = {}
    handlers: list[Placed] = []
    guarded: set[int] = set()
    for one in found:
        name, words = one.directive.name, [word.lower() for word in one.directive.words]
        if name == "options":
            listed = listings.pop(_section(one), None)
            if (after := _lists(words, listed is not None)) is not False:
                listings[_section(one)] = one if after else listed or one
        elif name in ("servertokens", "traceenable"):
            final[name] = one
        elif name == "sethandler" and words and words[0] in _HANDLERS:
            handlers.append(one)
        elif (name == "require" and words != ["all", "granted"]) or (name == "deny" and words[:1] == ["from"]):
            guarded.add(_section(one))
    for one in listings.values():
        if not _section_path(one).rstrip("/").endswith("/icons"):
            yield Trait("image.httpd-directory-listing", f"Options Indexes for {_where(one)}", one.directive.line)
    for one in handlers:
        if _section(one) not in guarded:
            what = f"{one.directive.value.lower()} at {_where(one)}"
            yield Trait("image.httpd-status-open", what, one.directive.line)
    if (tokens := final.get("servertokens")) and tokens.directive.value.lower() in _TALKATIVE:
        yield Trait("image.httpd-version-shown", f"ServerTokens {tokens.directive.value}", tokens.directive.line)
    trace = final.get("traceenable")
    if trace and (is_on(trace.directive.value) or trace.directive.value.lower() == "extended"):
        yield Trait("image.httpd-trace", f"TraceEnable {trace.directive.value}", trace.directive.line)


def _lists(words: list[str], before: bool) -> bool:
    """Whether a section shows listings after a line of Options; words with + and - change what was before."""
    if all(word[:1] in "+-" for word in words):
        for word in words:
            if word[1:] in ("indexes", "all"):
                before = word[0] == "+"
        return before
    return "indexes" in words or "all" in words


def _section(one: Placed) -> int:
    """The line of the innermost section that names a place; 0 for the server as a whole."""
    return next((outer.line for outer in reversed(one.within) if outer.name in _PLACES), 0)


def _section_path(one: Placed) -> str:
    return next((outer.value for outer in reversed(one.within) if outer.name in _PLACES), "")


def _where(one: Placed) -> str:
    return _section_path(one)[:120] or "the server"


READERS = (
    SettingsReader(
        "httpd", 1,
        (
            "etc/apache2/apache2.conf", "etc/apache2/httpd.conf", "etc/apache2/conf.d/*.conf",
            "etc/apache2/conf-enabled/*.conf", "etc/apache2/mods-enabled/*.conf", "etc/apache2/sites-enabled/*.conf",
            "etc/httpd/conf/*.conf", "etc/httpd/conf.d/*.conf", "**/apache2/conf/httpd.conf", "**/.htaccess",
        ),
        httpd,
    ),
)  # fmt: skip
