"""What is no finding, or a doubtful one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.model.finding import Confidence
from holdfast.secret.context import is_placeholder, nature_of
from secret.engines import TOKEN, examined

ASSIGNED = b"passphrase = Vk29sLq8wPz4\n"


@pytest.mark.parametrize(
    "text",
    ["changeme", "CHANGE_ME", "change-me-please", "xxxxxxxxxxxx", "XXXXXXXX", "********", "<token>", "<your password>",
     "${TOKEN}", "$TOKEN", "{{ token }}", "%TOKEN%", "%(token)s", "your-token-here", "my-password", "example-key",
     "AKIAIOSFODNN7EXAMPLE", "placeholder", "redacted", "REPLACE_ME", "todo", "null", "password", "secret123",
     "aaaaaaaaaaaaaaaa", "abcdefghijklmnop",
     "hft_0123456789abcdefghij", "123456789012345", "$(cat /run/secret)", "os.environ['TOKEN']", "process.env.TOKEN",
     "@TOKEN@", "__TOKEN__", "[token]", "insert-your-key", "dummy_value", "prefix-${NAME}-suffix"],
)  # fmt: skip
def test_placeholders_are_no_secrets(text: str) -> None:
    assert is_placeholder(text.encode())


@pytest.mark.parametrize(
    "text", ["Vk29sLq8wPz4", TOKEN.decode(), "correct horse battery staple", "hunter2!Q", "4f9c2a7d1e8b3f6a5c0d9e2b"]
)
def test_real_ones_are(text: str) -> None:
    assert not is_placeholder(text.encode())


def test_keys_that_vendors_document_are_no_secrets() -> None:
    assert is_placeholder(
        b"Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6" + b"IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
    )


@given(st.binary(max_size=5000))
def test_any_bytes_are_judged(data: bytes) -> None:
    assert is_placeholder(data) in (True, False)


@given(st.text(max_size=300))
def test_any_path_is_judged(path: str) -> None:
    assert len(nature_of(path)) == 4


@pytest.mark.parametrize(
    "path",
    ["usr/share/doc/app/README", "usr/share/man/man1/app.1", "usr/share/licenses/app/COPYING",
     "usr/lib/python3/dist-packages/app/tests/test_one.py", "srv/node_modules/app/test/fixtures/key.js",
     "root/go/pkg/mod/github.com/app/testdata/key", "usr/lib/python3.11/test/one.py",
     "usr/share/perl5/App/t/test_key.pl",
     "var/lib/gems/3.1.0/gems/app/spec/key_spec.rb", "usr/local/lib/python3.12/site-packages/app-1.dist-info/METADATA"],
)  # fmt: skip
def test_in_documentation_and_in_tests_of_shipped_software_confidence_is_low(path: str) -> None:
    (hit,) = examined(b"key: " + TOKEN, path)
    assert (hit.confidence, bool(hit.note)) == (Confidence.LOW, True)
    assert examined(ASSIGNED, path) == ()


@pytest.mark.parametrize("path", ["srv/app/config.py", "srv/app/tests/key.py", "etc/app.conf", "README", "opt/doc/key"])
def test_and_elsewhere_it_is_what_the_rule_says(path: str) -> None:
    (hit,) = examined(b"key: " + TOKEN, path)
    assert hit.confidence is Confidence.HIGH


@pytest.mark.parametrize(
    "path",
    ["srv/package-lock.json", "srv/yarn.lock", "srv/go.sum", "srv/app.min.js", "srv/app.js.map", "srv/locale/de/app.po",
     "usr/lib/python3/dist-packages/app-1.dist-info/RECORD", "var/lib/dpkg/status", "srv/app/i18n/de.json"],
)  # fmt: skip
def test_generic_rules_leave_alone_what_programs_make(path: str) -> None:
    assert examined(ASSIGNED, path) == ()
    assert len(examined(TOKEN, path)) == 1


def test_generic_rules_leave_minified_text_and_digests_alone() -> None:
    assert len(examined(ASSIGNED, "srv/app.js")) == 1
    assert examined(b"x" * 5000 + ASSIGNED, "srv/app.js") == ()
    assert examined(b"handshake: sha256: passphrase=Vk29sLq8wPz4", "srv/app") != ()
    assert examined(b'passphrase = "Vk29sLq8wPz4"'.replace(b'= "', b'= sha256-"'), "srv/app") == ()


def test_what_a_settings_file_has_in_a_comment_is_low() -> None:
    line = b"login ada word Vk29sLq8"
    (hit,) = examined(b"<!-- an example:\n" + line + b"\n-->", "etc/test/one.conf")
    assert hit.confidence is Confidence.LOW
    (hit,) = examined(b"<!-- an example: -->\n" + line, "etc/test/one.conf")
    assert hit.confidence is Confidence.HIGH


def test_generic_findings_in_shipped_software_and_examples_are_low() -> None:
    (hit,) = examined(ASSIGNED, "usr/lib/python3/dist-packages/app/settings.py")
    assert hit.confidence is Confidence.LOW
    (hit,) = examined(ASSIGNED, "srv/app/tests/settings.py")
    assert hit.confidence is Confidence.LOW
