"""The table for people: counts first, what to do, base and application apart, and never more than is known."""

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.model.advisory import DatabaseInfo, SourceInfo
from holdfast.model.finding import Severity
from holdfast.model.package import Package
from holdfast.model.report import Base, Report, Target
from holdfast.model.status import Gravity, Problem, Status
from holdfast.report.table import TableWriter
from holdfast.report.text import columns
from report.reports import (
    BASE_LAYER,
    DATABASE,
    deb,
    declared,
    digest,
    finding,
    misstated,
    pypi,
    report,
    tampered,
)


def table(given: Report, *, width: int = 80, colour: bool = False) -> str:
    output = io.StringIO()
    TableWriter().write(given, output, width=width, colour=colour)
    return output.getvalue()


OPENSSL = deb("openssl", "3.0.11-1~deb12u2")
ZLIB = deb("zlib1g", "1:1.2.13.dfsg-1", source="zlib")
JINJA = pypi("jinja2", "2.10")
WORLD = report(
    finding(OPENSSL, "CVE-2024-1", "critical", fixed="3.0.13-1~deb12u1", risk=90, exploited=True, epss=0.987),
    finding(OPENSSL, "CVE-2024-2", "medium", fixed="3.0.14-1~deb12u1", risk=40),
    finding(ZLIB, "CVE-2023-45853", "critical", state="will-not-fix", risk=60),
    finding(JINJA, "CVE-2019-10906", "high", fixed="2.10.1", risk=58),
    packages=(OPENSSL, ZLIB, JINJA),
)


def test_what_was_scanned_stands_first() -> None:
    head = table(WORLD).splitlines()[:4]
    assert head == [
        "oci:demo:latest",
        "Debian GNU/Linux 12 (bookworm) · linux/amd64 · 3 packages in 2 layers",
        f"sha256:{digest('manifest')[7:19]} · base image: debian:12, 1 layer (known by label)",
        "advisories as of 2026-10-30: debian, osv/PyPI; 2026-10-29: kev",
    ]


def test_counts_come_before_details() -> None:
    text = table(WORLD)
    assert "VULNERABILITIES  4 in 3 packages\n  2 critical · 1 high · 1 medium\n" in text
    assert "  3 with a fix · 3 in the base image · 1 in the application\n" in text
    assert "  known exploited: CVE-2024-1\n" in text
    assert text.index("VULNERABILITIES") < text.index("WHAT TO DO") < text.index("APPLICATION  1")


def test_what_to_do_names_the_version_that_mends_all_and_the_side_that_has_to_move() -> None:
    text = table(WORLD)
    assert "WHAT TO DO  2 upgrades: 3 of 4 gone" in text
    assert "in the base image (debian:12): move to a newer one" in text
    assert "   1. openssl  3.0.11-1~deb12u2 → 3.0.14-1~deb12u1    2 gone, 1 exploited" in text


def test_a_row_tells_risk_versions_severities_layer_and_the_worst_by_id() -> None:
    lines = table(WORLD).splitlines()
    row = next(number for number, line in enumerate(lines) if line.startswith("    90  openssl"))
    assert lines[row].split() == ["90", "openssl", "3.0.11-1~deb12u2", "→", "3.0.14-1~deb12u1", "1", "·", "1", "#1"]
    assert lines[row + 1] == "        CVE-2024-1 exploited EPSS 98%, CVE-2024-2"


def test_what_nobody_mends_stands_apart_with_the_reason() -> None:
    text = table(WORLD)
    assert text.index("without a fix") < text.index("1:1.2.13.dfsg-1")
    assert "will not fix" in text
    assert "CVE-2023-45853  in zlib1g" in text


def test_the_layers_are_named_with_what_made_them() -> None:
    text = table(WORLD)
    assert f"  #1  {BASE_LAYER.digest[7:19]}  base          3 findings  ADD rootfs.tar.xz /" in text


def test_lock_files_and_development_stand_apart() -> None:
    packages = (declared("django", "2.2.0"), declared("pytest", "3.0", development=True))
    text = table(report(*(finding(one, "CVE-1", fixed="9") for one in packages), packages=packages), width=120)
    assert "DECLARED  only named by a lock file, not seen installed  1 in 1 package" in text
    assert "DEVELOPMENT  named by a lock file as not part of what runs  1 in 1 package" in text
    assert "1 only declared · 1 in development packages" in text


def test_not_affected_is_said_and_not_counted() -> None:
    text = table(report(finding(JINJA, "CVE-1", state="not-affected"), packages=(JINJA,)))
    assert "VULNERABILITIES  none known in 1 package" in text
    assert "1 advisory says not affected" in text


