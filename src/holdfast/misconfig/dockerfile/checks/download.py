"""What comes over the network while the image is built: from whom, over what, and whether anybody checks it."""

import re
from collections.abc import Iterator

from holdfast.misconfig.dockerfile.breach import Breach
from holdfast.misconfig.dockerfile.packages import request
from holdfast.misconfig.dockerfile.shell import SHELLS
from holdfast.misconfig.dockerfile.view import Call, Run, View

FETCHERS = ("curl", "wget", "aria2c", "fetch", "http", "https", "lwp-download", "axel")
_INTERPRETERS = re.compile(r"(?:python|perl|ruby|node|php|pwsh|lua)[0-9.]{0,5}")
_FED = re.compile(r"(?:[$<]\(|`)\s{0,8}(?:sudo\s{1,8})?(?:curl|wget|aria2c)\b")
_PLAIN = re.compile(r"(?:http|ftp|git)://([^/\s:?#]{1,255})", re.IGNORECASE)
_HERE = re.compile(r"localhost|127\.[0-9.]{1,11}|\[?::1\]?|0\.0\.0\.0|host\.docker\.internal|[^.]*\$.*")
_CHECKS = re.compile(r"(?:sha(?:1|224|256|384|512)?|b2|b3)sum|shasum|gpgv2?|cosign|minisign|signify|rhash")
_CURL_VALUES = frozenset("oHduAebcxXTFmwDEKCPQrtyYzU")
_SWITCHED_OFF = {
    "NODE_TLS_REJECT_UNAUTHORIZED": ("0",),
    "PYTHONHTTPSVERIFY": ("0",),
    "GIT_SSL_NO_VERIFY": ("1", "true"),
    "NPM_CONFIG_STRICT_SSL": ("false", "0"),
    "YARN_ENABLE_STRICT_SSL": ("false", "0"),
    "CONDA_SSL_VERIFY": ("false", "0"),
    "HELM_KUBEINSECURESKIPTLSVERIFY": ("true", "1"),
}
_FINGERPRINT = re.compile(r"(?:0x)?[0-9A-Fa-f]{40}")


def check(view: View) -> Iterator[Breach]:
    """Remote scripts, plain connections, certificates nobody checks, keys nobody compares."""
    for run in view.runs:
        yield from _scripts(run)
        verified = _verified(run)
        for call in run.calls:
            yield from _plain(call, run, verified=verified)
            yield from _unchecked(call, run)
            yield from _keys(call, run)
    for stage in view.file.stages:
        for instruction in stage.all("ENV", "ARG"):
            for pair in instruction.pairs:
                if (pair.value or "").lower() in _SWITCHED_OFF.get(pair.name.upper(), ()):
                    yield _off(instruction.line, stage.label, pair.name, f"{pair.name}={pair.value}")


def is_remote_script(call: Call) -> bool:
    """Whether a shell is given what a download prints: `sh -c "$(curl …)"`, `bash <(curl …)`, `eval`, `source`."""
    if call.name not in (*SHELLS, "eval", "source", "."):
        return False
    return any(_FED.search(word.text[:4096]) for word in call.command.words[1:])


def runs_download(pipe: tuple[Call, ...]) -> tuple[Call, Call] | None:
    """What fetches and what runs it, in a pipe such as `curl … | sh`; None in any other."""
    fetcher = next((place for place, call in enumerate(pipe) if call.name in FETCHERS), len(pipe))
    for call in pipe[fetcher + 1 :]:
        if _reads_program(call):
            return pipe[fetcher], call
    return None


def _scripts(run: Run) -> Iterator[Breach]:
    for pipe in run.pipes():
        if found := runs_download(pipe):
            yield _script(found[0], run, f"{found[0].name} … | {found[1].name}")
    for call in run.calls:
        if is_remote_script(call):
            yield _script(call, run, f"{call.name} is given what a download prints")


def _reads_program(call: Call) -> bool:
    if call.name in SHELLS:
        return True
    if not _INTERPRETERS.fullmatch(call.name):
        return False
    # With a script of its own (`python3 -c …`, `python3 x.py`) the program reads data.
    return all(word == "-" for word in call.arguments)


def _script(call: Call, run: Run, found: str) -> Breach:
    return Breach(
        "remote-script",
        call.line,
        run.stage.label,
        _host(call) or call.name,
        found,
        "a file whose checksum is compared before it runs",
        "curl -fsSLo install.sh https://… && echo '<sha256>  install.sh' | sha256sum -c - && sh install.sh",
    )


def _host(call: Call) -> str:
    for word in call.arguments:
        found = re.search(r"https?://(?:[^/\s@]{0,256}@)?([^/\s:?#'\")]{1,255})", word[:2048])
        if found:
            return found[1]
    return ""


def _verified(run: Run) -> bool:
    return any(
        _CHECKS.fullmatch(call.name) or (call.name in ("gpg", "gpg2") and "--verify" in call.arguments)
        for call in run.calls
    ) or any("--checksum" in word for call in run.calls for word in call.arguments)


