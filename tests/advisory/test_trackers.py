"""Debian's tracker and Alpine's security database, in their own words."""

import json
from pathlib import Path
from typing import Any

import pytest

from holdfast.advisory.alpine import AlpineFeed, ids_in
from holdfast.advisory.debian import DebianFeed
from holdfast.model.advisory import Advisory, FixState
from holdfast.model.errors import InputError
from holdfast.model.status import Problem
from holdfast.settings import FeedSettings


def debian(tmp_path: Path, tracker: Any) -> list[Any]:
    (tmp_path / "json").write_text(json.dumps(tracker))
    return list(DebianFeed().read("data/json", tmp_path / "json"))


def of_debian(tmp_path: Path, *, description: str = "", codename: str = "bookworm", **release: Any) -> Advisory:
    (advisory,) = debian(
        tmp_path, {"bash": {"CVE-2022-1": {"description": description, "releases": {codename: release}}}}
    )
    assert isinstance(advisory, Advisory)
    return advisory


@pytest.mark.parametrize(
    ("release", "state", "fixed"),
    [
        ({"status": "resolved", "fixed_version": "5.2-1"}, FixState.FIXED, "5.2-1"),
        ({"status": "resolved", "fixed_version": "0"}, FixState.NOT_AFFECTED, ""),
        ({"status": "open"}, FixState.AFFECTED, ""),
        ({"status": "open", "nodsa": "Minor", "nodsa_reason": ""}, FixState.AFFECTED, ""),
        ({"status": "open", "nodsa": "Minor", "nodsa_reason": "postponed"}, FixState.DEFERRED, ""),
        ({"status": "open", "nodsa": "No", "nodsa_reason": "ignored"}, FixState.WILL_NOT_FIX, ""),
        ({"status": "open", "urgency": "end-of-life"}, FixState.END_OF_LIFE, ""),
        ({"status": "undetermined"}, FixState.UNDER_INVESTIGATION, ""),
    ],
)
def test_debians_states(tmp_path: Path, release: dict[str, Any], state: FixState, fixed: str) -> None:
    row = of_debian(tmp_path, **release).affected[0]
    assert (row.ecosystem, row.name, row.state, row.fixed) == ("Debian:12", "bash", state, fixed)


def test_debians_reason_is_kept(tmp_path: Path) -> None:
    assert of_debian(tmp_path, status="open", nodsa="Minor issue", nodsa_reason="").affected[0].note == "Minor issue"


@pytest.mark.parametrize(
    ("said", "kept"), [("not yet assigned", ""), ("unimportant", "unimportant"), ("high**", "high")]
)
def test_debians_urgency(tmp_path: Path, said: str, kept: str) -> None:
    assert of_debian(tmp_path, status="open", urgency=said).affected[0].urgency == kept


@pytest.mark.parametrize(("codename", "number"), [("buster", "10"), ("trixie", "13"), ("forky", "14"), ("sid", "sid")])
def test_debians_releases(tmp_path: Path, codename: str, number: str) -> None:
    assert of_debian(tmp_path, codename=codename, status="open").affected[0].ecosystem == f"Debian:{number}"


def test_a_rejected_cve_is_none(tmp_path: Path) -> None:
    rejected = {"description": "** REJECT ** not a bug", "releases": {"bookworm": {"status": "open"}}}
    assert debian(tmp_path, {"bash": {"CVE-2022-1": rejected}}) == []


def test_one_damaged_package_does_not_lose_the_rest(tmp_path: Path) -> None:
    good = {"CVE-2022-1": {"releases": {"bookworm": {"status": "open"}}}}
    advisory, problem = debian(tmp_path, {"bad": {"CVE-2022-2": 7}, "bash": good})
    assert isinstance(advisory, Advisory)
    assert isinstance(problem, Problem)
    assert problem.count == 1


def test_what_is_no_tracker(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        debian(tmp_path, ["not", "a", "tracker"])


def alpine(tmp_path: Path, secfixes: dict[str, Any], resource: str = "v3.18/main.json") -> list[Advisory]:
    database = {"distroversion": "v3.18", "packages": [{"pkg": {"name": "busybox", "secfixes": secfixes}}]}
    (tmp_path / "main.json").write_text(json.dumps(database))
    return [one for one in AlpineFeed().read(resource, tmp_path / "main.json") if isinstance(one, Advisory)]


def test_alpines_fixes(tmp_path: Path) -> None:
    first, second = alpine(tmp_path, {"1.33.0-r5": ["CVE-2021-28831"], "0": ["CVE-2021-42373"], "1.0-r0": None})
    row = first.affected[0]
    assert (row.ecosystem, row.name, row.fixed, row.state) == ("Alpine:v3.18", "busybox", "1.33.0-r5", FixState.FIXED)
    assert second.affected[0].state is FixState.NOT_AFFECTED


@pytest.mark.parametrize(
    ("text", "ids", "others"),
    [
        ("CVE-2021-28831", ("CVE-2021-28831",), ()),
        ("CVE-2017-2887 TALOS-2017-0394", ("CVE-2017-2887",), ("TALOS-2017-0394",)),
        ("CVE-2019-17349 CVE-2019-17350 XSA-295", ("CVE-2019-17349", "CVE-2019-17350"), ("XSA-295",)),
        ("GNUTLS-SA-2020-03-31 CVE-2020-11501", ("CVE-2020-11501",), ("GNUTLS-SA-2020-03-31",)),
        ("CVE-2017-17434-1", ("CVE-2017-17434",), ()),
        ("CVE_2019-2426", ("CVE-2019-2426",), ()),
        ("CVE-2018-10103 (SMB - partially fixed)", ("CVE-2018-10103",), ()),
        ("CVE-2021-35940.patch", ("CVE-2021-35940",), ()),
        ("XSA-248", ("XSA-248",), ()),
        ("CVE-????-????? XSA-312", ("XSA-312",), ()),
        ("CVE N/A ZBX-11023", ("ZBX-11023",), ()),
        ("wnpa-sec-2017-18", ("wnpa-sec-2017-18",), ()),
        ("GHSA-fhpf-pp6p-55qc", ("GHSA-fhpf-pp6p-55qc",), ()),
        ("DW202402-001", ("DW202402-001",), ()),
        ("", (), ()),
    ],
)
def test_alpines_odd_ids(text: str, ids: tuple[str, ...], others: tuple[str, ...]) -> None:
    assert ids_in(text) == (ids, others)


def test_a_remark_that_says_not_affected(tmp_path: Path) -> None:
    (advisory,) = alpine(tmp_path, {"1.2-r0": ["CVE-2020-14342 (Not affected, requires --with-systemd)"]})
    assert advisory.affected[0].state is FixState.NOT_AFFECTED


def test_what_is_no_security_database(tmp_path: Path) -> None:
    (tmp_path / "main.json").write_text("{}")
    with pytest.raises(InputError):
        list(AlpineFeed().read("v3.18/main.json", tmp_path / "main.json"))


def test_alpines_releases_may_be_absent() -> None:
    resources = AlpineFeed().resources(FeedSettings())
    assert all(resource.optional for resource in resources)
    assert {"v3.2/main.json", "v3.21/community.json", "edge/main.json"} <= {resource.path for resource in resources}
