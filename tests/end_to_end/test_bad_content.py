"""Content made to stop the engines: it is bounded, what was left out is said, and what stands beside it is found."""

import hashlib
import io
import json
import os
import random
import shutil
import signal
import struct
import tarfile
import time
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from end_to_end.command import Holdfast, Outcome
from end_to_end.test_bad_input import MEMORY, layout
from end_to_end.test_engines import planted
from holdfast.range.made_up import github_token
from world import OCI, Thing, file, image, layer

Files = Mapping[str, Thing | str | bytes]
TOKEN = f"token: {github_token()}\n"
SECONDS = 100  # many times what any of these takes: only a hang is longer


def scan(holdfast: Holdfast, layers: list[bytes], where: Path, *, codes: tuple[int, ...] = (0, 3)) -> Outcome:
    """A scan by all engines that look at content, of these layers and one below that holds a token."""
    path = image(where, [layer({"srv/deploy.txt": TOKEN}), *layers])
    only = ("--only", "secrets,malware,configuration")
    outcome = holdfast("scan", f"oci:{path}", "--offline", "-q", "-f", "json", *only, timeout=SECONDS)
    assert outcome.code in codes, outcome.err
    assert outcome.memory < MEMORY
    assert "secret.github-pat" in {one["rule"] for one in outcome.report["findings"]}
    return outcome


def zipped(files: Mapping[str, bytes]) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return sink.getvalue()


def tarred(files: Mapping[str, bytes]) -> bytes:
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return sink.getvalue()


def nested(levels: int = 3) -> bytes:
    data = zipped({"zeros": bytes(20 << 20)})
    for _ in range(levels):
        data = zipped({f"{number}.zip": data for number in range(16)})
    return data


def overlapping() -> bytes:
    """A directory that names the same member a thousand times."""
    data = zipped({"a": bytes(20 << 20)})
    start, end = data.rfind(b"PK\x01\x02"), data.rfind(b"PK\x05\x06")
    entries = data[start:end] * 1000
    return data[:start] + entries + struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, 1000, 1000, len(entries), start, 0)


def matryoshka(depth: int = 100) -> bytes:
    data = TOKEN.encode()
    for _ in range(depth):
        data = tarred({"inner.tar": data})
    return data


# Archives


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: zipped({"zeros": bytes(200 << 20)}), "archive.too-large"),
        (nested, "archive.too-deep"),
        (overlapping, "archive.damaged"),
        (matryoshka, "archive.too-deep"),
        (lambda: zlib.compress(b""), None),
        (lambda: b"PK\x03\x04" + bytes(1000), "archive.damaged"),
        (lambda: b"\x1f\x8b" + random.Random(1).randbytes(5000), None),
    ],
    ids=["flat bomb", "nested bomb", "overlapping bomb", "tar in tar", "nothing", "no zip", "no gzip"],
)
def test_archives_that_are_traps(
    tmp_path: Path, holdfast: Holdfast, make: Callable[[], bytes], told: str | None
) -> None:
    outcome = scan(holdfast, [layer({"srv/trap": make()})], tmp_path)
    if told:
        assert told in outcome.problems


@pytest.mark.xfail(
    strict=True, reason="fs/archive.py: what of a zip was not inflated is a note, and the scan is complete"
)
def test_a_member_that_was_not_read_makes_the_scan_partial(tmp_path: Path, holdfast: Holdfast) -> None:
    assert scan(holdfast, [layer({"srv/trap": overlapping()})], tmp_path).code == 3


def test_an_archive_too_large_to_open_makes_the_scan_partial(tmp_path: Path, holdfast: Holdfast) -> None:
    content = zipped({"token": TOKEN.encode(), "padding": random.Random(1).randbytes(65 << 20)})
    assert scan(holdfast, [layer({"srv/app.zip": content})], tmp_path).code == 3


# Many


