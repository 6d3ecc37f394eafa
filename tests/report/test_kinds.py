"""Secrets, malware and configuration on a terminal: worst first, redacted, counted, and never more than ten things."""

import io
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from holdfast.model.artifact import Layer, Side
from holdfast.model.finding import Fix, Location, Severity
from holdfast.model.report import Report, Target
from holdfast.report.table import TableWriter
from holdfast.report.text import columns
from report.reports import (
    ALL_ENGINES,
    APPLICATION_LAYER,
    BASE_LAYER,
    deb,
    digest,
    finding,
    malicious,
    pypi,
    report,
    secret,
    setting,
    tampered,
)

DELETING = Layer(digest("rm-diff"), digest("rm"), size=4_000, created_by="RUN rm .env", side=Side.APPLICATION)
LAYERS = (BASE_LAYER, APPLICATION_LAYER, DELETING)


def table(given: Report, *, width: int = 80, colour: bool = False) -> str:
    output = io.StringIO()
    TableWriter().write(given, output, width=width, colour=colour)
    return output.getvalue()


def everything(*findings: Any, **fields: Any) -> Report:
    return report(*findings, **({"engines": ALL_ENGINES, "layers": LAYERS} | fields))


class TestSummary:
    def test_it_counts_every_kind(self) -> None:
        jinja = pypi("jinja2", "2")
        text = table(
            everything(malicious(), secret(), secret("b"), setting(), finding(jinja, "CVE-1"), packages=(jinja,))
        )
        assert "\nSUMMARY  1 malware · 2 secrets · 1 vulnerability · 1 configuration finding\n" in text

    def test_none_is_said_only_of_what_was_looked_for(self) -> None:
        text = table(everything(secret(), engines=("secrets",), checked=(), database=None))
        assert "SUMMARY  malware not looked for · 1 secret · vulnerabilities not looked for" in text
        assert "configuration not looked for" in " ".join(text.split())

    def test_without_advisories_vulnerabilities_were_not_looked_for(self) -> None:
        text = table(everything(database=None, checked=(), packages=(pypi("x", "1"),)))
        assert "SUMMARY  no malware · no secrets · vulnerabilities not looked for" in text

    def test_a_scan_for_secrets_alone_says_nothing_of_packages(self) -> None:
        text = table(everything(secret(), engines=("secrets",), checked=(), database=None))
        assert "\nVULNERABILITIES" not in text

    def test_a_dockerfile_has_no_packages(self) -> None:
        made = everything(setting(), target=Target("Dockerfile", "dockerfile"), engines=("secrets", "configuration"))
        assert table(made).splitlines()[:2] == ["Dockerfile", "dockerfile"]

    def test_kinds_stand_worst_first(self) -> None:
        text = table(
            everything(setting(), secret(), malicious(), tampered(), finding(deb("x", "1"), "CVE-1", fixed="2"))
        )
        places = [
            text.index(f"\n{word}")
            for word in ("TAMPERED", "SUMMARY", "MALWARE", "SECRETS", "VULNERAB", "WHAT", "CONFIG")
        ]
        assert places == sorted(places)


