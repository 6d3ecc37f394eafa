"""Frameworks left in the state that their developers work in: Django, Flask, Laravel, Spring, Jupyter."""

import re
from collections.abc import Iterator

from holdfast.misconfig.reading import SettingsReader
from holdfast.misconfig.syntax.ini import Setting, is_on, settings
from holdfast.misconfig.syntax.lines import numbered
from holdfast.misconfig.syntax.outline import leaves
from holdfast.model.found import Trait

_DEBUG = "image.debug-mode"


def django(text: str) -> Iterator[Trait]:
    """Django's DEBUG, unless it is set anew further down."""
    if not _is_django(text):
        return
    found = 0
    for number, line in numbered(text):
        if match := re.match(r"DEBUG\s{0,9}(?::\s{0,9}bool\s{0,9})?=\s{0,9}(\w{1,32})", line):
            found = number if match[1] in ("True", "1") else 0
    if found:
        yield Trait(_DEBUG, "Django: DEBUG = True", found)


def _is_django(text: str) -> bool:
    return "INSTALLED_APPS" in text or "django" in text or "ALLOWED_HOSTS" in text or "MIDDLEWARE" in text


def flask(text: str) -> Iterator[Trait]:
    """Werkzeug's debugger, with which whoever sees an error runs code."""
    if "flask" not in text.lower():
        return
    for number, line in numbered(text):
        if line[0] != "#" and re.search(r"\.run\([^#]{0,300}\bdebug\s{0,9}=\s{0,9}True\b", line):
            yield Trait(_DEBUG, "Flask: run(debug=True)", number)
        elif re.match(r"\w{1,64}\.debug\s{0,9}=\s{0,9}True\b", line):
            yield Trait(_DEBUG, "Flask: debug = True", number)


def dotenv(text: str) -> Iterator[Trait]:
    """Variables of a .env file that switch debugging on, Laravel's first of all."""
    final: dict[str, Setting] = {one.key.removeprefix("export "): one for one in settings(text)}
    for key in ("app_debug", "debug", "flask_debug", "django_debug"):
        if (one := final.get(key)) and is_on(one.value):
            yield Trait(_DEBUG, f"{key.upper()}={one.text[:8]}", one.line)


def spring_properties(text: str) -> Iterator[Trait]:
    """Spring's settings in the form of properties."""
    yield from _spring((one.key, one.text, one.line) for one in settings(text, separators="=:"))


def spring_yaml(text: str) -> Iterator[Trait]:
    """Spring's settings in the form of YAML."""
    yield from _spring((one.key, one.value, one.line) for one in leaves(text))


def _spring(found: Iterator[tuple[str, str, int]]) -> Iterator[Trait]:
    final = {key.replace("-", ""): (value, line) for key, value, line in found}
    value, line = final.get("management.endpoints.web.exposure.include", ("", 0))
    if "*" in value.replace("'", "").replace('"', "").replace(" ", "").split(","):
        yield Trait("image.spring-actuator-open", "management.endpoints.web.exposure.include=*", line)
    value, line = final.get("spring.h2.console.settings.weballowothers", ("", 0))
    if is_on(value):
        yield Trait("image.spring-actuator-open", "spring.h2.console.settings.web-allow-others=true", line)


def jupyter(text: str) -> Iterator[Trait]:
    """A notebook server that asks for nothing: whoever reaches it runs code."""
    final: dict[str, tuple[str, int]] = {}
    for number, written in numbered(text):
        match = re.match(
            r"c\.(?:NotebookApp|ServerApp|IdentityProvider|PasswordIdentityProvider)\.(\w{1,40})\s{0,9}=\s{0,9}(.{1,200})",
            written,
        )
        if match:
            final[match[1]] = match[2].partition("#")[0].strip(), number
    empty = ("''", '""', "u''", 'u""')
    token, line = final.get("token", ("unset", 0))
    password = final.get("password", final.get("hashed_password", ("", 0)))[0]
    if token in empty and password in ("", *empty):
        yield Trait("image.jupyter-open", "token = ''", line)


READERS = (
    SettingsReader(
        "django", 1, ("**/settings.py", "**/settings/base.py", "**/settings/prod*.py", "**/settings/__init__.py"),
        django, own=True,
    ),
    SettingsReader(
        "flask", 1, ("**/app.py", "**/main.py", "**/wsgi.py", "**/run.py", "**/server.py", "**/application.py"), flask,
        own=True,
    ),
    SettingsReader("dotenv", 1, ("**/.env", "**/.env.production"), dotenv, own=True),
    SettingsReader("spring-properties", 1, ("**/application*.properties",), spring_properties),
    SettingsReader("spring-yaml", 1, ("**/application*.yml", "**/application*.yaml"), spring_yaml),
    SettingsReader("jupyter", 1, ("**/jupyter_notebook_config.py", "**/jupyter_server_config.py"), jupyter),
)  # fmt: skip
