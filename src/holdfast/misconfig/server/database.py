"""Databases that let in whoever reaches them: MySQL and MariaDB, PostgreSQL, MongoDB."""

import re
from collections.abc import Iterator

from holdfast.misconfig.reading import SettingsReader
from holdfast.misconfig.syntax.ini import Setting, is_off, is_on, settings
from holdfast.misconfig.syntax.lines import directives, numbered
from holdfast.misconfig.syntax.outline import leaves
from holdfast.model.found import Trait
from holdfast.model.status import Gravity

EVERYWHERE = frozenset(("0.0.0.0", "*", "::", "[::]", "::0", "0"))  # noqa: S104
_SERVER = ("mysqld", "mariadb", "server", "galera")
_LOCAL = ("127.", "::1/", "::1", "localhost", "samehost")


def mysql(text: str) -> Iterator[Trait]:
    """Settings of the server's sections, the last of a name counting."""
    final: dict[str, Setting] = {}
    for one in settings(text):
        if one.section.startswith(_SERVER) and one.section != "mariadb-client":
            final[one.key.replace("_", "-")] = one
    for key, one in final.items():
        on = one.value is None or is_on(one.value)
        if key == "skip-grant-tables" and on:
            yield Trait("image.mysql-no-grants", "skip-grant-tables", one.line)
        elif key == "bind-address" and not EVERYWHERE.isdisjoint(one.text.replace(" ", "").split(",")):
            yield Trait("image.mysql-all-addresses", f"bind-address = {one.text[:64]}", one.line)
        elif key == "local-infile" and on:
            yield Trait("image.mysql-local-infile", "local-infile is on", one.line)
        elif key == "secure-file-priv" and not one.text:
            yield Trait("image.mysql-file-access", "secure-file-priv is empty", one.line)


def first_statements(text: str) -> Iterator[Trait]:
    """Users that are made without a password when the database is first started."""
    for number, line in numbered(text):
        if not line.startswith(("--", "#")) and re.search(
            r"\bIDENTIFIED\s{1,9}BY\s{0,9}(?:''|\"\")", line, re.IGNORECASE
        ):
            yield Trait("image.mysql-empty-password", "IDENTIFIED BY ''", number)
        elif re.match(r"SET\s{1,9}PASSWORD\b.{0,300}(?:\(\s{0,9}''\s{0,9}\)|=\s{0,9}'')\s{0,9};", line, re.IGNORECASE):
            yield Trait("image.mysql-empty-password", "SET PASSWORD = ''", number)


def pg_hba(text: str) -> Iterator[Trait]:
    """Who is let in without a password, or sends it in clear text, from another machine: pg_hba.conf."""
    for one in directives(text):
        if one.name not in ("host", "hostssl", "hostnossl", "hostgssenc", "hostnogssenc") or len(one.words) < 4:
            continue
        address = one.words[2].lower()
        masked = len(one.words) > 4 and re.fullmatch(r"[0-9.:a-fA-F]{2,64}", one.words[3])
        method = (one.words[4] if masked else one.words[3]).lower()
        if address.startswith(_LOCAL):
            continue
        if method == "trust":
            yield Trait("image.postgresql-trust", f"{one.name} … {address[:64]} trust", one.line)
        elif method == "password" and one.name != "hostssl":
            yield Trait("image.postgresql-plain-password", f"{one.name} … {address[:64]} password", one.line)


def postgresql(text: str) -> Iterator[Trait]:
    """Listening everywhere without TLS, and passwords kept as MD5."""
    final = {one.key: one for one in settings(text, comments="#")}
    listen, tls = final.get("listen_addresses"), final.get("ssl")
    if listen and not EVERYWHERE.isdisjoint(listen.text.replace(" ", "").split(",")) and not (tls and is_on(tls.value)):
        yield Trait("image.postgresql-no-tls", f"listen_addresses = '{listen.text[:64]}', ssl is not on", listen.line)
    if (kept := final.get("password_encryption")) and kept.text.lower() in ("md5", "on", "off"):
        yield Trait("image.postgresql-md5", f"password_encryption = {kept.text}", kept.line)


def mongodb(text: str) -> Iterator[Trait]:
    """No authorization while listening everywhere, in the form of YAML or the older one."""
    final = {one.key: one for one in leaves(text)}
    final_old = {one.key: one for one in settings(text) if one.value is not None}
    everywhere = [final[key] for key in ("net.bindip",) if key in final and _is_everywhere(final[key].value)]
    everywhere += [final[key] for key in ("net.bindipall",) if key in final and is_on(final[key].value)]
    if everywhere:
        stated = final.get("security.authorization")
        if not stated or not is_on(stated.value):
            yield Trait(
                "image.mongodb-open", "bindIp for all addresses, authorization is not enabled", everywhere[0].line
            )
        return
    bound = final_old.get("bind_ip")
    auth = final_old.get("auth")
    if bound and _is_everywhere(bound.text) and not (auth and is_on(auth.value)):
        yield Trait("image.mongodb-open", "bind_ip for all addresses, auth is not set", bound.line)


def _is_everywhere(value: str) -> bool:
    return not EVERYWHERE.isdisjoint(value.replace(" ", "").split(","))


def search_engine(text: str) -> Iterator[Trait]:
    """Elasticsearch and OpenSearch without their security."""
    final = {one.key: one for one in leaves(text)}
    if (one := final.get("xpack.security.enabled")) and is_off(one.value):
        yield Trait("image.elasticsearch-open", "xpack.security.enabled: false", one.line)
    if (one := final.get("plugins.security.disabled")) and is_on(one.value):
        yield Trait("image.elasticsearch-open", "plugins.security.disabled: true", one.line)


READERS = (
    SettingsReader(
        "mysql", 1,
        ("**/my.cnf", "**/mysqld.cnf", "etc/mysql/**/*.cnf", "etc/my.cnf.d/*.cnf", "**/mysql/conf.d/*.cnf"), mysql,
    ),
    SettingsReader(  # data to begin with may be of any size
        "first-statements", 1, ("**/docker-entrypoint-initdb.d/*.sql", "etc/mysql/*.sql"), first_statements,
        gravity=Gravity.NOTE,
    ),
    SettingsReader("pg-hba", 1, ("**/pg_hba.conf",), pg_hba),
    SettingsReader("postgresql", 1, ("**/postgresql.conf", "etc/postgresql/**/conf.d/*.conf"), postgresql),
    SettingsReader("mongodb", 1, ("**/mongod.conf", "**/mongodb.conf", "**/mongod.yml"), mongodb),
    SettingsReader("search-engine", 1, ("**/elasticsearch.yml", "**/opensearch.yml"), search_engine),
)  # fmt: skip