def test_one_vulnerability_in_many_binaries_is_counted_once_and_said() -> None:
    packages = tuple(deb(name, "3", source="openssl") for name in ("openssl", "libssl3", "libssl-dev"))
    text = table(report(*(finding(one, "CVE-1", fixed="4") for one in packages), packages=packages))
    assert "VULNERABILITIES  1 in 1 package  (seen 3 times, once in each binary package)" in text


class TestHonesty:
    def test_nothing_found_in_a_whole_scan_is_nothing_known(self) -> None:
        assert "VULNERABILITIES  none known in 1 package\n" in table(report(packages=(JINJA,)))

    def test_without_advisories_nothing_was_checked(self) -> None:
        missing = Problem("database.missing", "no advisory database", remedy="holdfast db update")
        text = table(
            report(packages=(JINJA,), database=None, checked=(), not_checked=("vulnerabilities",), problems=(missing,))
        )
        assert "VULNERABILITIES  not checked: 1 package catalogued, none compared" in text
        assert "PARTIAL" in text
        assert "  ! no advisory database\n    → holdfast db update\n" in text
        assert "not checked: vulnerabilities" in text
        assert "none known" not in text

    def test_where_no_package_was_found_nothing_was_checked(self) -> None:
        text = table(report())
        assert "VULNERABILITIES  nothing was checked: no packages were found\n" in text
        assert "none known" not in text

    def test_packages_that_nothing_was_held_against_are_not_clean(self) -> None:
        assert "not checked: 1 package catalogued, none compared" in table(report(packages=(JINJA,), checked=()))

    def test_what_a_filter_left_out_is_not_unknown(self) -> None:
        hidden = Problem("filter.hidden", "findings left out by --severity", Gravity.NOTE, count=1200)
        text = table(report(packages=(JINJA,), problems=(hidden,)))
        assert "VULNERABILITIES  none of those asked for in 1 package; 1,200 left out\n" in text

    def test_green_is_kept_for_a_whole_answer(self) -> None:
        green = "\x1b[32m  none known"
        assert green in table(report(packages=(JINJA,)), colour=True)
        assert "\x1b[32m" not in table(report(packages=(JINJA,), status=Status.PARTIAL), colour=True)
        assert "\x1b[32m" not in table(report(), colour=True)

    def test_a_date_to_come_is_no_date(self) -> None:
        sources = (SourceInfo("osv/PyPI", "2027-07-09", 1), SourceInfo("kev", "2026-11-01", 1))
        text = table(report(database=DatabaseInfo(sources=sources)))
        assert "advisories as of 2026-11-01: kev; no date stated: osv/PyPI\n" in text

    def test_a_label_that_could_not_be_verified_is_only_a_claim(self) -> None:
        text = table(report(base=Base(name="python:3.12", digest=digest("base"))))
        assert "base image: unknown (a label claims python:3.12)" in text
        assert f"(a label claims {digest('base')[7:19]})" in table(report(base=Base(digest=digest("base"))))

    @pytest.mark.parametrize("where", ["/", "Debian 12"])
    def test_a_place_that_tells_nothing_new_is_not_said(self, where: str) -> None:
        text = table(report(problems=(Problem("x", "no data for Debian 12 at hand", where=where),)))
        assert "  ! no data for Debian 12 at hand\n" in text

    @pytest.mark.parametrize(
        "fields",
        [
            {"status": Status.PARTIAL},
            {"not_checked": ("npm: no advisory data",)},
            {"database": DatabaseInfo(starter=True)},
        ],
    )
    def test_an_incomplete_answer_never_says_none(self, fields: dict[str, object]) -> None:
        text = table(report(packages=(JINJA,), **fields))
        assert "none known" not in text
        assert "none found in what could be checked" in text

    def test_the_starter_pack_is_labelled(self) -> None:
        starter = DatabaseInfo(starter=True, sources=(SourceInfo("starter", "2026-09-01", 104),))
        assert "only the starter pack" in table(report(packages=(JINJA,), database=starter))

    def test_a_source_that_could_not_be_updated_is_named_with_its_date(self) -> None:
        sources = (SourceInfo("debian", "2026-01-01", 1, failure="connection refused"),)
        text = table(report(database=DatabaseInfo(sources=sources)))
        assert "2026-01-01: debian" in text
        assert "debian was not updated: connection refused" in text

    def test_like_problems_are_one_line_with_a_count_and_a_few_places(self) -> None:
        problems = tuple(Problem("x", "damaged entry", where=f"layer {number}") for number in range(5))
        text = table(report(problems=problems))
        assert "  ! 5 × damaged entry: layer 0, layer 1, layer 2 and 2 more\n" in text

    def test_notes_stand_last_and_change_no_status(self) -> None:
        text = table(report(problems=(Problem("filter.hidden", "findings left out", Gravity.NOTE, count=12),)))
        assert text.endswith("NOTES\n  12 × findings left out\n")
        assert "PARTIAL" not in text

    def test_tampered_bytes_stand_before_everything_else(self) -> None:
        text = table(report(tampered(), *WORLD.findings, packages=WORLD.packages))
        assert text.index("TAMPERED") < text.index("VULNERABILITIES")
        assert digest("promised")[:60] in text
        assert "Do not run this image." in text

    def test_a_bill_of_materials_that_does_not_fit_is_told_apart_from_tampering(self) -> None:
        text = table(report(misstated(40), *WORLD.findings, packages=WORLD.packages), width=300)
        assert "TAMPERED" not in text
        assert text.index("BILL OF MATERIALS") < text.index("VULNERABILITIES")
        names = ", ".join(f"deb hidden-{number} 1" for number in range(6))
        assert f"does not list (40 packages): {names} and 34 more\n    → Find out" in text
        assert "(2 packages): deb hidden-0 1, deb hidden-1 1\n" in table(report(misstated(2)), width=300)

    def test_no_row_is_lost_however_many_there_are(self) -> None:
        packages = tuple(deb(f"package-{number}", "1") for number in range(40))
        fixable = [finding(one, "CVE-1", fixed="2") for one in packages[:20]]
        waiting = [finding(one, "CVE-2", "low") for one in packages[20:]]
        text = table(report(*fixable, *waiting, packages=packages))
        assert all(f"package-{number}" in text for number in range(40))
        assert "and 10 more packages with 10:" in text
        assert "WHAT TO DO  10 upgrades: 10 of 40 gone" in text
        assert "and 10 more upgrades, with 10: see below" in text


