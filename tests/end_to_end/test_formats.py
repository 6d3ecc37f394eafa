"""One image with findings of every sort, in every format: valid by their schemas, and telling the same."""

import gzip
import json
import os
import pty
import re
import select
import shutil
import subprocess
import time
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from catalog.samples import paragraph, status
from end_to_end.command import HOLDFAST, Holdfast
from world import image, layer

SCHEMA = Path(__file__).parents[2] / "docs" / "report.schema.json"
FORMS = (
    "json",
    "sarif",
    "cyclonedx",
    "cyclonedx-1.7",
    "spdx",
    "html",
    "markdown",
    "junit",
    "gitlab",
    "gitlab-secrets",
    "table",
)
ANSI = re.compile(r"\x1b\[[0-9;]*m")
CRITICAL = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"


def tracked(fixed: str = "", urgency: str = "not yet assigned", **more: str) -> dict[str, Any]:
    """What Debian's tracker says of one CVE in bookworm."""
    state = {"status": "resolved", "fixed_version": fixed} if fixed else {"status": "open"}
    release = {**state, "repositories": {"bookworm": "1"}, "urgency": urgency, **more}
    return {"description": "A hole | with <marks> and `ticks`.", "scope": "remote", "releases": {"bookworm": release}}


def record(identity: str, ecosystem: str, name: str, fixed: str = "", **more: object) -> dict[str, Any]:
    """One OSV record about one package."""
    events = [{"introduced": "0"}, *([{"fixed": fixed}] if fixed else [])]
    return {
        "id": identity, "modified": "2026-01-01T00:00:00Z", "summary": f"Something in {name}",
        "affected": [{"package": {"ecosystem": ecosystem, "name": name}, "ranges": [
            {"type": "ECOSYSTEM", "events": events}]}], **more,
    }  # fmt: skip


TRACKER = {
    "bash": {
        "CVE-2026-0001": tracked("5.2-2", "high"),
        "CVE-2026-0002": tracked("", "unimportant"),
        "CVE-2026-0003": tracked("", nodsa="Minor issue", nodsa_reason="ignored"),
        "CVE-2026-0004": tracked("0"),
        "CVE-2026-0005": tracked("", "end-of-life"),
    },
    "openssl": {"CVE-2026-0006": tracked("3.1-1", "medium"), "CVE-2026-0007": tracked("", nodsa_reason="postponed")},
}
RECORDS = [
    record("GHSA-aaaa-bbbb-cccc", "PyPI", "flask", "2.3", aliases=["CVE-2026-0100"],
           severity=[{"type": "CVSS_V3", "score": CRITICAL}],
           references=[{"type": "WEB", "url": url} for url in ("https://example.org/a b", "javascript:alert(1)")]),
    record("PYSEC-2026-1", "PyPI", "flask"),
    record("MAL-2026-1", "npm", "evil"),
    record("CVE-2026-0200", "npm", "left-pad", "2.0.0"),
]  # fmt: skip
LOCKED = {"node_modules/left-pad": {"version": "1.3.0"}}


@pytest.fixture(scope="module")
def reported(tmp_path_factory: pytest.TempPathFactory) -> Holdfast:
    """The command with a database of those records, in whose folder `image` has a package for each of them."""
    holdfast = Holdfast(tmp_path_factory.mktemp("home"))
    feeds = holdfast.home / "feeds"
    (feeds / "debian/tracker/data").mkdir(parents=True)
    (feeds / "debian/tracker/data/json.gz").write_bytes(gzip.compress(json.dumps(TRACKER).encode()))
    for ecosystem in ("PyPI", "npm"):
        (feeds / "osv" / ecosystem).mkdir(parents=True)
        with zipfile.ZipFile(feeds / "osv" / ecosystem / "all.zip", "w") as archive:
            for one in RECORDS:
                if one["affected"][0]["package"]["ecosystem"] == ecosystem:
                    archive.writestr(f"{one['id']}.json", json.dumps(one))
    (feeds / "kev").mkdir()
    entry = {"cveID": "CVE-2026-0100", "dateAdded": "2026-02-01", "dueDate": "2026-02-22",
             "vulnerabilityName": "Flask hole", "knownRansomwareCampaignUse": "Known"}  # fmt: skip
    (feeds / "kev/known_exploited_vulnerabilities.json").write_text(json.dumps({"vulnerabilities": [entry]}))
    updated = holdfast("db", "update", "--from", feeds, "-q")
    assert (updated.code, updated.err) == (0, "")
    openssl = paragraph("libssl3", "3.0-1", Source="openssl"), paragraph("openssl", "3.0-1")
    base = {
        "etc/os-release": 'ID=debian\nVERSION_ID="12"\n',
        "var/lib/dpkg/status": status(paragraph("bash", "5.2-1"), *openssl),
        "usr/share/doc/bash/copyright": "Format: x\n\nFiles: *\nLicense: GPL-3+\n",
    }
    application = {
        "srv/lib/Flask-2.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: Flask\nVersion: 2.0\nLicense: BSD\n",
        "srv/node_modules/evil/package.json": '{"name": "evil", "version": "1.0.0", "license": "MIT"}',
        "opt/shop/package-lock.json": json.dumps({"lockfileVersion": 3, "packages": LOCKED}),
    }
    history = ["ADD rootfs /", '#CMD ["bash"]', "COPY . /srv # \x1b[31mred\x1b[0m"]
    image(holdfast.home, [layer(base), layer(application)], history=history)
    return holdfast