@pytest.mark.parametrize(
    "line",
    [b'password="%d-aB3xK9pLq2"\n', b"password=%d\n", b"ghp_%036d\n", b"-----BEGIN RSA PRIVATE KEY-----%d\n",
     b"AKIA%016d\n", b"Z2hwX%d", b"postgres://u:p%d@h/", b"<?php eval(base64_decode($_POST[%d", b"eyJ%d.eyJ%d."],
    ids=["password", "bare", "github", "pem", "aws", "base64", "url", "php", "jwt"],
)  # fmt: skip
def test_a_flood_of_what_looks_like_a_secret(tmp_path: Path, holdfast: Holdfast, line: bytes) -> None:
    content = b"".join(line % ((number,) * line.count(b"%")) for number in range(300_000))
    scan(holdfast, [layer({"srv/flood.txt": content})], tmp_path)


@pytest.mark.slow
def test_a_hundred_thousand_files_with_a_secret_each(tmp_path: Path, holdfast: Holdfast) -> None:
    files = {f"d{n % 500}/f{n}": b'password = "%s"\n' % f"{n}x{n * 7919}Q!z".encode() for n in range(100_000)}
    outcome = scan(holdfast, [layer(files)], tmp_path)
    assert "content.too-many" in outcome.problems


@pytest.mark.slow
def test_twenty_thousand_setuid_files_are_one_finding(tmp_path: Path, holdfast: Holdfast) -> None:
    files = {f"d{n % 500}/f{n}": file(b"x", mode=0o4777) for n in range(20_000)}
    report = scan(holdfast, [layer(files)], tmp_path).report
    assert [one["count"] for one in report["findings"] if one["rule"] == "image.setuid-file"] == [20_000]