class TestSecrets:
    def test_a_secret_is_told_redacted_with_its_place_and_layer(self) -> None:
        text = table(everything(secret()))
        assert "SECRETS  1 secret in the image: whoever can pull it has them\n" in text
        assert (
            "  critical  AWS access key  AKIA…7QZX\n            srv/app/.env:3  layer #2  secret.aws-access-key\n"
            in text
        )
        assert "    → Revoke the key, then build the image without it.\n" in text

    def test_one_in_a_deleted_file_is_still_there(self) -> None:
        text = table(everything(secret(deleted_by=DELETING.diff_id)))
        assert "            deleted by layer #3, still in the image\n" in text
        other = table(everything(secret(deleted_by=digest("unknown"))))
        assert "deleted by a later layer, still in the image" in other

    @pytest.mark.parametrize("place", ["history 3", "environment API_KEY", "label build", "argument TOKEN"])
    def test_one_outside_of_files_names_its_place(self, place: str) -> None:
        text = table(everything(secret("", 0, place=place, location=Location())))
        assert f"            {place}  secret.aws-access-key\n" in text

    def test_other_places_of_the_same_secret_are_counted(self) -> None:
        assert "srv/app/.env:3, +2 more  layer #2" in table(everything(secret(places=("a:1", "b:2"))))
        assert ", +" not in table(everything(secret(places=("srv/app/.env:3",))))

    def test_a_live_one_stands_first_and_is_said_to_be(self) -> None:
        live = secret("live", alive="yes", confidence="low", severity=Severity.MEDIUM)
        text = table(everything(secret("other"), live))
        assert text.index("live:3") < text.index("other:3")
        assert ", 1 still valid" in text
        assert "AKIA…7QZX  still valid  (low confidence)" in text

    def test_low_confidence_comes_last_and_is_nothing_to_do(self) -> None:
        text = table(everything(secret("doubtful", confidence="low"), secret("sure", severity=Severity.HIGH)))
        assert text.index("sure:3") < text.index("doubtful:3")
        assert "replace 1 secret\n   1. replace AWS access key: sure:3\n" in text

    def test_in_a_folder_it_is_not_said_to_be_in_an_image(self) -> None:
        text = table(everything(secret(title="An access key"), layers=(), target=Target("dir:src", "dir")))
        assert "SECRETS  1 secret: whoever can read this has them\n" in text
        assert "   1. replace an access key: srv/app/.env:3\n" in text

    def test_one_that_its_issuer_calls_dead_needs_no_replacement(self) -> None:
        text = table(everything(secret(alive="no")))
        assert "no longer valid" in text
        assert "WHAT TO DO" not in text

    def test_those_of_low_confidence_share_a_line_a_rule(self) -> None:
        text = table(everything(*(secret(f"usr/lib/{number}", confidence="low") for number in range(12))))
        assert text.count("(low confidence)") == 1
        assert "            usr/lib/0:3, +11 more  layer #2\n" in text

    def test_where_many_rules_advise_the_reader_is_sent_to_explain(self) -> None:
        rules = [replace(secret(f"x{n}"), rule=f"secret.rule-{n}", fix=Fix(advice=f"Do {n}.")) for n in range(3)]
        assert "    → Do 0.\n    → Do 1.\n" in table(everything(*rules[:2]))
        assert "    → revoke or change each where it was made" in table(everything(*rules))

    def test_of_very_many_the_rest_is_counted_by_rule(self) -> None:
        text = table(everything(*(secret(f"srv/{number}") for number in range(500))))
        assert "  and 480 more, each in -f json: secret.aws-access-key 480\n" in text
        assert len(text.splitlines()) < 90


class TestMalware:
    def test_a_file_is_told_with_its_rule_place_and_layer(self) -> None:
        text = table(everything(malicious()))
        assert "MALWARE  1 file looks made to do harm: do not run this image\n" in text
        assert "  critical  malware.miner  A program that mines cryptocurrency\n" in text
        assert "            usr/local/bin/kthreadd  layer #2\n" in text

    def test_a_member_of_an_archive_is_named(self) -> None:
        assert "srv/app.zip!/lib/shell.php" in table(everything(malicious("srv/app.zip", inside="lib/shell.php")))

    def test_signs_of_low_confidence_are_called_signs(self) -> None:
        text = table(everything(malicious(confidence="low")))
        assert "only signs of it, each may be harmless" in text
        assert "WHAT TO DO" not in text

    def test_malicious_packages_keep_their_own_section(self) -> None:
        evil = pypi("flatmap-stream", "0.1.1")
        text = table(everything(finding(evil, "MAL-1", "critical"), malicious(), packages=(evil,)))
        assert "MALWARE  1 package was made to do harm: remove it\n  flatmap-stream 0.1.1: MAL-1\n" in text
        assert "MALWARE  1 file looks" in text
        assert "   1. remove flatmap-stream 0.1.1\n   2. remove usr/local/bin/kthreadd\n" in text
        assert "SUMMARY  2 malware" in text