@pytest.fixture(scope="module")
def written(reported: Holdfast) -> dict[str, str]:
    """Every format of one scan, by name."""
    outputs = [argument for form in FORMS for argument in ("-o", f"{form}={form}.out")]
    outcome = reported("scan", "oci:image", "--offline", "-q", *outputs)
    assert (outcome.code, outcome.err) == (0, "")
    return {form: (reported.home / f"{form}.out").read_text() for form in FORMS} | {"stdout": outcome.out}


def findings_of(written: dict[str, str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(written["json"])["findings"]
    return found


def test_all_that_the_feeds_say_is_found(written: dict[str, str]) -> None:
    states = {finding["rule"]: finding["fix"].get("state", "affected") for finding in findings_of(written)}
    kinds = {finding["rule"]: finding["kind"] for finding in findings_of(written)}
    assert {rule: states[rule] for rule in sorted(states) if rule.startswith("CVE-")} == {
        "CVE-2026-0001": "fixed", "CVE-2026-0002": "affected", "CVE-2026-0003": "will-not-fix",
        "CVE-2026-0005": "end-of-life", "CVE-2026-0006": "fixed", "CVE-2026-0007": "deferred",
        "CVE-2026-0100": "fixed", "CVE-2026-0200": "fixed",
    }  # fmt: skip
    assert (kinds["MAL-2026-1"], kinds["PYSEC-2026-1"]) == ("malware", "vulnerability")


def test_json_is_valid_by_the_published_schema(written: dict[str, str]) -> None:
    schema = json.loads(SCHEMA.read_text())
    validator = jsonschema.validators.validator_for(schema)
    validator.check_schema(schema)
    document = json.loads(written["json"])
    assert [error.message for error in validator(schema).iter_errors(document)] == []
    assert document["schema"] == "holdfast.report/1"


@pytest.mark.parametrize("form", ["cyclonedx", "cyclonedx-1.7"])
def test_cyclonedx_is_valid_by_the_official_schema_and_tells_the_same(written: dict[str, str], form: str) -> None:
    version = {"cyclonedx": SchemaVersion.V1_6, "cyclonedx-1.7": SchemaVersion.V1_7}[form]
    assert JsonStrictValidator(version).validate_str(written[form]) is None
    document, report = json.loads(written[form]), json.loads(written["json"])
    components = {one["bom-ref"]: one for one in document["components"]}
    libraries = [one for one in components.values() if one["type"] == "library"]
    assert Counter(one["purl"] for one in libraries) == Counter(one["purl"] for one in report["packages"])
    told = {(one["id"], components[place["ref"]]["purl"]) for one in document["vulnerabilities"]
            for place in one["affects"]}  # fmt: skip
    assert told == {
        (finding["rule"], finding["subject"]["purl"]) for finding in report["findings"] if "purl" in finding["subject"]
    }


def test_sarif_has_a_result_for_each_finding(written: dict[str, str]) -> None:
    (run,) = json.loads(written["sarif"])["runs"]
    told = [finding for finding in findings_of(written) if finding["fix"].get("state") != "not-affected"]
    results, rules = run["results"], run["tool"]["driver"]["rules"]
    assert len(results) == len(told)
    assert [one["ruleId"] for one in results] == [finding["rule"] for finding in told]
    assert [rules[one["ruleIndex"]]["id"] for one in results] == [one["ruleId"] for one in results]
    fingerprints = [one["partialFingerprints"]["holdfast/v1"] for one in results]
    assert fingerprints == [finding["fingerprint"] for finding in told]
    assert len(set(fingerprints)) == len(fingerprints)
    severities = {rule["id"]: float(rule["properties"].get("security-severity", 0)) for rule in rules}
    for finding in told:
        low, high = {"critical": (9, 10), "high": (7, 8.9), "medium": (4, 6.9), "low": (0.1, 3.9),
                     "negligible": (0.1, 0.1), "unknown": (0, 0)}[finding["severity"]]  # fmt: skip
        assert low <= severities[finding["rule"]] <= high, finding["rule"]


def test_the_table_counts_what_the_json_lists(written: dict[str, str]) -> None:
    table = written["table"]
    findings = [finding for finding in findings_of(written) if finding["kind"] == "vulnerability"]
    assert written["stdout"] == table
    by_severity = Counter(finding["severity"] for finding in findings)
    order = ("critical", "high", "medium", "low", "negligible", "unknown")
    packages = len({finding["subject"]["purl"] for finding in findings if "purl" in finding["subject"]})
    fixable = sum(finding["fix"].get("state") == "fixed" for finding in findings)
    sides = Counter(finding["location"]["side"] for finding in findings)
    assert f"VULNERABILITIES  {len(findings)} in {packages} packages\n" in table
    assert "  " + " · ".join(f"{by_severity[one]} {one}" for one in order if by_severity[one]) + "\n" in table
    assert (
        f"{fixable} with a fix · {sides['base']} in the base image · {sides['application']} in the application" in table
    )
    assert "known exploited: CVE-2026-0100" in table
    declared = sum(finding["location"]["path"] == "opt/shop/package-lock.json" for finding in findings)
    assert f"{declared} only declared" in table
    sections = re.findall(r"^(BASE IMAGE|APPLICATION|DECLARED)\b.*?  (\d+) in \d+ package", table, re.MULTILINE)
    assert {name: int(number) for name, number in sections} == {
        "BASE IMAGE": sides["base"], "APPLICATION": sides["application"] - declared, "DECLARED": declared,
    }  # fmt: skip


def test_no_format_holds_an_escape_where_there_is_no_terminal(written: dict[str, str]) -> None:
    for form, text in written.items():
        assert "\x1b" not in text, form
    assert max(map(len, written["table"].splitlines())) <= 80


def on_a_terminal(
    holdfast: Holdfast, *arguments: str, columns: int = 100, environment: dict[str, str] | None = None
) -> str:
    """What the command writes to a terminal of its own, standard output and standard error alike."""
    try:
        master, slave = pty.openpty()
    except OSError as error:
        pytest.skip(f"no pseudo-terminal can be had here: {error}")
    os.set_blocking(master, False)
    variables = holdfast.environment | {"TERM": "xterm-256color", "COLUMNS": str(columns)} | (environment or {})
    with subprocess.Popen(
        [HOLDFAST, *arguments], stdin=slave, stdout=slave, stderr=slave, env=variables, cwd=holdfast.home
    ) as process:
        os.close(slave)
        chunks, end = [], time.monotonic() + 60
        while time.monotonic() < end:
            if select.select([master], [], [], 1)[0]:
                try:
                    chunk = os.read(master, 65536)
                except OSError:  # the other side is closed: that is how a terminal ends
                    break
                chunks.append(chunk)
        else:
            process.kill()
            raise TimeoutError(arguments)
    os.close(master)
    assert process.returncode == 0
    return b"".join(chunks).decode().replace("\r\n", "\n")


def test_on_a_terminal_there_is_colour_and_the_same_words(reported: Holdfast) -> None:
    plain = reported("scan", "oci:image", "--offline", "-q").out
    coloured = on_a_terminal(reported, "scan", "oci:image", "--offline", "-q", columns=80)
    assert ANSI.search(coloured)
    assert ANSI.sub("", coloured) == plain


@pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {"TERM": "dumb"}], ids=["NO_COLOR", "dumb"])
def test_not_where_it_is_not_wanted(reported: Holdfast, environment: dict[str, str]) -> None:
    text = on_a_terminal(reported, "scan", "oci:image", "--offline", "-q", environment=environment)
    assert not ANSI.search(text)