@pytest.mark.slow
@pytest.mark.parametrize("line", [b"a", b'password="aB3$', b"QUJD", b"\0"], ids=["a", "password", "base64", "zeros"])
def test_one_line_of_almost_a_gibibyte(tmp_path: Path, holdfast: Holdfast, line: bytes) -> None:
    blocks, end = 1000, f"\n{TOKEN}".encode()
    info = tarfile.TarInfo("srv/line.txt")
    info.size = (blocks << 20) + len(end)
    packer, hashed, packed = zlib.compressobj(1, zlib.DEFLATED, 31), hashlib.sha256(), []
    block = (line * ((1 << 20) // len(line) + 1))[: 1 << 20]
    for piece in (info.tobuf(), *[block] * blocks, end + bytes(-len(end) % 512 + 1024)):
        hashed.update(piece)
        packed.append(packer.compress(piece))
    blob = b"".join([*packed, packer.flush()])
    path = layout(tmp_path, [(blob, b"", OCI + "layer.v1.tar+gzip")], [f"sha256:{hashed.hexdigest()}"])
    outcome = holdfast("scan", f"oci:{path}", "--offline", "-q", "-f", "json", "--only", "secrets,malware")
    assert outcome.code in (0, 3)
    assert outcome.memory < MEMORY
    assert "secret.github-pat" in {one["rule"] for one in outcome.report["findings"]}


# Odd bytes


def elves() -> Files:
    chance = random.Random(7)
    start = [b"\x7fELF" + bytes([chance.choice([0, 1, 2, 255]), chance.choice([1, 2]), 1]) for _ in range(500)]
    return {f"bin/{n}": one + chance.randbytes(chance.choice([1, 45, 60, 5000])) for n, one in enumerate(start)}


@pytest.mark.parametrize(
    "files",
    [
        elves(),
        {"a\udcff\udcfe.php": "<?php eval($_POST['c']);", "\x1b[2J.sh": "curl x | sh", "a\nb": "", "\u202e": TOKEN},
        {"a": b"\xff\xfe" + b"\xd8\x00" * 500_000, "b": b"\xfe\xff\x00", "c": b"password='\xff\xfe\xfd'\n" * 1000},
        {"etc/passwd": b"\xff:x:0:0\n" * 50_000, "etc/shadow": b":" * 500_000, "etc/group": b"\n" * 500_000},
        {"etc/sudoers": b"a ALL=(ALL) \\\n" * 50_000, "etc/ssh/sshd_config": b"Match all\n" * 50_000},
        {"etc/nginx/nginx.conf": b"http { " * 100_000, "etc/php/php.ini": b"[" * 500_000},
        {"etc/tomcat/server.xml": b"<a>" * 200_000, "etc/tomcat/tomcat-users.xml":
         b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;">]><x>' + b"&b;" * 100_000 + b"</x>"},
        {"etc/mysql/my.cnf": b"[mysqld]\n" * 100_000 + b"!include /etc/mysql/my.cnf\n", "etc/redis/redis.conf":
         b"bind 0.0.0.0\n" * 100_000, "var/lib/pgsql/data/pg_hba.conf": b"host all all all trust\n" * 50_000},
        {".docker/config.json": b'{"auths":' * 50_000, "k.yaml": b"kind: Secret\ndata:\n" + b"  a: cGF=\n" * 50_000},
        {"deep/.npmrc": b"_authToken=" * 50_000, ".netrc": b"machine a login b password " * 50_000},
    ],
    ids=["ELF", "names", "UTF-16", "accounts", "lines", "braces", "XML", "servers", "documents", "credentials"],
)  # fmt: skip
def test_odd_content_does_no_harm(tmp_path: Path, holdfast: Holdfast, files: Files) -> None:
    scan(holdfast, [layer(files)], tmp_path)


# Dockerfiles


@pytest.mark.parametrize(
    "content",
    [b"FROM a\nRUN " + b"\\\n" * 500_000, b"FROM a\nRUN " + b"\\" * 1_000_000,
     b"FROM a\n" + b"RUN <<A\nx\nA\n" * 90_000, b"FROM a\nRUN " + b"<<A " * 250_000,
     b"FROM ${a:-" + b"${a:-" * 200_000, b"ARG a=" + b"x" * 999 + b"\nFROM " + b"$a" * 400_000,
     b"FROM a\nENV b=xx\n" + b"ENV b=$b$b$b$b\n" * 60_000, b"FROM a\nRUN " + b"(" * 1_000_000,
     b"FROM a\nRUN a " + b"&& a " * 200_000, b"FROM a AS b\n" * 80_000, b"FROM a\nCMD " + b"[" * 1_000_000,
     b"# escape=`\n" * 90_000, b"\xff" * 1_000_000, b"FROM a\0\n"],
    ids=["continued", "backslashes", "heredocs", "open heredocs", "nested", "expanded", "doubling", "brackets", "chain",
         "stages", "JSON", "directives", "no text", "NUL"],
)  # fmt: skip
def test_a_mebibyte_of_dockerfile(tmp_path: Path, holdfast: Holdfast, content: bytes) -> None:
    (tmp_path / "Dockerfile").write_bytes(content[: 1 << 20])
    outcome = holdfast("vet", f"dockerfile:{tmp_path / 'Dockerfile'}", "--offline", "-q", timeout=SECONDS)
    assert outcome.code in (0, 1, 4)
    assert outcome.memory < MEMORY


# Documents of the user, which others may have written


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.yaml", "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
            f"{chr(98 + n)}: &{chr(98 + n)} [{','.join([f'*{chr(97 + n)}'] * 9)}]\n" for n in range(12))),
        ("a.yaml", "a: " + "[" * 500_000), ("a.yaml", '!!python/object/apply:os.system ["touch owned"]'),
        ("a.toml", "a=" + "[" * 500_000), ("a.toml", "a." * 3_900 + "b=1\n"), ("a.toml", "a=1" + "0" * 5_000),
        ("a.toml", "[[check]]\n" * 90_000), ("a.json", '{"a":' * 150_000),
        ("a.toml", "[[check]]\nname='a'\nexpression=\"" + "packages.all(p, " * 9 + "true" + ")" * 9 + '"\n'),
        ("a.toml", "[[check]]\nname='a'\nexpression=\"" + "(" * 1_900 + "true" + ")" * 1_900 + '"\n'),
    ],
    ids=["aliases", "deep YAML", "tag", "deep TOML", "dots", "digits", "checks", "deep JSON", "loops", "brackets"],
)  # fmt: skip
def test_a_hostile_policy_is_refused(tmp_path: Path, holdfast: Holdfast, name: str, content: str) -> None:
    (holdfast.home / name).write_text(content)
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    outcome = holdfast("vet", tmp_path / "Dockerfile", "--policy", name, "--offline", timeout=SECONDS)
    assert (outcome.code, outcome.out) == (4, "")
    assert outcome.err.startswith(f"holdfast: {name}")
    assert not (holdfast.home / "owned").exists()
    assert outcome.memory < MEMORY