class TestConfiguration:
    def test_a_rule_is_one_line_with_its_first_place_and_how_many_more(self) -> None:
        many = [setting("image.setuid-file", "medium", f"usr/bin/{number}") for number in range(30)]
        text = table(everything(*many))
        assert "CONFIGURATION  1 rule broken in 30 places\n  1 medium\n" in text
        assert "  medium      image.setuid-file  usr/bin/0, +29 more\n" in text

    def test_one_finding_with_a_count_counts_its_places(self) -> None:
        one = setting("image.setuid-file", "medium", "usr/bin/a", places=("usr/bin/a", "usr/bin/b"), count=7)
        assert "usr/bin/a, +6 more" in table(everything(one))

    def test_what_has_no_place_says_what_it_means(self) -> None:
        assert "  high        image.root-user  Containers of this image run as root\n" in table(everything(setting()))

    def test_a_line_of_a_file_is_named(self) -> None:
        text = table(everything(setting("dockerfile.latest-tag", "medium", "Dockerfile", line=4)))
        assert "  medium      dockerfile.latest-tag  Dockerfile:4\n" in text

    def test_low_ones_are_one_line_beside_worse_ones(self) -> None:
        low = [setting(f"image.low-{number}", "low", "x") for number in range(9)]
        text = table(everything(setting(), *low, setting("image.nothing", "negligible", "x")))
        assert "  and 10 more rules of low or negligible severity: --severity low,negligible\n" in text
        assert "image.low-3" not in text
        assert "image.low-3" in table(everything(*low))

    def test_ten_thousand_findings_stay_readable(self) -> None:
        many = [setting(f"image.rule-{number % 200}", "medium", f"usr/{number}") for number in range(10_000)]
        text = table(everything(*many))
        assert "CONFIGURATION  200 rules broken in 10,000 places" in text
        assert "  and 140 more rules: see -f json\n" in text
        assert len(text.splitlines()) < 90


class TestWhatToDo:
    def test_it_is_never_more_than_ten_things(self) -> None:
        packages = tuple(deb(f"p{number}", "1") for number in range(30))
        findings = [finding(one, "CVE-1", fixed="2") for one in packages]
        settings_ = [setting(f"image.rule-{number}", "critical", "x") for number in range(30)]
        files = [malicious(f"usr/bin/{number}") for number in range(30)]
        text = table(everything(*files, secret(), *settings_, *findings, packages=packages))
        numbers = [line.split(".")[0].strip() for line in _section(text, "WHAT TO DO") if line[2:4].strip().isdigit()]
        assert numbers == [str(number) for number in range(1, 11)]
        assert "and 24 more things to remove: see above" in text
        assert "and 29 more settings to change: see below" in text
        assert "and 28 more upgrades, with 28: see below" in text

    def test_settings_of_medium_severity_are_not_among_them(self) -> None:
        assert "WHAT TO DO" not in table(everything(setting(severity="medium")))

    def test_each_kind_keeps_a_place(self) -> None:
        files = [malicious(f"usr/bin/{number}") for number in range(30)]
        text = "\n".join(_section(table(everything(*files, secret(), setting())), "WHAT TO DO"))
        assert "remove usr/bin/" in text
        assert "replace AWS access key" in text
        assert "Containers of this image run as root" in text


def _section(text: str, title: str) -> Iterator[str]:
    lines = iter(text.splitlines())
    for line in lines:
        if line.startswith(title):
            break
    for line in lines:
        if not line:
            return
        yield line


def test_the_legend_names_the_layers_of_all_kinds() -> None:
    text = table(everything(secret(), malicious(), setting("image.x", "medium", "etc/x")))
    assert f"  #1  {BASE_LAYER.digest[7:19]}  base           1 finding" in text
    assert f"  #2  {APPLICATION_LAYER.digest[7:19]}  application   2 findings" in text


hostile = st.text(st.characters(), max_size=60) | st.sampled_from(["\x1b[2J", "a\udcff", "‮evil", "日本" * 40, "é" * 90])


@settings(max_examples=60, deadline=None)
@given(st.tuples(*[hostile] * 6), st.integers(60, 140), st.sampled_from(["yes", "no", ""]))
def test_nothing_hostile_is_obeyed_and_no_line_is_too_wide(texts: tuple[str, ...], width: int, alive: str) -> None:
    path, title, redacted, place, rule, advice = texts
    made = everything(
        secret(path, title=title, redacted=redacted, place=place, alive=alive, places=(advice, title)),
        malicious(path, title=title, inside=place, matched=(advice,), confidence="medium"),
        setting(rule, "high", path, title=title, found=redacted, places=(place, advice)),
        setting(rule, "low", path, title=title),
    )
    text = table(made, width=width)
    assert all(line.isprintable() and columns(line) <= width for line in text.split("\n"))
