"""No file, however it is made, costs a reader more than its budget, or makes it fail."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.fs.memory import MemoryFile
from holdfast.misconfig import READERS, assess
from holdfast.misconfig.image.instruction import instructions
from holdfast.misconfig.reading import MAX_BYTES, MAX_TRAITS, MAX_VALUE, SettingsReader
from holdfast.misconfig.syntax.braces import MAX_DEPTH, MAX_STATEMENTS, statements
from holdfast.misconfig.syntax.lines import MAX_LINES, numbered
from holdfast.misconfig.syntax.markup import MAX_ELEMENTS, elements
from holdfast.misconfig.syntax.outline import leaves
from holdfast.misconfig.syntax.shell import commands
from holdfast.model.file import Entry, FileType
from holdfast.model.found import Found
from misconfig.examples import SETTINGS
from misconfig.scenes import SELECTOR, image, scene

SETTINGS_READERS = [reader for reader in READERS if isinstance(reader, SettingsReader)]
PIECES = st.sampled_from(
    ["{", "}", ";", "\n", '"', "'", "\\", "#", " ", "=", ":", "[", "]", "<", ">", "<!--", "-->", "/", "$", "${", "- ",
     "autoindex on", "stub_status", "location /a", "alias /b/", "Options Indexes", "<Directory /a>", "</Directory>",
     "user", "root::0:0::/:", "NOPASSWD: ALL", "deb [trusted=yes] http://u:p@h", "bind 0.0.0.0", "\x00", "é", "\ud7ff",
     "[mysqld]", "bind-address=0.0.0.0", "  key: value\n", "<user username='a' password='a'/>",
     "-l 0.0.0.0", "\r", "1" * 5000]
)  # fmt: skip
TEXTS = st.lists(PIECES, max_size=40).map("".join) | st.text(max_size=300)


def _read(reader: SettingsReader, content: bytes) -> Found:
    return reader.read(MemoryFile(Entry("etc/x", FileType.FILE, len(content), 0o644), content))


@given(TEXTS)
@settings(max_examples=150, deadline=None)
def test_any_text_is_read_without_a_fault(text: str) -> None:
    for reader in SETTINGS_READERS:
        found = _read(reader, text.encode("utf-8", "replace"))
        assert len(found.traits) <= MAX_TRAITS
        assert all(len(trait.value) <= MAX_VALUE for trait in found.traits)
        assert all(0 <= trait.line <= text.count("\n") + 1 for trait in found.traits)


@given(st.binary(max_size=300))
@settings(max_examples=60, deadline=None)
def test_any_bytes_are_read_without_a_fault(content: bytes) -> None:
    for reader in SETTINGS_READERS:
        _read(reader, content)


@given(st.sampled_from(SETTINGS), st.integers(0, 400), TEXTS)
@settings(max_examples=150, deadline=None)
def test_a_real_setting_with_anything_in_it_is_read_without_a_fault(
    example: tuple[str, ...], at: int, junk: str
) -> None:
    _, path, text, _ = example
    content = (text[:at] + junk + text[at:]).encode("utf-8", "replace")
    for reader in SELECTOR.by_path(path):
        reader.read(MemoryFile(Entry(path, FileType.FILE, len(content), 0o644), content))


HOSTILE = {
    "braces": "{" * (1 << 20),
    "opened blocks": "a {" * 300_000,
    "quotes": '"' * (1 << 20),
    "escaped quotes": '\\"' * (1 << 19),
    "a quote that never ends": '"' + "\\a" * (1 << 19),
    "tags": "<" * (1 << 20),
    "elements": "<user " * 150_000,
    "attributes": "<user " + "a" * (1 << 20),
    "comments": "<!--" * 200_000,
    "dollars": "${" * (1 << 19),
    "one line": "bind " + "0.0.0.0 " * 130_000,
    "duplicates": "autoindex on;\n" * 75_000 + "x=1\n" * 250_000,
    "sections": "<Directory /a>\n" * 60_000,
    "depth": "".join(" " * (level % 400) + f"k{level}:\n" for level in range(5_000)),
    "accounts": "a::0:0::/:/bin/sh\n" * 60_000,
    "equals": "=" * (1 << 20),
    "blanks": "deb [" + " " * (1 << 20),
    "addresses": "http://" * 140_000,
    "empty lines": "\n" * (4 << 20),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_bounded(name: str) -> None:
    """Were one of the readers quadratic in any of these, this would not end within an hour."""
    content = HOSTILE[name].encode()[:MAX_BYTES]
    for reader in SETTINGS_READERS:
        assert len(_read(reader, content).traits) <= MAX_TRAITS


def test_what_is_too_long_is_said_to_be() -> None:
    (reader,) = [one for one in SETTINGS_READERS if one.name == "passwd"]
    assert _read(reader, b"a" * (MAX_BYTES + 1)).problems[0].code == "configuration.too-large"
    assert _read(reader, b"a::1:1\n" * (MAX_LINES + 2)).problems[0].code == "configuration.too-large"
    assert _read(reader, b"a::0:0\n" * 500).problems[0].code == "configuration.too-many"
    assert not _read(reader, b"a:x:1:1\n").problems


def test_the_work_of_each_form_is_counted() -> None:
    assert len(statements("a;" * (MAX_STATEMENTS + 10))) == MAX_STATEMENTS
    assert max(len(one.within) for one in statements("a {" * 500)) == MAX_DEPTH
    assert sum(1 for _ in elements("<a>" * (MAX_ELEMENTS + 5))) == MAX_ELEMENTS
    assert sum(1 for _ in numbered("a\n" * (MAX_LINES + 5))) == MAX_LINES
    assert max(one.key.count(".") for one in leaves("".join(" " * n + "k:\n" for n in range(200)))) < 64


@given(st.lists(TEXTS, max_size=5), TEXTS)
@settings(max_examples=100, deadline=None)
def test_any_history_is_assessed_without_a_fault(lines: list[str], command: str) -> None:
    assess(scene({}, image(*lines, "RUN " + command, command=(command,), environment=(command, f"DEBUG={command}"))))


@given(TEXTS)
@settings(max_examples=150, deadline=None)
def test_any_command_is_read_without_a_fault(text: str) -> None:
    assert all(one.words and one.words[0] for one in commands(text))


def test_a_long_history_is_bounded() -> None:
    made = image(*["RUN /bin/sh -c " + "|a" * 40_000] * 3, *["#ENV a=b"] * 5_000)
    assert sum(1 for _ in instructions(made)) == 1_000