class TestPlaces:
    """Where there is no layer to name, the path tells which copy it is."""

    def test_without_layers_a_library_is_named_with_its_path_and_how_many_more(self) -> None:
        jinja = pypi("jinja2", "2.10", locations=("a/METADATA", "b/METADATA", "c/METADATA"), diff_id="")
        text = table(report(finding(jinja, "CVE-1", fixed="2.11"), packages=(jinja,), layers=()))
        assert "        CVE-1\n        in a/METADATA, +2 more\n" in text

    def test_copies_that_are_packages_of_their_own_are_counted_too(self) -> None:
        copies = tuple(pypi("jinja2", "2.10", locations=(f"{place}/METADATA",)) for place in "ab")
        text = table(report(finding(copies[0], "CVE-1"), packages=copies, layers=()))
        assert "        in a/METADATA, +1 more\n" in text

    def test_in_an_image_the_layer_is_place_enough(self) -> None:
        assert "        in " not in table(WORLD)

    def test_a_distribution_s_database_is_no_place(self) -> None:
        assert "dpkg/status" not in table(report(*WORLD.findings, packages=WORLD.packages, layers=()))

    def test_go_s_own_library_is_always_named_with_its_binary(self) -> None:
        stdlib = Package(
            "stdlib", "1.23.3", "golang", "pkg:golang/stdlib@1.23.3",
            locations=("usr/bin/app",), diff_id=BASE_LAYER.diff_id,
        )  # fmt: skip
        text = table(report(finding(stdlib, "CVE-1", fixed="1.24"), packages=(stdlib,)))
        assert "        in usr/bin/app\n" in text

    def test_of_a_long_path_the_end_is_kept(self) -> None:
        jinja = pypi("jinja2", "2.10", locations=("x" * 200 + "/METADATA", "b"))
        line = next(line for line in table(report(finding(jinja, "CVE-1"), packages=(jinja,), layers=())).splitlines()
                    if line.startswith("        in …"))  # fmt: skip
        assert line.endswith("x/METADATA, +1 more")
        assert columns(line) <= 80


class TestMalware:
    EVIL = pypi("flatmap-stream", "0.1.1")
    TEXT = table(
        report(tampered(), *WORLD.findings, finding(EVIL, "MAL-1", "critical", risk=100), packages=(EVIL, JINJA))
    )

    def test_it_stands_apart_directly_after_what_is_tampered(self) -> None:
        assert self.TEXT.index("TAMPERED") < self.TEXT.index("MALWARE") < self.TEXT.index("VULNERABILITIES")
        assert "MALWARE  1 package was made to do harm: remove it\n  flatmap-stream 0.1.1: MAL-1\n" in self.TEXT

    def test_removing_it_is_the_first_thing_to_do(self) -> None:
        assert "WHAT TO DO  remove 1 package, then 2 upgrades: 3 of 4 gone\n" in self.TEXT
        assert "gone\n   1. remove flatmap-stream 0.1.1\n" in self.TEXT
        assert "   2. openssl" in self.TEXT

    def test_it_is_no_vulnerability_that_waits_for_a_fix(self) -> None:
        assert "VULNERABILITIES  4 in 3 packages" in self.TEXT
        assert "flatmap-stream" not in self.TEXT[self.TEXT.index("APPLICATION  1 in") :]

    def test_it_is_told_where_nothing_else_is_wrong(self) -> None:
        text = table(report(finding(self.EVIL, "MAL-1", "critical"), packages=(self.EVIL,)))
        assert "VULNERABILITIES  none known beside the malware in 1 package\n" in text
        assert "WHAT TO DO  remove 1 package\n   1. remove flatmap-stream 0.1.1\n" in text


