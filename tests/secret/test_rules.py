"""Every rule against its own examples, through the real engine; and what holds of the whole set."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import hyperscan
import pytest

from holdfast.model.file import Window
from holdfast.model.finding import Confidence
from holdfast.secret.checks import CHECKS
from holdfast.secret.derive import expression_of
from holdfast.secret.engine import SecretEngine
from holdfast.secret.hit import SecretHit
from holdfast.secret.pack import rule_files
from holdfast.secret.rule import Example, SecretRule, load_rules, unknown_checks

RULES = load_rules(rule_files())
LEAST_RULES = 180
LEAST_EXAMPLES = 400

# Where the example of one rule holds, by its nature, what another rule is for.
RELATED = {
    # a kubeconfig and the account of a robot carry a key in base64 or JSON
    ("secret.kubeconfig-client-key", "secret.private-key"),
    ("secret.gcp-service-account-key", "secret.private-key"),
    ("secret.onepassword-service-account-token", "secret.onepassword-secret-key"),
    # one file has a pass phrase, the other has none
    ("secret.embedded-private-key", "secret.private-key"),
    ("secret.encrypted-private-key", "secret.openssh-private-key"),
    ("secret.openssh-private-key", "secret.encrypted-private-key"),
}

_ATOM = re.compile(r"\\s[*+](?![*+])|\\.|\[\^?\]?(?:\\.|[^\]\\])*\]")
_ENDLESS = re.compile(r"(?<!\()[*+]|\{\d*,\}")


def endless(expression: str) -> list[str]:
    """Repetition without an upper bound, white space aside: it makes a match, and its work, as long as the file."""
    return _ENDLESS.findall(_ATOM.sub("x", expression))


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> SecretEngine:
    return SecretEngine.load(tmp_path_factory.mktemp("packs"), b"a key of thirty-two bytes for it")


def examined(engine: SecretEngine, path: str, content: bytes) -> tuple[SecretHit, ...]:
    return engine.session().examine(Window(path, content, len(content)))


def examples(rule: SecretRule) -> Iterator[tuple[str, bytes, bool]]:
    for matching, listed in ((True, rule.matches), (False, rule.ignores)):
        for example in listed:
            yield *rule.example(example), matching


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_matches_and_ignores_what_it_says(engine: SecretEngine, rule: SecretRule) -> None:
    for path, content, matching in examples(rule):
        hits = examined(engine, path, content)
        own = [hit for hit in hits if hit.rule == rule.id]
        if matching:
            assert own, f"missed in {content[:80]!r}; found: {[hit.rule for hit in hits]}"
            assert own[0].confidence == rule.confidence, f"not as sure as it says of {content[:80]!r}"
        else:
            sure = [hit for hit in own if hit.confidence != Confidence.LOW]
            assert not sure, f"found in {content[:80]!r}"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_no_other_rule_is_sure_of_a_rules_examples(engine: SecretEngine, rule: SecretRule) -> None:
    for path, content, _ in examples(rule):
        others = {
            hit.rule
            for hit in examined(engine, path, content)
            if hit.confidence == Confidence.HIGH and hit.rule != rule.id and (rule.id, hit.rule) not in RELATED
        }
        assert not others, f"in {content[:80]!r}"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_explains_itself(rule: SecretRule) -> None:
    described = rule.described

    assert described.title[0].isupper()
    assert not described.title.endswith(".")
    assert len(described.why) > 40
    assert len(described.fix) > 40
    assert described.controls
    assert described.techniques
    assert all(reference.startswith("https://") for reference in described.references)
    assert rule.matches, "shows nothing that it finds"
    assert rule.ignores, "shows nothing that it leaves alone"
    assert not unknown_checks(rule, CHECKS)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_what_hyperscan_looks_for_compiles_and_is_bounded(rule: SecretRule) -> None:
    for expression in rule.find or (expression_of(rule.pattern).text,):
        database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
        database.compile(expressions=[expression.encode()], ids=[0], elements=1, flags=[hyperscan.HS_FLAG_DOTALL])
        assert not endless(expression), expression


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_match_is_found_by_what_hyperscan_looks_for(rule: SecretRule) -> None:
    """Each on its own, as one expression may hide behind another; Hyperscan drops matches of some expressions."""
    texts = [text.encode() for text in rule.find or (expression_of(rule.pattern).text,)]
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    flags = [hyperscan.HS_FLAG_DOTALL] * len(texts)
    database.compile(expressions=texts, ids=list(range(len(texts))), elements=len(texts), flags=flags)
    ends: list[int] = []

    def note(_number: int, _start: int, end: int, _flags: int, _context: object) -> None:
        ends.append(end)

    for example in rule.matches:
        ends.clear()
        _, content = rule.example(example)
        database.scan(content, match_event_handler=note)
        assert ends, content[:80]


def test_there_are_enough_rules_and_examples_and_half_of_them_negative() -> None:
    positive = sum(len(rule.matches) for rule in RULES)
    negative = sum(len(rule.ignores) for rule in RULES)

    assert len(RULES) >= LEAST_RULES
    assert positive + negative >= LEAST_EXAMPLES
    assert negative >= positive


def test_no_id_and_no_title_stands_twice() -> None:
    for names in (Counter(rule.id for rule in RULES), Counter(rule.title for rule in RULES)):
        assert [name for name, count in names.items() if count > 1] == []


def test_no_example_stands_twice() -> None:
    texts = Counter(
        example if isinstance(example, str) else example.content.decode(errors="replace")
        for rule in RULES
        for example in rule.matches
        if not isinstance(example, Example) or example.content
    )
    assert [text for text, count in texts.items() if count > 1] == []


def test_generic_rules_are_of_medium_confidence_at_most() -> None:
    assert [rule.id for rule in RULES if rule.generic and rule.confidence == Confidence.HIGH] == []


def test_a_family_file_opens_with_what_it_holds() -> None:
    for path in rule_files():
        assert Path(path).read_text().startswith("# "), path


def test_no_pattern_repeats_without_end() -> None:
    """Counted work needs a longest match: beyond white space nothing may go on for ever."""
    assert [rule.id for rule in RULES if endless(rule.pattern) or endless(rule.near)] == []