@pytest.mark.parametrize("form", ["json", "sarif", "cyclonedx"])
def test_documents_are_never_coloured(reported: Holdfast, form: str) -> None:
    text = on_a_terminal(reported, "scan", "oci:image", "--offline", "-q", "-f", form)
    assert "\x1b" not in text
    json.loads(text)


def test_progress_is_gone_when_it_is_done(reported: Holdfast) -> None:
    """With progress on the same terminal, every line of the report still stands whole and alone."""
    plain = ANSI.sub("", on_a_terminal(reported, "scan", "oci:image", "--offline", "-q"))
    shutil.rmtree(reported.cache)
    drawn = on_a_terminal(reported, "scan", "oci:image", "--offline")
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\r", "", drawn)
    assert text.endswith(plain)


@pytest.mark.parametrize("form", ["json", "sarif", "cyclonedx", "cyclonedx-1.7", "table"])
def test_a_format_says_the_same_on_standard_output_and_in_a_file(reported: Holdfast, form: str) -> None:
    outcome = reported("scan", "oci:image", "--offline", "-q", "-f", form, "-o", f"{form}=file.out")
    assert outcome.out == (reported.home / "file.out").read_text()


def test_sbom_is_the_inventory_without_the_vulnerabilities(reported: Holdfast) -> None:
    outcome = reported("sbom", "oci:image")
    document = json.loads(outcome.out)
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(outcome.out) is None
    assert "vulnerabilities" not in document
    assert len(document["components"]) == 1 + len(
        reported("scan", "oci:image", "--offline", "-f", "json").report["packages"]
    )
