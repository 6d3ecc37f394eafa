"""A survey for people and for programs: what to do first, an image a line, and never more than is known."""

import io
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.model.artifact import Side
from holdfast.model.finding import Kind, Severity
from holdfast.model.status import Gravity, Problem, Status
from holdfast.model.survey import Shared, SharedUpgrade, Survey, Surveyed, SurveyStatistics
from holdfast.report.survey import SURVEY_WRITERS
from holdfast.report.survey.json import schema, schema_text
from holdfast.report.text import columns
from report.reports import DATABASE, digest

PUBLISHED = Path(__file__).parents[2] / "docs" / "survey.schema.json"
HOST = "registry.example.com:5000"
C, H, M, L = Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.LOW


def surveyed(name: str, **fields: Any) -> Surveyed:
    given: dict[str, Any] = {"status": Status.COMPLETE, "packages": 100}
    return Surveyed(f"{HOST}/{name}", **(given | fields))


def upgrade(
    package: str, installed: str, version: str, images: int, vulnerabilities: int, **fields: Any
) -> SharedUpgrade:
    return SharedUpgrade("deb", package, version, images, vulnerabilities, installed=(installed,), **fields)


WORST = surveyed(
    "team/shop:1.2", counts={C: 12, H: 34, M: 1056}, fixable=80, known_exploited=2, risk=98,
    names=(f"{HOST}/team/shop:1", f"{HOST}/team/shop:latest"),
)  # fmt: skip
PART = surveyed("team/api:7", status=Status.PARTIAL, counts={H: 3, L: 9}, fixable=3, risk=61)
CLEAN = surveyed("team/tools:1")
BROKEN = surveyed("team/old:1", status=Status.FAILED, error="Docker's manifest schema 1 is not supported", packages=0)


def survey(*images: Surveyed, **fields: Any) -> Survey:
    given: dict[str, Any] = {
        "target": HOST, "kind": "registry", "status": Status.COMPLETE, "tool": "holdfast 1", "images": images,
        "created": "2026-11-01T00:00:00+00:00", "database": DATABASE,
        "statistics": SurveyStatistics(seconds=12.3, names=len(images), images=len(images)),
    }  # fmt: skip
    return Survey(**(given | fields))


WORLD = survey(
    WORST, PART, CLEAN, BROKEN,
    status=Status.PARTIAL,
    problems=(
        Problem("registry.repository", "a repository's tags could not be listed: HTTP 500", where=f"{HOST}/team/x"),
        Problem("image.unreadable", BROKEN.error, where=BROKEN.name, remedy="push the image again"),
        Problem("registry.attachment", "tags of signatures and other attachments", Gravity.NOTE, count=7),
    ),
    upgrades=(
        upgrade("openssl", "3.0.11-1~deb12u2", "3.0.14-1~deb12u1", 14, 9, side=Side.BASE, known_exploited=1),
        upgrade("jinja2", "2.10", "2.10.1", 1, 1, side=Side.APPLICATION),
    ),
    findings=(Shared("CVE-1", Kind.VULNERABILITY, C, 14, (WORST.name,), package="openssl", fix="3.0.14", risk=98),),
    statistics=SurveyStatistics(seconds=83.2, names=57, images=4, resumed=2),
)  # fmt: skip


def table(given: Survey, *, width: int = 80, colour: bool = False) -> str:
    output = io.StringIO()
    SURVEY_WRITERS[0].write(given, output, width=width, colour=colour)
    return output.getvalue()


def line(text: str, of: str) -> str:
    return next(line for line in text.splitlines() if of in line)


def test_the_whole_of_it() -> None:
    assert table(WORLD).splitlines() == [
        "registry.example.com:5000  all images of the registry",
        "4 images under 57 names · 2 of them from the run that was interrupted · 83 s",
        "advisories as of 2026-10-30: debian, osv/PyPI; 2026-10-29: kev",
        "",
        "PARTIAL  of 4 images 1 could not be read and 1 only in part (marked ~)",
        "  ! a repository's tags could not be listed: HTTP 500: team/x",
        "",
        "VULNERABILITIES  in 2 of 3 images",
        "  worst: critical in 1 · high in 1",
        "  known to be exploited: in 1 image",
        "",
        "WHAT TO DO  2 upgrades that help most",
        "  1. openssl 3.0.11-1~deb12u2 → 3.0.14-1~deb12u1  14 images  9 gone KEV  base",
        "  2. jinja2  2.10             → 2.10.1             1 image   1 gone      app",
        "",
        "IMAGES  by risk  ~ read in part  +N other names",
        "  RISK     C     H     M    FIX  KEV  IMAGE",
        "    98    12    34 1,056     80    2  team/shop:1.2 +2",
        "~   61     ·     3     ·      3    ·  team/api:7",
        "     0     ·     ·     ·      ·    ·  team/tools:1",
        "",
        "NOT READ  1 image",
        "  ! Docker's manifest schema 1 is not supported",
        "    team/old:1",
        "    → push the image again",
        "",
        "NOTES",
        "  7 × tags of signatures and other attachments",
    ]


