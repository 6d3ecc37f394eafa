"""Tomcat: users, the manager application, connectors, listings."""

from collections.abc import Iterator

from holdfast.misconfig.reading import SettingsReader
from holdfast.misconfig.syntax.ini import is_on
from holdfast.misconfig.syntax.markup import elements
from holdfast.model.found import Trait

# What guides and scanners know by heart.
_GUESSED = frozenset(
    (
        "", "tomcat", "admin", "password", "s3cret", "secret", "manager", "changeit", "changeme", "root", "test",
        "123456", "12345678", "qwerty", "role1", "both", "admin123", "tomcat123", "password1", "welcome1", "letmein",
    )
)  # fmt: skip
_LOOPBACK = frozenset(("127.0.0.1", "::1", "localhost", "0:0:0:0:0:0:0:1", "[::1]"))
_VALVES = ("RemoteAddrValve", "RemoteCIDRValve", "RemoteHostValve")


def users(text: str) -> Iterator[Trait]:
    """Users whose password anybody would try first; the user is named, the password is not."""
    for one in elements(text):
        if one.name != "user":
            continue
        name = one.attributes.get("username", one.attributes.get("name", ""))
        password = one.attributes.get("password")
        if password is not None and (password.lower() in _GUESSED or password == name):
            roles = one.attributes.get("roles", "")[:80]
            yield Trait(
                "image.tomcat-weak-password", f"user {name[:64]}" + (f", roles {roles}" if roles else ""), one.line
            )


def server(text: str) -> Iterator[Trait]:
    """Connectors that trust whoever reaches them, and the shutdown port."""
    for one in elements(text):
        values = one.attributes
        if one.name == "Connector" and "ajp" in values.get("protocol", "").lower():
            secret = values.get("secret") or values.get("requiredSecret")
            if not secret and values.get("address", "") not in _LOOPBACK:
                yield Trait(
                    "image.tomcat-ajp-open", f"AJP on port {values.get('port', '')[:6]} without secret", one.line
                )
        elif one.name == "Server" and values.get("port", "-1") != "-1" and values.get("shutdown", "") == "SHUTDOWN":
            yield Trait("image.tomcat-shutdown-port", f"port {values['port'][:6]}, the usual word", one.line)


def application(text: str) -> Iterator[Trait]:
    """The manager's own context, which has to say from where it may be used."""
    if not any(one.name == "Valve" and one.attributes.get("className", "").endswith(_VALVES) for one in elements(text)):
        yield Trait("image.tomcat-manager-open", "a manager application without RemoteAddrValve", 1)


def web(text: str) -> Iterator[Trait]:
    """Listings by the default servlet."""
    name = ""
    for one in elements(text):
        if one.name == "param-name":
            name = one.text
        elif one.name == "param-value" and name == "listings" and is_on(one.text):
            yield Trait("image.tomcat-directory-listing", "listings true", one.line)


READERS = (
    SettingsReader("tomcat-users", 1, ("**/tomcat-users.xml",), users),
    SettingsReader("tomcat-server", 1, ("**/conf/server.xml", "etc/tomcat*/server.xml"), server),
    SettingsReader(
        "tomcat-application", 1,
        ("**/webapps/manager/META-INF/context.xml", "**/webapps/host-manager/META-INF/context.xml"), application,
    ),
    SettingsReader("tomcat-web", 1, ("**/conf/web.xml", "**/WEB-INF/web.xml", "etc/tomcat*/web.xml"), web),
)  # fmt: skip
