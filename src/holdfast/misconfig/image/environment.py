"""Variables and options of the command that open what the program keeps closed by itself."""

from collections.abc import Callable, Iterator

from holdfast.misconfig.finding import finding
from holdfast.misconfig.scene import Scene
from holdfast.misconfig.syntax.ini import is_off, is_on
from holdfast.model.finding import Finding

LOADED, TLS, UNVERIFIED, NO_PASSWORD, DEBUG, TRUST = (
    "image.preloaded-code", "image.tls-verification-off", "image.unverified-packages",
    "image.environment-no-password", "image.debug-mode", "image.content-trust-off",
)  # fmt: skip


def _any(value: str) -> bool:
    return bool(value)


def _is(*words: str) -> Callable[[str], bool]:
    return lambda value: value.strip().lower() in words


def _is_set(value: str) -> bool:
    return value.strip().lower() not in ("", "0", "no", "false", "off")


_VARIABLES: dict[str, tuple[str, Callable[[str], bool]]] = {
    "LD_PRELOAD": (LOADED, _any),
    "LD_AUDIT": (LOADED, _any),
    "PYTHONINSPECT": (LOADED, _is_set),
    "PYTHONSTARTUP": (LOADED, _any),
    "NODE_TLS_REJECT_UNAUTHORIZED": (TLS, _is("0")),
    "GIT_SSL_NO_VERIFY": (TLS, _is_set),
    "PIP_TRUSTED_HOST": (TLS, _any),
    "PYTHONHTTPSVERIFY": (TLS, _is("0")),
    "NPM_CONFIG_STRICT_SSL": (TLS, is_off),
    "YARN_ENABLE_STRICT_SSL": (TLS, is_off),
    "GOINSECURE": (TLS, _any),
    "GOSUMDB": (UNVERIFIED, _is("off")),
    "CURL_INSECURE": (TLS, _is_set),
    "MYSQL_ALLOW_EMPTY_PASSWORD": (NO_PASSWORD, _is_set),
    "MARIADB_ALLOW_EMPTY_ROOT_PASSWORD": (NO_PASSWORD, _is_set),
    "MARIADB_ALLOW_EMPTY_PASSWORD": (NO_PASSWORD, _is_set),
    "ALLOW_EMPTY_PASSWORD": (NO_PASSWORD, _is_set),
    "ALLOW_ANONYMOUS_LOGIN": (NO_PASSWORD, _is_set),
    "POSTGRES_HOST_AUTH_METHOD": (NO_PASSWORD, _is("trust")),
    "JUPYTER_ALLOW_INSECURE_WRITES": (NO_PASSWORD, _is_set),
    "DEBUG": (DEBUG, is_on),
    "DJANGO_DEBUG": (DEBUG, is_on),
    "FLASK_DEBUG": (DEBUG, is_on),
    "FLASK_ENV": (DEBUG, _is("development")),
    "APP_DEBUG": (DEBUG, is_on),
    "RAILS_ENV": (DEBUG, _is("development")),
    "ASPNETCORE_ENVIRONMENT": (DEBUG, _is("development")),
    "XDEBUG_MODE": (DEBUG, lambda value: "debug" in value.split(",")),
    "DOCKER_CONTENT_TRUST": (TRUST, _is("0")),
}
# Options of Java and Node that wait for a debugger on every address.
_OPTION_VARIABLES = frozenset(("JAVA_TOOL_OPTIONS", "JAVA_OPTS", "JDK_JAVA_OPTIONS", "NODE_OPTIONS", "CATALINA_OPTS"))


def environment(scene: Scene) -> Iterator[Finding]:
    """Variables, by name; the value is told only where it is one of a few words."""
    for line in scene.image.execution.environment if scene.image else ():
        name, _, value = line.partition("=")
        rule, opens = _VARIABLES.get(name.upper(), ("", _any))
        if rule and opens(value):
            shown = f"ENV {name}={value}" if len(value) <= 11 and value.isascii() and value.isalnum() else f"ENV {name}"
            yield finding(rule, f"environment {name}", shown)
        elif name in _OPTION_VARIABLES and (option := _debugger(value)):
            yield finding("image.debugger-open", f"environment {name}", f"ENV {name} with {option}")


def command(scene: Scene) -> Iterator[Finding]:
    """Options that the container is started with."""
    if scene.image is None:
        return
    words = [word[:4096] for word in (*scene.image.execution.entrypoint, *scene.image.execution.command)[:256]]
    line = " ".join(words)
    program = words[0].rpartition("/")[2] if words else ""
    if option := _debugger(line):
        yield finding("image.debugger-open", "command", f"CMD with {option}")
    for rule, mark, needed in (
        ("image.mysql-no-grants", "--skip-grant-tables", "mysqld mariadbd"),
        ("image.mongodb-open", "--noauth", "mongod"),
        ("image.redis-open", "--protected-mode no", "redis-server valkey-server"),
        ("image.debug-mode", "--debug", "flask"),
        ("image.debug-mode", "runserver", "django manage.py"),
    ):
        if f" {mark} " in f" {line} " and any(name in line for name in needed.split()) and "--requirepass" not in line:
            yield finding(rule, "command", f"CMD {program[:64]} … {mark}")
    if "jupyter" in line and _has_empty(
        line, ("--NotebookApp.token=", "--ServerApp.token=", "--IdentityProvider.token=")
    ):
        yield finding("image.jupyter-open", "command", "CMD jupyter … token=''")


def _has_empty(line: str, options: tuple[str, ...]) -> bool:
    for option in options:
        at = line.find(option)
        if at >= 0 and line[at + len(option) :].removeprefix("''").removeprefix('""')[:1] in ("", " "):
            return True
    return False


def _debugger(line: str) -> str:
    """The option that opens a debugger to other machines, or an empty string."""
    for option in ("--inspect=0.0.0.0", "--inspect-brk=0.0.0.0", "--inspect=[::]"):
        if option in line:
            return option
    if "debugpy" in line and ("--listen 0.0.0.0" in line or "--listen [::]" in line):
        return "debugpy --listen 0.0.0.0"
    at = line.find("-agentlib:jdwp=")
    if at >= 0:
        option = line[at : at + 200].partition(" ")[0]
        if "address=*" in option or "address=0.0.0.0" in option:
            return "-agentlib:jdwp on every address"
    if "-Dcom.sun.management.jmxremote.authenticate=false" in line and "jmxremote.port" in line:
        return "jmxremote without authentication"
    return ""


CHECKS = (environment, command)
