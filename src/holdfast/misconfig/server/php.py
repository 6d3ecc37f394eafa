"""PHP and phpMyAdmin."""

import re
from collections.abc import Iterator

from holdfast.misconfig.reading import SettingsReader
from holdfast.misconfig.syntax.ini import Setting, is_on, settings
from holdfast.misconfig.syntax.lines import numbered
from holdfast.model.found import Trait


def php(text: str) -> Iterator[Trait]:
    """php.ini, of which the last setting of a name counts."""
    final: dict[str, Setting] = {one.key: one for one in settings(text, comments=";#")}
    for key, rule in (
        ("display_errors", "image.php-errors-shown"),
        ("allow_url_include", "image.php-url-include"),
        ("expose_php", "image.php-version-shown"),
    ):
        if (one := final.get(key)) and is_on(one.value):
            yield Trait(rule, f"{key} = {one.text}", one.line)
    if (mode := final.get("xdebug.mode")) and "debug" in mode.text.lower().replace(" ", "").split(","):
        yield Trait("image.php-debugger", f"xdebug.mode = {mode.text[:64]}", mode.line)
    elif (remote := final.get("xdebug.remote_enable")) and is_on(remote.value):
        yield Trait("image.php-debugger", "xdebug.remote_enable is on", remote.line)


def phpmyadmin(text: str) -> Iterator[Trait]:
    """Users without a password let in, or a password that is written into the settings for everybody."""
    for number, line in numbered(text):
        if line.startswith(("//", "#", "*", "/*")):
            continue
        if re.search(r"\[['\"]AllowNoPassword['\"]\]\s{0,9}=\s{0,9}(?:true|1)\b", line, re.IGNORECASE):
            yield Trait("image.phpmyadmin-no-password", "AllowNoPassword = true", number)
        elif re.search(r"\[['\"]auth_type['\"]\]\s{0,9}=\s{0,9}['\"]config['\"]", line, re.IGNORECASE):
            yield Trait("image.phpmyadmin-no-password", "auth_type = config", number)


READERS = (
    SettingsReader(
        "php", 1, ("**/php.ini", "**/php/conf.d/*.ini", "etc/php/**/conf.d/*.ini",
         "etc/php*/conf.d/*.ini", "etc/php.d/*.ini"),
        php,
    ),
    SettingsReader("phpmyadmin", 1, ("**/config.inc.php", "**/phpmyadmin/conf.d/*.php"), phpmyadmin),
)  # fmt: skip
