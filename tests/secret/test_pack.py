"""Packs: built once, kept, and built again when anything is wrong with what was kept."""

from collections.abc import Callable, Sequence
from pathlib import Path

import hyperscan
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.model.errors import InputError
from holdfast.secret import SecretEngine, pack
from holdfast.secret.pack import Content, Pack, build, fingerprint_of, open_pack, packed, unpack
from holdfast.secret.rule import SecretRule, parse_rules
from secret.engines import RULES, TOKEN, window

PACKED = packed(build(parse_rules(RULES.encode(), "test.toml")))


def opened_in(folder: Path, rules: list[Path]) -> Pack:
    return open_pack(folder, rules, fingerprint_of(rules))


@pytest.fixture
def rules(tmp_path: Path) -> list[Path]:
    path = tmp_path / "rules.toml"
    path.write_text(RULES)
    return [path]


@pytest.fixture
def builds(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    counted: list[int] = []

    def counting(rules: Sequence[SecretRule]) -> Content:
        counted.append(1)
        return build(rules)

    monkeypatch.setattr(pack, "build", counting)
    return counted


def test_a_pack_is_built_once(tmp_path: Path, rules: list[Path], builds: list[int]) -> None:
    for _ in range(3):
        opened = opened_in(tmp_path / "packs", rules)
        assert [rule.id for rule in opened.rules][:2] == ["secret.test-token", "secret.test-checked"]
    assert len(builds) == 1
    (path,) = (tmp_path / "packs").iterdir()
    assert path.stat().st_mode & 0o077 in (0, 0o044)


def test_it_is_built_again_when_a_rule_changes(tmp_path: Path, rules: list[Path], builds: list[int]) -> None:
    opened_in(tmp_path / "packs", rules)
    rules[0].write_text(RULES.replace("{20}", "{21}"))
    opened_in(tmp_path / "packs", rules)
    assert len(builds) == 2


@pytest.mark.parametrize(
    "damage", [lambda data: b"", lambda data: data[:-1], lambda data: b"x" + data, lambda data: data + b"x"]
)
def test_a_damaged_pack_is_built_again(
    tmp_path: Path, rules: list[Path], builds: list[int], damage: Callable[[bytes], bytes]
) -> None:
    opened_in(tmp_path / "packs", rules)
    (path,) = (tmp_path / "packs").iterdir()
    path.write_bytes(damage(path.read_bytes()))
    opened_in(tmp_path / "packs", rules)
    assert len(builds) == 2
    assert unpack(path.read_bytes()) is not None


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path, rules: list[Path]) -> None:
    (tmp_path / "file").write_text("")
    opened = opened_in(tmp_path / "file" / "packs", rules)
    assert SecretEngine(opened, b"k").session().examine(window(TOKEN))


def test_old_packs_are_forgotten(tmp_path: Path, rules: list[Path]) -> None:
    for number in range(6):
        rules[0].write_text(RULES.replace("{20}", f"{{{20 + number}}}"))
        opened_in(tmp_path / "packs", rules)
    assert len(list((tmp_path / "packs").iterdir())) <= 4


def test_a_rule_that_hyperscan_does_not_take_is_named() -> None:
    wrong = RULES.replace('find = ["-----BEGIN TEST KEY-----"]', 'find = ["(?<=a)b"]')
    with pytest.raises(InputError, match=r"secret.test-key.*Hyperscan"):
        build(parse_rules(wrong.encode(), "test.toml"))


def test_a_pack_without_rules_finds_nothing() -> None:
    opened = unpack(packed(build(())))
    assert opened is not None
    assert SecretEngine(opened, b"k").session().examine(window(TOKEN)) == ()


def test_nothing_of_the_examples_is_in_a_pack() -> None:
    text = RULES.replace('severity = "high"', 'severity = "high"\nmatches = ["hft_example-of-a-match"]', 1)
    assert b"example-of-a-match" not in packed(build(parse_rules(text.encode(), "test.toml")))


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_no_pack(data: bytes) -> None:
    assert unpack(data) is None


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(PACKED) - 1), st.integers(1, 255))
def test_one_changed_byte_makes_it_none(place: int, change: int) -> None:
    assert unpack(PACKED[:place] + bytes([PACKED[place] ^ change]) + PACKED[place + 1 :]) is None


def test_a_pack_of_another_processor_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise hyperscan.DatabasePlatformError("error code -5")

    monkeypatch.setattr(hyperscan, "loadb", refuse)
    assert unpack(PACKED) is None