@pytest.mark.parametrize("width", [60, 80, 120])
def test_every_line_fits(width: int) -> None:
    long = surveyed(
        "a-team-with-a-name/" * 8 + "service:1.2.3-20261101", counts={C: 1}, risk=50, names=("x",), malware=1
    )
    wide = upgrade("a-package-with-a-very-long-name" * 3, "1:9.2p1-2+deb12u3" * 3, "1:9.2p1-2+deb12u9" * 3, 99999, 999)
    made = survey(long, WORST, upgrades=(wide, *WORLD.upgrades), problems=WORLD.problems, status=Status.PARTIAL)
    assert max(columns(line) for line in table(made, width=width).splitlines()) <= width


def test_of_a_long_name_the_end_is_kept() -> None:
    text = table(survey(surveyed("very/" * 30 + "deep/service:1.2.3")))
    assert line(text, "service:1.2.3").endswith("very/deep/service:1.2.3")
    assert "…" in line(text, "service:1.2.3")


def test_malware_secrets_and_tampering_stand_out() -> None:
    text = table(survey(surveyed("a:1", counts={C: 2}, malware=1, secrets=4, tampered=1, risk=100)))
    assert line(text, " a:1").endswith("a:1 MALWARE SECRETS TAMPERED")
    assert "  malware: in 1 image\n  secrets: in 1 image\n" in text


def test_what_runs_is_told_with_its_containers() -> None:
    one = Surveyed("shop:1", Status.COMPLETE, containers=tuple(f"docker:web-{n}" for n in range(6)))
    text = table(survey(one, kind="running", target="this host", statistics=SurveyStatistics(names=6, images=1)))
    assert text.startswith("this host  what runs here\n1 image in 6 containers · 0 s\n")
    assert "in docker:web-0, docker:web-1, docker:web-2, docker:web-3 and 2 more" in " ".join(text.split())


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (survey(kind="running"), "IMAGES  no container runs here"),
        (survey(), "IMAGES  there is none"),
        (survey(status=Status.PARTIAL), "IMAGES  none was found"),
        (survey(kind="running", status=Status.PARTIAL), "IMAGES  none was found"),
        (survey(CLEAN), "VULNERABILITIES  none known of 1 image"),
        (survey(CLEAN, database=None), "VULNERABILITIES  not checked: only the packages were listed of 1 image\n"),
        (survey(surveyed("a", status=Status.PARTIAL), status=Status.PARTIAL), "none found in what could be checked"),
        (survey(BROKEN, status=Status.FAILED), "VULNERABILITIES  nothing was checked"),
    ],
)
def test_nothing_found_is_not_nothing_looked_at(made: Survey, words: str) -> None:
    assert words in table(made)


def test_thousands_of_images_end_in_a_number() -> None:
    text = table(survey(*(surveyed(f"app:{number}") for number in range(3000))))
    assert len(text.splitlines()) < 600
    assert "and 2,500 more images of lower risk" in text


def test_the_published_schema_is_up_to_date() -> None:
    how = "print(holdfast.report.survey.json.schema_text(), end='') into docs/survey.schema.json"
    assert PUBLISHED.read_text() == schema_text(), f"the model has changed; write the schema again: {how}"


def document(given: Survey) -> dict[str, Any]:
    output = io.BytesIO()
    SURVEY_WRITERS[1].write(given, output)
    found: dict[str, Any] = json.loads(output.getvalue())
    return found


@pytest.mark.parametrize("made", [WORLD, survey(), survey(CLEAN, database=None)])
def test_json_is_what_the_schema_says(made: Survey) -> None:
    jsonschema.Draft202012Validator.check_schema(schema())
    jsonschema.validate(document(made), schema())
    assert document(made)["schema"] == "holdfast.survey/1"
    assert next(iter(document(made))) == "schema"


def test_json_holds_everything() -> None:
    made = document(WORLD)
    assert made["images"][0]["counts"] == {"critical": 12, "high": 34, "medium": 1056}
    assert made["upgrades"][0]["known_exploited"] == 1
    assert made["findings"][0]["images"] == 14
    assert made["images"][3]["error"] == BROKEN.error


hostile = st.text(st.characters(), max_size=40) | st.sampled_from(["\x1b[2J", "a\udcff", "‮", "日本" * 30, ""])


@pytest.mark.parametrize("one", SURVEY_WRITERS, ids=lambda one: one.name)
@settings(max_examples=40, deadline=None)
@given(st.data())
def test_whatever_a_name_holds_is_written_harmlessly(one: Any, data: st.DataObject) -> None:
    a, b, c, d = (data.draw(hostile) for _ in range(4))
    made = survey(
        Surveyed(a, Status.PARTIAL, names=(b,), containers=(c,), counts={H: 1}, digest=digest("x")),
        Surveyed(b, Status.FAILED, error=c),
        target=d, status=Status.PARTIAL, upgrades=(upgrade(a, b, c, 1, 1),),
        problems=(Problem("x.y", a, where=b, remedy=c), Problem("x.z", c, Gravity.NOTE, d)),
    )  # fmt: skip
    output = io.BytesIO()
    one.write(made, output)
    text = output.getvalue().decode()
    assert "\x1b" not in text
    if one.name == "table":
        assert max((columns(line) for line in text.split("\n")), default=0) <= 80
