"""Secrets in an image's configuration, and the mask that takes them out of what is quoted."""

import base64

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.model.artifact import Execution, History, Image
from holdfast.model.finding import Confidence
from holdfast.secret import findings
from holdfast.secret.configuration import ConfigurationSecret, configuration_secrets
from holdfast.secret.mask import Mask
from secret.engines import TOKEN, engine

PASSWORD = "Vk29sLq8wPz4"
ENGINE = engine()


def secrets(**parts: object) -> tuple[ConfigurationSecret, ...]:
    return configuration_secrets(msgspec.convert({"reference": "test", **parts}, Image), ENGINE)


def told(found: tuple[ConfigurationSecret, ...]) -> list[tuple[str, str]]:
    return [(one.place.place, one.place.hits[0].rule.removeprefix("secret.")) for one in found]


def history(*lines: str) -> tuple[ConfigurationSecret, ...]:
    return configuration_secrets(Image("test", history=tuple(History(line) for line in lines)), ENGINE)


def environment(*lines: str) -> tuple[ConfigurationSecret, ...]:
    return configuration_secrets(Image("test", execution=Execution(environment=lines)), ENGINE)


def test_a_token_is_found_wherever_it_stands() -> None:
    token = TOKEN.decode()
    image = Image(
        "test", labels={"build": token}, annotations={"note": token},
        history=(History("RUN make"), History(f"RUN curl -H 'X-Key: {token}' https://issuer.test", comment=token)),
        execution=Execution(
            environment=("PATH=/bin", f"CONFIG={token}"), entrypoint=("serve", token), command=("--key", token),
            health_check=("CMD", "curl", token), on_build=(f"RUN login {token}",),
        ),
    )  # fmt: skip
    assert [place for place, _ in told(configuration_secrets(image, ENGINE))] == [
        "environment CONFIG", "label build", "label note", "history 2", "entrypoint", "command",
        "health check", "on-build",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "name",
    ["PASSWORD", "DB_PASSWORD", "POSTGRES_PASSWORD", "API_TOKEN", "SECRET", "SECRET_KEY", "app.secret", "API_KEY",
     "AWS_SECRET_ACCESS_KEY", "apikey", "GITHUB_TOKEN", "ENCRYPTION_KEY", "MYSQL_ROOT_PASSWORD", "mail-password",
     "PGPASSWORD"],
)  # fmt: skip
def test_a_variable_that_is_called_a_secret_is_one(name: str) -> None:
    (one,) = environment(f"{name}={PASSWORD}")
    assert told((one,)) == [(f"environment {name}", "named-variable")]
    assert one.place.hits[0].confidence is Confidence.MEDIUM


@pytest.mark.parametrize(
    "line",
    [
        "PATH=/usr/bin:/bin", "GPG_KEY=A035C8C19219BA821ECEA86B64E628F8D684696D", "PASSWORD=", "PASSWORD=changeme",
        "PASSWORD=${PASSWORD}", "PASSWORD_FILE=/run/secrets/password", "DB_PASSWORD=/run/secrets/db", "TOKEN=<token>",
        "TOKEN_URL=https://issuer.test/token", "PUBLIC_KEY=Vk29sLq8wPz4", "SECRET_NAME=production-db",
        "API_KEY=xxxxxxxx",
        "TOKEN_EXPIRY=86400", "KEYRING=Vk29sLq8wPz4", "MONKEY=Vk29sLq8wPz4", "ALLOW_EMPTY_PASSWORD=yes",
        "MYSQL_ALLOW_EMPTY_PASSWORD=truetrue", "PASSWORD=your-password-here", "SSL_KEY=/etc/ssl/server.key",
    ],
)  # fmt: skip
def test_and_one_that_only_sounds_like_it_is_none(line: str) -> None:
    assert environment(line) == ()


