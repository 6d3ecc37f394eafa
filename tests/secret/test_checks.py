"""What is held true of a candidate beyond its form."""

import base64
import hashlib
import json
import zlib
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.secret.checks import CHECKS
from holdfast.secret.checks.checksum import crc24, digits
from holdfast.secret.checks.key import element, kind_of_der
from holdfast.secret.checks.password import is_placeholder
from holdfast.secret.checks.randomness import is_repetitive, shannon

PLAIN = serialization.NoEncryption()
SEALED = serialization.BestAvailableEncryption(b"a pass phrase")
BASE62 = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

Private = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | dsa.DSAPrivateKey | ed25519.Ed25519PrivateKey


def holds(check: str, secret: bytes) -> bool:
    name, _, argument = check.partition(":")
    return CHECKS[name](secret, argument).holds


def words(check: str, secret: bytes) -> str:
    name, _, argument = check.partition(":")
    return CHECKS[name](secret, argument).words


def segment(value: object) -> bytes:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=")


def token(header: object, claims: object, signature: bytes = bytes(range(32))) -> bytes:
    return b".".join([segment(header), segment(claims), base64.urlsafe_b64encode(signature).rstrip(b"=")])


def pem(key: Private, form: str = "PKCS8", encryption: serialization.KeySerializationEncryption = PLAIN) -> bytes:
    return key.private_bytes(serialization.Encoding.PEM, getattr(serialization.PrivateFormat, form), encryption)


@pytest.fixture(scope="module")
def keys() -> dict[str, Private]:
    return {
        "RSA": rsa.generate_private_key(65537, 1024),
        "EC": ec.generate_private_key(ec.SECP256R1()),
        "Ed25519": ed25519.Ed25519PrivateKey.generate(),
    }


# -- checksums --------------------------------------------------------------------------------------------------------


def test_a_token_of_github_ends_with_the_crc_of_its_body() -> None:
    body = b"aVeryRandomBodyOfThirtyLetters"
    good = b"ghp_" + body + digits(zlib.crc32(body), BASE62, 6)

    assert words("crc32-base62", good) == "checksum"
    assert not holds("crc32-base62", good[:-1] + (b"a" if good[-1:] != b"a" else b"b"))
    assert not holds("crc32-base62", b"ghp_")


def test_a_routable_token_of_gitlab_ends_with_the_crc_of_all_before_it() -> None:
    body = b"glpat-c29tZSByb3V0aW5nIHBheWxvYWQgaGVyZQ.01.14"
    crc = digits(zlib.crc32(body), b"0123456789abcdefghijklmnopqrstuvwxyz", 7)

    assert holds("crc32-base36", body + crc)
    assert not holds("crc32-base36", body + b"0000000")


def test_a_token_of_atlassian_ends_with_the_crc_in_capitals() -> None:
    body = b"ATATT3xFfGF0abcdefgh-ijkl_mnop="

    assert holds("crc32-hex", body + b"%08X" % zlib.crc32(body))
    assert not holds("crc32-hex", body + b"00000000")


def test_a_token_of_grafana_ends_with_the_crc_little_end_first() -> None:
    body = b"glsa_k7Qm2xLw9Zr4Vb8Np3Yc6Hd1Tq5Rw0Ls"

    assert holds("crc32-hex-little", body + b"_" + zlib.crc32(body).to_bytes(4, "little").hex().encode())
    assert not holds("crc32-hex-little", body + b"_00000000")