@pytest.mark.parametrize(
    "expression",
    ["'%s'.matches('(a|aa)+b')" % ("a" * 3_000), "!" * 3_801 + "true", "1+" * 1_900 + "1 > 0",
     "[1,2,3].all(a, [1,2,3].all(b, size([a,b]) > 0 && '%s!'.matches('(a+)+$')))" % ("a" * 40)],
    ids=["alternatives", "nots", "sums", "nested quantifiers"],
)  # fmt: skip
def test_a_check_that_is_a_trap_ends(tmp_path: Path, holdfast: Holdfast, expression: str) -> None:
    (holdfast.home / "a.toml").write_text(f'[[check]]\nname = "a"\nexpression = "{expression}"\n')
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    outcome = holdfast("vet", tmp_path / "Dockerfile", "--policy", "a.toml", "--offline", timeout=SECONDS)
    assert outcome.code in (0, 1, 4)
    assert outcome.memory < MEMORY


@pytest.mark.slow
def test_a_check_that_grows_a_text_is_bounded(tmp_path: Path, holdfast: Holdfast) -> None:
    grow = ".map(x, " + "+".join("x" * 8) + ")"
    (holdfast.home / "a.toml").write_text(
        f'[[check]]\nname = "a"\nexpression = "[0].map(x, \'aaaaaaaaaa\'){grow * 9}.size() > 0"\n'
    )
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    outcome = holdfast("vet", tmp_path / "Dockerfile", "--policy", "a.toml", "--offline", timeout=SECONDS)
    assert outcome.memory < MEMORY


STATEMENT = (
    '{"vulnerability": {"name": "CVE-2021-23337"}, "products": [{"@id": "pkg:npm/lodash@4.17.15"}],'
    '"status": "not_affected", "justification": "vulnerable_code_not_present"}'
)
OPENVEX = '{"@context": "https://openvex.dev/ns/v0.2.0", "statements": '


@pytest.mark.parametrize(
    "content",
    [f"{OPENVEX}[{','.join([STATEMENT] * 250_000)}]}}", OPENVEX + "[" * 5_000_000, '{"a":' * 1_000_000,
     '{"bomFormat": "CycloneDX", "components": ' + '[{"components": ' * 50_000],
    ids=["50 MB", "deep", "deep objects", "deep components"],
)  # fmt: skip
def test_a_hostile_vex_document(tmp_path: Path, holdfast: Holdfast, content: str) -> None:
    (holdfast.home / "vex.json").write_text(content)
    path = image(
        tmp_path, [layer({"srv/node_modules/lodash/package.json": '{"name": "lodash", "version": "4.17.15"}'})]
    )
    outcome = holdfast("vet", f"oci:{path}", "--vex", "vex.json", "--offline", "-f", "json", timeout=SECONDS)
    assert outcome.code in (0, 1, 4)
    assert outcome.memory < MEMORY
    assert "vex.json" in outcome.out + outcome.err