def test_build_arguments_in_history_are_told_of_by_name() -> None:
    found = history(f"|2 VERSION=1.2 NPM_TOKEN={PASSWORD} /bin/sh -c npm ci # buildkit")
    assert told(found) == [("argument NPM_TOKEN", "named-variable")]
    found = history(f"RUN |1 DB_PASSWORD=two words {PASSWORD} /bin/sh -c make")
    assert [place for place, _ in told(found)] in ([], ["argument DB_PASSWORD"])


@pytest.mark.parametrize(
    "line",
    [
        f"ENV DB_PASSWORD={PASSWORD}",
        f"/bin/sh -c #(nop)  ENV DB_PASSWORD={PASSWORD}",
        f"ENV DB_PASSWORD {PASSWORD}",
        f"ARG DB_PASSWORD={PASSWORD}",
        f"RUN export DB_PASSWORD='{PASSWORD}' && make",
        f'RUN DB_PASSWORD="{PASSWORD}" make',
        f"RUN mysql --password={PASSWORD} -e 'select 1'",
    ],
)
def test_assignments_in_history_are_read(line: str) -> None:
    (one,) = history("FROM scratch", line)
    assert told((one,)) == [("history 2", "named-variable")]
    assert one.secret == PASSWORD


def test_a_value_that_a_rule_knows_is_not_told_of_twice() -> None:
    assert told(environment(f"API_TOKEN={TOKEN.decode()}")) == [("environment API_TOKEN", "test-token")]


def test_findings_of_a_configuration_say_where() -> None:
    (one,) = findings([secret.place for secret in environment(f"DB_PASSWORD={PASSWORD}")], ENGINE.rules)
    assert one.subject.name == "environment DB_PASSWORD"
    assert one.location.path == ""
    assert "BuildKit" in one.fix.advice


def test_the_mask_takes_every_secret_out_of_a_text() -> None:
    token, wrapped = TOKEN.decode(), base64.b64encode(b'{"auth": "' + TOKEN + b'"}').decode()
    found = environment(f"A_TOKEN={token}", f"PASSWORD={PASSWORD}", f"CONFIG={wrapped}", 'OTHER_PASSWORD=a"b\\c%dFgh')
    assert len(found) == 4
    mask = Mask(found)
    text = mask(f"ENV A={token} B={PASSWORD} {wrapped} " + r'"a\"b\\c%dFgh"' + " a%22b%5Cc%25dFgh")
    assert text.startswith("ENV A=hft…Rd1 B=Vk…4 ")
    for hidden in (token, PASSWORD, wrapped[4:-4], "dFgh"):
        assert hidden not in text
    assert repr(mask) == f"Mask({(mask(token) and 0) or len(mask._shown)})"
    assert not Mask(())
    assert PASSWORD not in repr(found)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.text(max_size=60), max_size=4), st.dictionaries(st.text(max_size=10), st.text(max_size=60), max_size=3)
)
def test_any_configuration_is_read(lines: list[str], labels: dict[str, str]) -> None:
    image = Image(
        "test", labels=labels, history=tuple(History(line, comment=line) for line in lines),
        execution=Execution(environment=tuple(lines), command=tuple(lines)),
    )  # fmt: skip
    found = configuration_secrets(image, ENGINE)
    mask = Mask(found)
    for line in lines:
        mask(line)


@settings(max_examples=60, deadline=None)
@given(st.text("ABC_=|12 '\";&\\\n/bin/sh-c#(nop)ENVPASSWORD", max_size=120))
def test_any_history_line_is_read_and_masked(line: str) -> None:
    found = history(line, f"|1 {line}")
    mask = Mask(found)
    for one in found:
        if len(one.secret) >= 8:
            assert one.secret not in mask(line)


def test_a_long_history_line_takes_no_time_to_speak_of() -> None:
    assert history("RUN " + "PASSWORD=" * 100_000) is not None
    assert history("|999 " + "A=" * 100_000) is not None
    assert history("RUN " + "a" * 1_000_000) == ()