def _plain(call: Call, run: Run, *, verified: bool) -> Iterator[Breach]:
    asked = request(call)
    manager = asked is not None and asked.family in ("pip", "npm", "yarn", "pnpm", "gem", "apk")
    git = call.name == "git" and call.arguments[:1] in (("clone",), ("submodule",), ("remote",), ("fetch",), ("pull",))
    if not (call.name in FETCHERS or manager or git) or (call.name in FETCHERS and verified):
        return
    for word in call.arguments:
        found = _PLAIN.search(word[:2048])
        if not found or (found.start() and word[found.start() - 1] not in "=+"):
            continue
        host = found[1].rpartition("@")[2]
        if _HERE.fullmatch(host) or (call.name in FETCHERS and word.startswith("-")):
            continue
        yield Breach(
            "plain-download",
            call.line,
            run.stage.label,
            host,
            f"{call.name} fetches from {found[0].partition('://')[0]}://{host}",
            "https",
            f"{call.name} … https://{host}/…",
        )


def _unchecked(call: Call, run: Run) -> Iterator[Breach]:
    found = _option(call)
    if found:
        yield _off(call.line, run.stage.label, call.name, f"{call.name} {found}")
    pairs = [(name, word.text) for name, word in call.command.assignments]
    if call.name == "export":
        pairs += [(name, value) for name, _, value in (word.partition("=") for word in call.arguments)]
    for name, value in pairs:
        if value.lower() in _SWITCHED_OFF.get(name.upper(), ()):
            yield _off(call.line, run.stage.label, name, f"{name}={value}")


def _off(line: int, stage: str, what: str, found: str) -> Breach:
    expected = "the certificate is checked; an authority of your own is installed in the image"
    fix = (
        "COPY <authority>.crt /usr/local/share/ca-certificates/ and RUN update-ca-certificates, then without the switch"
    )
    return Breach("unchecked-certificate", line, stage, what, found, expected, fix)


def _option(call: Call) -> str:
    words, text = call.arguments, " ".join(call.arguments).lower()
    if call.name == "curl":
        for word in words:
            if word in ("--insecure", "--proxy-insecure", "--doh-insecure") or _has_k(word):
                return word if word.startswith("--") else "-k"
    if call.name == "wget" and "--no-check-certificate" in words:
        return "--no-check-certificate"
    if call.name == "git" and re.search(r"http\.(?:\S{1,256}\.)?sslverify[= ](?:false|0)\b", text[:4096]):
        return "http.sslVerify=false"
    if call.name in ("npm", "yarn", "pnpm") and re.search(r"strict-ssl[= ]false", text[:4096]):
        return "strict-ssl false"
    if call.name in ("conda", "mamba", "micromamba") and re.search(r"ssl_verify (?:false|no)", text[:4096]):
        return "ssl_verify false"
    if call.name in ("apt-get", "apt") and re.search(r"verify-(?:peer|host)[= ]\"?(?:false|0)", text[:4096]):
        return "Acquire::https::Verify-Peer=false"
    if call.name in ("ssh", "scp", "git", "rsync") and "stricthostkeychecking=no" in text.replace(" ", ""):
        return "StrictHostKeyChecking=no"
    return next((word for word in words if word in ("--insecure-skip-tls-verify", "--tls-verify=false")), "")


def _has_k(word: str) -> bool:
    if not word.startswith("-") or word.startswith("--"):
        return False
    for letter in word[1:]:
        if letter == "k":
            return True
        if letter in _CURL_VALUES:
            return False
    return False


def _keys(call: Call, run: Run) -> Iterator[Breach]:
    words = call.arguments
    if call.name == "apt-key" and words[:1] not in (("list",), ("finger",), ("del",), ("export",)):
        yield Breach(
            "apt-key",
            call.line,
            run.stage.label,
            "apt-key",
            "apt-key",
            "a keyring of its own for the one source",
            "deb [signed-by=/usr/share/keyrings/<name>.gpg] https://…",
        )
    elif call.name in ("gpg", "gpg2") and any(word in ("--recv-keys", "--recv-key", "--recv") for word in words):
        keys = words[next(at for at, word in enumerate(words) if word.startswith("--recv")) + 1 :]
        keys = tuple(key for key in keys if not key.startswith("-") and "$" not in key and "://" not in key)
        short = [
            key for key in keys if re.fullmatch(r"(?:0x)?[0-9A-Fa-f]{8,39}", key) and not _FINGERPRINT.fullmatch(key)
        ]
        if short:
            yield Breach(
                "short-key-id",
                call.line,
                run.stage.label,
                "gpg",
                f"gpg fetches the key {short[0]}",
                "the whole fingerprint of 40 digits",
                "gpg --keyserver hkps://keys.openpgp.org --recv-keys <fingerprint>",
            )