@pytest.mark.parametrize(
    ("name", "content"),
    [(".trivyignore", b"\x1b[31m\n*\n**\nCVE-*\nsecret.*\nx exp:9999-99-99\n" + b"x" * 400_000),
     (".trivyignore.yaml", b'vulnerabilities:\n  - id: "*"\n  - paths: ["**"]\nsecrets:\n  - id: "**"\n'),
     (".grype.yaml", b'ignore:\n  - package: {name: "(a+)+$"}\n  - vulnerability: "*"\n  - {}\n  - namespace: a\n')],
    ids=["lines", "yaml", "grype"],
)  # fmt: skip
def test_a_hostile_ignore_file_sets_nothing_aside(
    tmp_path: Path, holdfast: Holdfast, name: str, content: bytes
) -> None:
    (holdfast.home / name).write_bytes(content)
    path = image(tmp_path, [layer({"srv/deploy.txt": TOKEN})])
    outcome = holdfast("vet", f"oci:{path}", "--offline", "-f", "json", "-q")
    assert outcome.code == 1
    assert outcome.report["set_aside"] == []
    text = holdfast("vet", f"oci:{path}", "--offline", "-q")
    assert "\x1b" not in text.out + text.err


# What Holdfast keeps, damaged


def findings(holdfast: Holdfast, path: Path) -> list[str]:
    outcome = holdfast("scan", f"oci:{path}", "--offline", "-q", "-f", "json", timeout=SECONDS)
    assert outcome.code in (0, 3), outcome.err
    return sorted(f"{one['rule']} {one['fingerprint']}" for one in outcome.report["findings"])


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "garbage": lambda data: b"garbage" * 500, "cut": lambda data: data[: len(data) // 2], "empty": lambda data: b"",
    "flipped": lambda data: data[: len(data) // 2] + bytes([data[len(data) // 2] ^ 255]) + data[len(data) // 2 + 1 :],
}  # fmt: skip


def test_damaged_packs_and_cache_change_nothing(tmp_path: Path, holdfast: Holdfast) -> None:
    path = planted(tmp_path)
    before = findings(holdfast, path)
    packs = holdfast.data / "packs"
    shared = packs.resolve()
    newest = sorted((one for one in shared.glob("*.pack")), key=lambda one: one.stat().st_mtime)[-8:]
    for name, damage in DAMAGES.items():
        packs.unlink() if packs.is_symlink() else shutil.rmtree(packs)
        packs.mkdir()
        for one in newest:
            (packs / one.name).write_bytes(damage(one.read_bytes()))
        for one in holdfast.cache.rglob("*"):
            if one.is_file() and name != "empty":
                one.write_bytes(damage(one.read_bytes() + b"x"))
        shutil.rmtree(holdfast.cache / "verified", ignore_errors=True)
        assert findings(holdfast, path) == before, name


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_store_stops_no_scan(tmp_path: Path, holdfast: Holdfast, damage: Callable[[bytes], bytes]) -> None:
    path = image(tmp_path, [layer({"srv/deploy.txt": TOKEN})])
    before = findings(holdfast, path)
    assert holdfast("findings", "list").code == 0
    store = holdfast.data / "store.db"
    store.write_bytes(damage(store.read_bytes()))
    assert findings(holdfast, path) == before
    assert holdfast("vet", f"oci:{path}", "--offline", "-q").code == 1
    outcome = holdfast("findings", "list")
    assert outcome.code in (0, 4)
    assert outcome.code == 0 or outcome.err.startswith("holdfast: ")


@pytest.mark.parametrize("what", ["short", "long", "pipe", "link", "folder"])
def test_a_key_that_is_none_is_said(tmp_path: Path, holdfast: Holdfast, what: str) -> None:
    key = holdfast.data / "keys" / "fingerprint"
    key.parent.mkdir()
    match what:
        case "pipe":
            os.mkfifo(key)
        case "link":
            key.symlink_to("/etc/hostname")
        case "folder":
            key.mkdir()
        case _:
            key.write_bytes(b"x" * (1 if what == "short" else 100))
    path = image(tmp_path, [layer({"srv/deploy.txt": TOKEN})])
    outcome = holdfast("scan", f"oci:{path}", "--offline", "-q", "-f", "json", timeout=SECONDS)
    assert "secret.no-key" in outcome.problems


@pytest.mark.parametrize("place", ["/dev/null/data", "/proc/data"])
def test_a_data_folder_that_cannot_be_written(tmp_path: Path, holdfast: Holdfast, place: str) -> None:
    holdfast.environment["HOLDFAST_DATA"] = place
    path = image(tmp_path, [layer({"srv/deploy.txt": TOKEN})])
    outcome = holdfast("scan", f"oci:{path}", "--offline", "-q", "-f", "json", "--only", "secrets")
    assert outcome.code in (0, 3)
    assert {"secret.no-key", "store.not-kept"} <= outcome.problems
    assert [one["rule"] for one in outcome.report["findings"]] == ["secret.github-pat"]
    assert holdfast("findings", "list").code == 4


def test_killed_at_any_time_the_next_scan_is_the_same(tmp_path: Path, holdfast: Holdfast) -> None:
    noise = layer({f"d/{number}": random.Random(number).randbytes(2000).hex() for number in range(5_000)})
    path = planted(tmp_path, [noise])
    for delay in (0.05, 0.15, 0.25, 0.35, 0.5):
        process = holdfast.start("scan", f"oci:{path}", "--offline")
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
        process.wait()
    after = findings(holdfast, path)
    shutil.rmtree(holdfast.cache)
    assert findings(holdfast, path) == after
    listed = json.loads(holdfast("findings", "list", "-f", "json").out)["findings"]
    assert len(listed) == len(after)


def test_every_report_of_hostile_names_is_safe_to_show(tmp_path: Path, holdfast: Holdfast) -> None:
    import re
    import xml.dom.minidom

    from holdfast.report import WRITERS

    names = ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "\x1b]0;x\x07\x1b[31m", "]]>&<!--x",
             "`|[l](javascript:x)",
             "a\r\n::error::x", "\udcff", "\x9b31m", "${{7*7}}"]  # fmt: skip
    files: dict[str, Any] = {f"{name}{number}.txt": TOKEN for number, name in enumerate(names)}
    files |= {
        f"{name}{number}.php": "<?php eval($_POST['c']); // </script>\x1b[31m" for number, name in enumerate(names)
    }
    run = {"User": names[0], "Cmd": names[:3], "Env": [f"A={names[1]}"], "ExposedPorts": {f"22/tcp{names[0]}": {}}}
    path = image(tmp_path, [layer(files)], history=[f"RUN {'; '.join(names)}"], config={"config": run})
    flags = [flag for one in WRITERS for flag in ("-o", f"{one.name}={one.name}.out")]
    assert holdfast("scan", f"oci:{path}", "--offline", "-q", *flags).code == 3
    for one in WRITERS:
        text = (holdfast.home / f"{one.name}.out").read_bytes().decode()
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", text), one.name
        assert not re.search(r"^::error", text, re.MULTILINE), one.name
        if one.name == "html":
            assert "<script>alert" not in text
            assert "<img src=x" not in text
        if one.name == "markdown":
            assert "<script" not in text
            assert "](javascript" not in text
        if one.name == "junit":
            xml.dom.minidom.parseString(text)


def test_a_layer_that_lies_about_itself_poisons_no_cache(tmp_path: Path, holdfast: Holdfast) -> None:
    """Neither does a clean blob speak for a bad layer's diff ID, nor a cached clean layer for a bad blob."""
    clean, bad = layer({"srv/deploy.txt": "nothing\n"}), layer({"srv/deploy.txt": TOKEN})
    ids = {data: f"sha256:{hashlib.sha256(data).hexdigest()}" for data in (clean, bad)}
    media = OCI + "layer.v1.tar"
    for name, first, second in (("clean blob", (clean, bad), (bad, bad)), ("bad blob", (clean, clean), (bad, clean))):
        shutil.rmtree(holdfast.cache, ignore_errors=True)
        (tmp_path / name).mkdir()
        for number, (data, stated) in enumerate((first, second)):
            where = tmp_path / name / str(number)
            where.mkdir()
            path = layout(where, [(data, data, media)], [ids[stated]])
            outcome = holdfast("scan", f"oci:{path}", "--offline", "-q", "-f", "json", "--only", "secrets")
        found = {one["rule"] for one in outcome.report["findings"]}
        assert "secret.github-pat" in found or "image.diff-id-mismatch" in found, name
        assert name == "bad blob" or "secret.github-pat" in found