def test_an_extended_key_of_bitcoin_has_the_checksum_of_base_58() -> None:
    data = bytes.fromhex("0488ade4") + bytes(range(74))
    data += hashlib.sha256(hashlib.sha256(data).digest()).digest()[:4]
    written = digits(int.from_bytes(data, "big"), b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz", 1)

    assert holds("base58-check", written)
    assert not holds("base58-check", written[:-1] + (b"2" if written[-1:] != b"2" else b"3"))


def test_a_key_of_age_has_the_checksum_of_bech32() -> None:
    # The example of age's own documentation; it is read and never reported.
    example = b"AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX"

    assert holds("bech32", example)
    assert not holds("bech32", example[:-1] + b"Q")


def test_a_key_id_of_aws_tells_its_account() -> None:
    account = 171592342618
    packed = (account << 7).to_bytes(6, "big") + bytes(4)
    key_id = b"AKIA" + base64.b32encode(packed)

    assert words("aws-key-id", key_id) == f"account {account}"
    assert not holds("aws-key-id", b"AKIA" + base64.b32encode(b"\x7f\xff\xff\xff\xff\xff" + bytes(4)))
    assert not holds("aws-key-id", b"AKIA0000000000000000")


def test_the_checksum_of_openpgps_armour() -> None:
    assert crc24(b"") == 0xB704CE
    assert crc24(b"123456789") == 0x21CF02


# -- structure --------------------------------------------------------------------------------------------------------


def test_a_signed_token_has_an_algorithm_claims_and_a_signature() -> None:
    assert holds("jwt", token({"alg": "RS256"}, {"sub": "seed"}))
    assert not holds("jwt", token({"alg": "none"}, {"sub": "seed"}))
    assert not holds("jwt", token({"typ": "JWT"}, {"sub": "seed"}))
    assert not holds("jwt", token({"alg": "RS256"}, ["no claims"]))
    assert not holds("jwt", token({"alg": "RS256"}, {"sub": "seed"}, b"short"))
    assert not holds("jwt", token({"alg": "HS256"}, {"sub": "1234567890", "name": "John Doe"}))


def test_a_claim_can_be_asked_for() -> None:
    claims = {"role": "service_role"}

    assert holds("jwt:service_role", token({"alg": "HS256"}, claims))
    assert not holds("jwt:service_role", token({"alg": "HS256"}, {"role": "anon"}))


def test_json_deeper_than_the_stack_is_no_token() -> None:
    deep = base64.urlsafe_b64encode(b"[" * 30_000)

    assert not holds("jwt", deep + b"." + deep + b"." + segment({}))


def test_base64_is_measured_in_bytes_and_is_no_text() -> None:
    assert holds("base64:32", base64.b64encode(hashlib.sha256(b"seed").digest()))
    assert not holds("base64:32", base64.b64encode(b"this is only a text of thirty-two"))
    assert not holds("base64:64", base64.b64encode(hashlib.sha256(b"seed").digest()))
    assert not holds("base64:32", base64.b64encode(bytes(32)))


def test_a_login_in_base64_has_a_user_and_a_password() -> None:
    assert holds("basic", base64.b64encode(b"ada:w7Qm-29xLtRz"))
    assert not holds("basic", base64.b64encode(b"user:password"))
    assert not holds("basic", base64.b64encode(b"ada-without-password"))
    assert not holds("basic", base64.b64encode(b"s6BhdRkqt3:gX1fBat3bV"))


@pytest.mark.parametrize(
    ("uuid", "good"),
    [
        (b"3f9c27d1-b84e-4c60-a5d2-9e017f6b83c4", True),
        (b"3f9c27d1-b84e-1c60-a5d2-9e017f6b83c4", False),
        (b"3f9c27d1-b84e-4c60-05d2-9e017f6b83c4", False),
        (b"00000000-0000-4000-8000-000000000000", False),
    ],
)
def test_a_uuid_is_one_that_chance_made(uuid: bytes, good: bool) -> None:
    assert holds("uuid", uuid) == good


# -- keys -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["RSA", "EC", "Ed25519"])
def test_a_private_key_decodes(keys: dict[str, Private], kind: str) -> None:
    plain = pem(keys[kind])

    assert holds("pem", plain)
    assert holds("pem", plain.replace(b"\n", b"\r\n"))
    assert holds("pem", plain.replace(b"\n", b"\\n")), "as JSON and environment variables have it"
    assert not holds("pem:encrypted", plain)
    assert not holds("pem", plain.replace(b"\nM", b"\nA"))


@pytest.mark.parametrize("kind", ["RSA", "EC"])
def test_a_traditional_key_is_what_its_first_line_names(keys: dict[str, Private], kind: str) -> None:
    plain = pem(keys[kind], "TraditionalOpenSSL")

    assert holds("pem", plain)
    assert not holds("pem", plain.replace(kind.encode() + b" PRIVATE", b"DSA PRIVATE"))


def test_a_key_that_is_put_together_in_code_decodes(keys: dict[str, Private]) -> None:
    lines = pem(keys["RSA"]).decode().splitlines()
    code = ('"' + '\\n" +\n    "'.join(lines) + '"').encode()

    assert holds("pem", code)


def test_an_encrypted_key_is_told_from_a_plain_one(keys: dict[str, Private]) -> None:
    for sealed in (pem(keys["EC"], encryption=SEALED), pem(keys["RSA"], "TraditionalOpenSSL", SEALED)):
        assert not holds("pem", sealed)
        assert holds("pem:encrypted", sealed)


def test_an_openssh_key_names_its_cipher(keys: dict[str, Private]) -> None:
    plain = pem(keys["Ed25519"], "OpenSSH")

    assert holds("pem", plain)
    assert not holds("pem:encrypted", plain)
    assert not holds("pem", plain[:80] + plain[-40:])


def test_a_pkcs12_file_begins_with_its_version(keys: dict[str, Private]) -> None:
    key = keys["EC"]
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    file = pkcs12.serialize_key_and_certificates(b"seed", key, None, None, SEALED)

    assert holds("pkcs12", file[:64])
    assert not holds("pkcs12", b"\x30\x82\x01\x00\x02\x01\x01\x30" + bytes(40))


def test_der_is_read_within_its_bounds() -> None:
    assert element(b"\x30\x84\xff\xff\xff\xff") is None
    assert element(b"\x30\x80") is None
    assert element(b"\x02\x01\x05") == (2, b"\x05", 3)
    assert kind_of_der(b"\x30\x03\x02\x01\x00") == ""


# -- passwords and randomness -----------------------------------------------------------------------------------------


PLACEHOLDERS = (
    *("changeme", "password", "secret123", "my-secret", "xxxxxxxx", "********", "your_api_key", "put-your-token-here"),
    *("${DB_PASSWORD}", "$PASSWORD", "%DB_PASSWORD%", "{{ secret }}", "<your-password>", "ENC(abc)", "vault:db", "%s"),
)


@pytest.mark.parametrize("word", PLACEHOLDERS)
def test_what_stands_for_a_password_is_none(word: str) -> None:
    assert is_placeholder(word.encode())


@pytest.mark.parametrize("word", ["w7Qm-29xLtRz", "pa$9ord!xKq", "h#Kd8(2m", "correct-horse-battery", "Tr0ub4dor&3"])
def test_a_password_is_none_of_those(word: str) -> None:
    assert not is_placeholder(word.encode())


def test_a_short_word_in_a_url_is_an_example() -> None:
    assert not holds("url-password", b"tiger")
    assert holds("url-password", b"w7Qm29x")
    assert not holds("url-password", b"%24%7BTOKEN%7D")


@pytest.mark.parametrize(
    ("text", "good"),
    [
        (b"w7Qm-29xLtRz", True),
        (b"user_password", False),
        (b"UserPassword", False),
        (b"DEFAULT_VALUE", False),
        (b"/run/secrets/db", False),
        (b"20260101", False),
        (b"get_secret(name)", False),
        (b"Enter your password", False),
        (b"ZyVYuUnpNXizIn", True),
    ],
)
def test_a_password_is_no_name_path_or_sentence(text: bytes, good: bool) -> None:
    assert holds("password", text) == good


def test_hashes_of_logins_are_whole() -> None:
    assert holds("login-hash", b"$6$k7Qm2xLw$" + b"a" * 86)
    assert holds("login-hash", b"$y$j9T$" + b"a" * 22 + b"$" + b"b" * 43)
    assert not holds("login-hash", b"$6$k7Qm2xLw$" + b"a" * 80)
    assert not holds("login-hash", b"*")


def test_entropy_is_in_bits_a_character() -> None:
    assert shannon(b"") == 0
    assert shannon(b"aaaa") == 0
    assert shannon(b"abcd") == 2
    assert words("entropy:3", b"k7Qm2xLw9Zr4Vb8N").startswith("entropy ")
    assert not holds("entropy:3", b"xxxxxxxxxxxxxxxx")


@pytest.mark.parametrize("text", [b"abcdefghijkl", b"0123456789", b"qwertyuiop", b"k7k7k7k7k7", b"aaaaaaaa"])
def test_rows_and_repetition_are_not_random(text: bytes) -> None:
    assert is_repetitive(text)


def test_chance_leaves_neither_letters_nor_digits_out() -> None:
    assert holds("mixed", b"k7qm2xlw")
    assert not holds("mixed:case", b"k7qm2xlw")
    assert holds("mixed:case", b"k7Qm2xLw")
    assert not holds("mixed", b"onlyLetters")
    assert not holds("mixed", b"20260101")


# -- whatever comes ---------------------------------------------------------------------------------------------------

ARGUMENTS = st.sampled_from(
    ["", "3", "3.5", "32", "encrypted", "case", "service_role", "nan", "-1", "9" * 5000, "x" * 50]
)
SHAPED = st.one_of(
    st.binary(max_size=2000),
    st.text(max_size=500).map(lambda text: text.encode(errors="surrogatepass")),
    st.binary(max_size=600).map(base64.b64encode),
    st.lists(st.binary(max_size=100).map(base64.urlsafe_b64encode), max_size=6).map(b".".join),
    st.binary(max_size=600).map(
        lambda body: (
            b"-----BEGIN PRIVATE KEY-----\n" + base64.b64encode(b"\x30\x82" + body) + b"\n-----END PRIVATE KEY-----"
        )
    ),
    st.binary(max_size=600).map(
        lambda body: (
            b"-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n" + base64.encodebytes(b"\x95" + body) + b"=abcd\n-----END "
        )
    ),
    st.binary(max_size=300).map(lambda body: b"\x30\x82\x01\x00\x02\x01\x03\x30" + body),
)


@given(SHAPED, ARGUMENTS)
@settings(max_examples=150, deadline=None)
def test_no_check_fails_over_any_bytes(secret: bytes, argument: str) -> None:
    for check in CHECKS.values():
        said = check(secret, argument)
        assert said.holds == bool(said.words)
        assert len(said.words) < 40


@given(st.binary(min_size=12, max_size=200))
@settings(max_examples=100, deadline=None)
def test_no_words_of_a_check_hold_the_secret(secret: bytes) -> None:
    text = secret.decode("latin-1")
    assert all(text not in check(secret, "").words for check in CHECKS.values())


@pytest.mark.parametrize("name", sorted(CHECKS))
def test_a_check_does_with_the_longest_secret_what_it_must(name: str) -> None:
    for piece in (
        b"a",
        b"A1",
        b"-----BEGIN PRIVATE KEY-----\n",
        b"eyJ.",
        b"=",
        b"\\n",
        b" ",
        b"$1$",
        b"\x30\x80",
        b'"+\n',
        b"%",
    ):
        CHECKS[name](piece * (65_536 // len(piece)), "")


def test_every_file_of_checks_is_in_the_list() -> None:
    import holdfast.secret.checks as package

    folder = Path(package.__file__).parent
    listed = {file.stem for file in folder.glob("*.py") if "CHECKS = {" in file.read_text()}
    named = {
        name for name in vars(package) if (folder / f"{name}.py").exists() and hasattr(vars(package)[name], "CHECKS")
    }
    assert listed == named
