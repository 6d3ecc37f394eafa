"""What many images have in common: each cause once, what to do about most of them, and never more than a bound."""

from holdfast.model.artifact import Side
from holdfast.model.finding import Kind, Severity
from holdfast.model.report import Target
from holdfast.model.status import Gravity, Problem, Status
from holdfast.survey.summary import Summary, summarize
from holdfast.survey.tally import Tally
from report.reports import deb, declared, digest, finding, pypi, report, tampered

OLD, NEW = deb("openssl", "3.0.11-1"), deb("openssl", "3.0.13-1")
LIBSSL = deb("libssl3", "3.0.11-1", source="openssl")


def summary(name: str, *found: object, packages: tuple[object, ...] = (OLD,), **fields: object) -> Summary:
    made = report(*found, packages=packages, target=Target(name, "registry", digest(name)), **fields)  # type: ignore[arg-type]
    return summarize(made, name)


def tally(*summaries: Summary, most: int = 100) -> Tally:
    made = Tally(most)
    for one in summaries:
        made.add(one)
    return made


def test_one_cause_is_one_line_with_the_number_of_its_images() -> None:
    found = finding(OLD, "CVE-1", "critical", fixed="3.0.14-1", risk=80, exploited=True)
    (shared,) = tally(*(summary(f"app:{number}", found) for number in range(14))).findings()
    assert (shared.rule, shared.package, shared.fix, shared.severity) == ("CVE-1", "openssl", "3.0.14-1", "critical")
    assert (shared.images, shared.risk, shared.known_exploited, shared.side) == (14, 80, True, Side.BASE)
    assert shared.examples == ("app:0", "app:1", "app:10", "app:11", "app:12")


def test_two_binaries_of_one_source_are_one_cause() -> None:
    both = (finding(OLD, "CVE-1", fixed="3.0.14-1"), finding(LIBSSL, "CVE-1", fixed="3.0.14-1"))
    (shared,) = tally(summary("app", *both, packages=(OLD, LIBSSL))).findings()
    assert shared.images == 1


def test_another_fix_is_another_cause() -> None:
    first, second = finding(OLD, "CVE-1", fixed="3.0.14-1"), finding(OLD, "CVE-1", fixed="1.1.1w-2")
    assert len(tally(summary("bookworm", first), summary("bullseye", second)).findings()) == 2


def test_upgrades_are_by_package_and_version_and_count_vulnerabilities() -> None:
    rules = [finding(OLD, f"CVE-{number}", fixed=f"3.0.{number}-1", risk=10) for number in range(12, 15)]
    images = [summary(f"app:{number}", *rules) for number in range(3)]
    newer = summary("newer", finding(NEW, "CVE-14", fixed="3.0.14-1", risk=10), packages=(NEW,))
    (upgrade,) = tally(*images, newer).upgrades()
    assert (upgrade.package, upgrade.version, upgrade.images, upgrade.vulnerabilities) == ("openssl", "3.0.14-1", 4, 3)
    assert upgrade.installed == ("3.0.11-1", "3.0.13-1")


def test_what_is_exploited_comes_first_then_what_weighs_most_over_all_images() -> None:
    jinja, lodash, yaml = pypi("jinja2", "1"), pypi("lodash", "1"), pypi("pyyaml", "1")
    packages = (jinja, lodash, yaml)
    everywhere = [summary(f"{n}", finding(jinja, "CVE-1", fixed="2", risk=30), packages=packages) for n in range(5)]
    once = summary("once", finding(lodash, "CVE-2", fixed="2", risk=99), packages=packages)
    exploited = summary("exploited", finding(yaml, "CVE-3", fixed="2", risk=20, exploited=True), packages=packages)
    made = tally(once, *everywhere, exploited)
    assert [upgrade.package for upgrade in made.upgrades()] == ["pyyaml", "jinja2", "lodash"]
    assert [shared.package for shared in made.findings()] == ["lodash", "jinja2", "pyyaml"]


def test_what_has_no_fix_or_serves_development_is_nothing_to_do() -> None:
    dev = declared("django", "1", development=True)
    one = summary("app", finding(OLD, "CVE-1", state="will-not-fix"), finding(dev, "CVE-2", fixed="2"),
                  packages=(OLD, dev))  # fmt: skip
    made = tally(one)
    assert made.upgrades() == ()
    assert len(made.findings()) == 2


def test_tampering_counts_by_its_rule() -> None:
    made = tally(summary("a", tampered()), summary("b", tampered()))
    (shared,) = made.findings()
    assert (shared.kind, shared.images, shared.package) == (Kind.INTEGRITY, 2, "")
    assert summary("a", tampered()).image.tampered == 1


def test_the_order_in_which_workers_end_changes_nothing() -> None:
    images = [summary(f"app:{n}", finding(OLD, f"CVE-{n % 3}", fixed=f"3.0.{12 + n}-1", risk=n)) for n in range(9)]
    there, back = tally(*images), tally(*reversed(images))
    assert there.findings() == back.findings()
    assert there.upgrades() == back.upgrades()
    assert list(there.problems) == list(back.problems)


def test_what_is_kept_is_bounded_and_what_matters_most_stays() -> None:
    def image(number: int) -> Summary:
        found = [finding(OLD, f"CVE-{number}-{n}", risk=n, state="affected") for n in range(10)]
        return summary(f"app:{number}", *found)

    made = tally(*(image(number) for number in range(50)), most=20)
    assert {shared.risk for shared in made.findings()} == {9}
    assert len(made.findings()) == 20
    assert "survey.findings-left-out" in {problem.code for problem in made.problems}


def test_like_problems_are_one_with_the_first_images() -> None:
    problem = Problem("layer.truncated", "it ends early", Gravity.PARTIAL, "layer 1", "pull it again")
    other = Problem("layer.truncated", "it ends early", Gravity.PARTIAL, "layer 7", "pull it again")
    images = [summary(f"app:{number}", problems=(problem, other), status=Status.PARTIAL) for number in range(5)]
    (told,) = tally(*images).problems
    assert told == Problem(
        "layer.truncated", "it ends early", Gravity.PARTIAL, "app:0, app:1, app:2 and 2 more", "pull it again", 10
    )


def test_what_is_wrong_with_the_advisories_is_said_once() -> None:
    old = Problem("database.old", "is 400 days old", Gravity.NOTE, "osv/npm")
    assert list(tally(*(summary(f"app:{n}", problems=(old,)) for n in range(5))).problems) == [old]


def test_a_summary_counts_as_people_do() -> None:
    both = (finding(OLD, "CVE-1", "critical", fixed="3.0.14-1", risk=70, exploited=True),
            finding(LIBSSL, "CVE-1", "critical", fixed="3.0.14-1", risk=70, exploited=True),
            finding(OLD, "CVE-2", "low", state="affected", risk=5))  # fmt: skip
    image = summary("app", *both, packages=(OLD, LIBSSL)).image
    assert image.counts == {Severity.CRITICAL: 1, Severity.LOW: 1}
    assert (image.fixable, image.known_exploited, image.risk, image.packages) == (1, 1, 70, 2)
