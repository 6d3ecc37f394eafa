"""Larger Dockerfiles, as somebody might write them, with all that is to be said of it and nothing more."""

from pathlib import Path

import pytest

from holdfast.misconfig.dockerfile.assess import assess

_FOLDER = Path(__file__).parent / "files"
# Line, rule and subject of every finding, worst first.
EXPECTED = {
    "builder-rights": """
        4 secret-in-variable: stage final: ENV API_TOKEN
        6 insecure-run: stage final: RUN
        7 mounted-secret-kept: stage final: cp
        8 unchecked-certificate: stage final: git
        9 pip-trusted-host: stage final: pypi.example.org
        11 add-unverified: stage final: example.org
        13 secret-file-copied: stage final: id_ed25519
        15 empty-password: stage final: passwd
        1 foreign-frontend: syntax
        6 host-network-run: stage final: RUN
        7 plain-download: stage final: example.org
        8 remove-from-unset-variable: stage final: rm $WORK
        13 secret-file-copied: stage final: .env
        14 world-writable: stage final: run.sh /
        8 shell-replaced-by-link: stage final: /bin/sh
        9 pip-extra-index: stage final: pip
        10 dist-upgrade: stage final: apt
        10 go-unpinned: stage final: packages
        5 label-address: stage final: LABEL org.opencontainers.image.source
        5 label-key: stage final: LABEL Maintainer
        5 label-time: stage final: LABEL org.opencontainers.image.created
        6 pointless-command: stage final: mount
        9 pip-cache-kept: stage final: pip
        10 apt-in-script: stage final: apt
    """,
    "debian-tools": """
        4 remote-script: stage final: deb.example.org
        5 unchecked-certificate: stage final: wget
        7 unsigned-packages: stage final: a source of apt with trusted=yes
        8 password-in-command: stage final: chpasswd
        8 sudo-without-password: stage final: sudoers
        9 authorized-keys: stage final: authorized_keys
        3 login-server: stage final: login server
        3 sudo: stage final: sudo
        5 plain-download: stage final: files.example.org
        6 apt-key: stage final: apt-key
        12 root-user: stage final: user
        1 base-without-digest: debian
        2 apt-update-alone: stage final: apt
        3 apt-recommends: stage final: apt
        5 unchecked-cd: stage final: cd tool
        10 bash-syntax-in-sh: stage final: [[
        10 bash-syntax-in-sh: stage final: source
        1 no-healthcheck: stage final: HEALTHCHECK
        2 apt-lists-kept: stage final: apt
        3 apt-unpinned: stage final: packages
        10 pointless-command: stage final: service
    """,
    "go-service": """
    """,
    "heredoc": """
        9 remote-script: stage final: example.org
    """,
    "ignored": """
        9 remote-script: stage final: example.org
        8 root-user: stage final: user
    """,
    "java": """
        11 secret-file-copied: stage final: keystore.jks
        12 secret-in-command: stage final: HEALTHCHECK curl
        7 secret-in-command: stage build: RUN mvn -Drepo.password
        1 base-without-digest: maven
        9 base-without-digest: eclipse-temurin
        12 many-healthchecks: stage final: HEALTHCHECK
        14 user-by-name: stage final: user
    """,
    "node-service": """
        8 unchecked-certificate: stage final: NODE_TLS_REJECT_UNAUTHORIZED
        1 latest-base: node
        1 no-user: stage final: user
        3 secret-in-variable: stage final: ARG NPM_TOKEN
        6 npm-unsafe-perm: stage final: npm
        7 world-writable: stage final: /app
        9 management-port: stage final: port 22
        5 relative-workdir: stage final: app
        7 npm-unpinned: stage final: packages
        1 no-healthcheck: stage final: HEALTHCHECK
        2 maintainer: stage final: MAINTAINER
        4 add-instead-of-copy: stage final: ADD package.json
    """,
    "onbuild": """
        3 dangerous-trigger: stage final: ONBUILD COPY
        8 broken-exec-form: stage final: ENTRYPOINT
        9 broken-exec-form: stage final: CMD
        2 gem-unpinned: stage final: packages
        2 large-user-id: stage final: useradd
        5 forbidden-trigger: stage final: FROM
    """,
    "python-service": """
        20 secret-in-variable: stage final: ENV DJANGO_SECRET_KEY
        4 base-without-digest: python
        11 pip-unpinned: stage build: packages
        23 shell-form-command: stage final: CMD
        14 no-healthcheck: stage final: HEALTHCHECK
        16 apt-unpinned: stage final: packages
    """,
    "rpm": """
        3 unsigned-packages: stage final: yum
        4 unsigned-packages: stage final: rpm without signatures
        7 system-volume: stage final: /var/run/docker.sock
        8 management-port: stage final: port 2375
        9 setuid-given: stage final: /usr/bin/nginx
        1 no-user: stage final: user
        7 system-volume: stage final: /etc
        9 file-capability: stage final: /usr/bin/nginx
        1 base-without-digest: fedora
        2 dnf-without-yes: stage final: dnf
        5 zypper-without-yes: stage final: zypper
        8 port-out-of-range: stage final: 99999
        10 many-commands: stage final: CMD
        1 no-healthcheck: stage final: HEALTHCHECK
        2 dnf-unpinned: stage final: packages
        3 yum-cache-kept: stage final: yum
        3 yum-unpinned: stage final: packages
        5 zypper-cache-kept: stage final: zypper
        5 zypper-unpinned: stage final: packages
        6 dnf-cache-kept: stage final: dnf
    """,
    "stages": """
        5 untagged-base: two
        6 copy-from-itself: stage one: --from=one
        7 duplicate-stage: stage one: name
        9 copy-from-unknown-stage: stage one: --from=9
        12 latest-base: tools
        3 not-beginning-with-from: RUN
        8 base-without-digest: busybox
        8 whole-stage-copied: stage one: --from=busybox:1.37
        10 reserved-stage-name: stage context: name
    """,
    "windows": """
        2 base-without-digest: mcr.microsoft.com/windows/servercore
    """,
}


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_all_that_is_to_be_said_of_a_file(name: str) -> None:
    assessed = assess((_FOLDER / f"{name}.Dockerfile").read_bytes(), f"{name}.Dockerfile")
    found = [
        f"{finding.location.line} {finding.rule.removeprefix('dockerfile.')}: {finding.subject.name}"
        for finding in assessed.findings
    ]
    assert found == [line.strip() for line in EXPECTED[name].strip().splitlines()]


def test_every_file_is_listed() -> None:
    assert {path.name.removesuffix(".Dockerfile") for path in _FOLDER.iterdir()} == set(EXPECTED)


def test_problems_of_the_files() -> None:
    problems = {
        path.name.removesuffix(".Dockerfile"): [problem.code for problem in assess(path.read_bytes(), "D").problems]
        for path in _FOLDER.iterdir()
    }
    assert {name: codes for name, codes in problems.items() if codes} == {
        "ignored": ["dockerfile.ignored"],
        "stages": ["dockerfile.syntax", "dockerfile.syntax", "dockerfile.syntax"],
        "windows": ["dockerfile.shell-unread"],
    }