class TestInventory:
    """A scan that looked for nothing but packages lists them."""

    def test_packages_stand_by_type_with_names_and_versions(self) -> None:
        text = table(report(packages=(ZLIB, OPENSSL, JINJA), database=None, checked=("packages",)))
        assert (
            "PACKAGES  3\n  deb  2\n    zlib1g 1:1.2.13.dfsg-1   openssl 3.0.11-1~deb12u2\n  pypi  1\n    jinja2 2.10\n"
        ) in text

    def test_columns_are_aligned_and_read_downwards(self) -> None:
        packages = tuple(pypi("p" * (1 + number % 7), f"{number}") for number in range(14))
        lines = table(report(packages=packages, database=None)).splitlines()
        start = lines.index("  pypi  14") + 1
        assert [line.split()[1] for line in lines[start:]] == ["0", "1", "2"]
        assert len({line.index(f" {number} ") for number, line in enumerate(lines[start:])}) == 1

    def test_of_very_many_the_rest_is_counted(self) -> None:
        text = table(report(packages=tuple(pypi(f"package-{n}", "1") for n in range(1700)), database=None))
        assert "package-499" in text
        assert "package-500" not in text
        assert "  and 1,200 more: see -f json\n" in text

    def test_where_vulnerabilities_were_looked_for_it_is_left_out(self) -> None:
        assert "\nPACKAGES  " not in table(report(packages=(JINJA,)))


def test_packages_are_counted_alike_everywhere_with_thousands_apart() -> None:
    versions = tuple(pypi("jinja2", version, diff_id="") for version in ("2.9", "2.10"))
    findings = [finding(one, f"CVE-{number}", fixed="3") for one in versions for number in range(600)]
    text = table(report(*findings, packages=versions, layers=()))
    assert "VULNERABILITIES  1,200 in 2 packages" in text
    assert "APPLICATION  1,200 in 2 packages" in text
    assert "1,200 gone" in text


class TestTerminal:
    def test_no_colour_unless_asked_for(self) -> None:
        assert "\x1b" not in table(WORLD)
        assert "\x1b[1;31m2 critical\x1b[0m" in table(WORLD, colour=True)

    def test_hostile_names_are_shown_and_not_obeyed(self) -> None:
        evil = deb("lib\x1b[31mevil\u202egnp.exe", "1.0\x07\n")
        text = table(
            report(finding(evil, "CVE-1\x1b[2J", fixed="2\x9b"), packages=(evil,), target=Target("x\udcff\x1b", "dir")),
            width=140,
        )
        assert "lib\\x1b[31mevil\\u202egnp.exe" in text
        assert all(line.isprintable() for line in text.splitlines())

    def test_fixed_versions_are_whole_at_80_columns(self) -> None:
        package = deb("linux-image-6.1.0-13-amd64-with-a-long-name", "6.1.55-1+really6.1.0", source="")
        assert "→ 6.1.129-1~deb12u1  " in table(
            report(finding(package, "CVE-1", fixed="6.1.129-1~deb12u1"), packages=(package,))
        )


names = (
    st.text(st.characters(codec="utf-8"), min_size=1, max_size=60) | st.just("日本語" * 30) | st.just("e\u0301" * 90)
)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(names, names, st.sampled_from(Severity), names | st.just("")), max_size=12),
    st.integers(60, 140),
)
def test_no_line_is_wider_than_the_terminal(drawn: list[tuple[str, str, Severity, str]], width: int) -> None:
    packages, findings = [], []
    for number, (name, version, severity, fixed) in enumerate(drawn):
        packages.append(Package(name, version, "pypi", f"pkg:pypi/x{number}"))
        findings.append(finding(packages[-1], fixed or "CVE-1", severity, fixed=fixed))
    for database in (DATABASE, None):
        text = table(report(*findings, packages=tuple(packages), database=database), width=width)
        assert all(columns(line) <= width for line in text.splitlines())
