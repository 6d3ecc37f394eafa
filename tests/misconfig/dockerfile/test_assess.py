"""What a Dockerfile shows as a whole: bases, findings that survive edits, comments, and no secret anywhere."""

from pathlib import Path

import pytest

from holdfast.misconfig.dockerfile.assess import Assessed, assess, looks_like_dockerfile
from holdfast.misconfig.dockerfile.bases import Base
from holdfast.misconfig.dockerfile.context import Context
from holdfast.model.finding import ConfigurationEvidence, Kind, Severity
from holdfast.model.status import Gravity


def judge(text: str) -> Assessed:
    return assess(text.encode(), "app/Dockerfile")


def rules(text: str) -> list[str]:
    return [finding.rule.removeprefix("dockerfile.") for finding in judge(text).findings]


class TestBases:
    def test_are_what_from_copy_and_mounts_name(self) -> None:
        assessed = judge(
            "ARG V=12\n"
            "FROM --platform=linux/arm64 debian:${V} AS b\n"
            "FROM b\n"
            "COPY --from=nginx:1.27 /x /y\n"
            "COPY --from=b /x /y\n"
            "COPY --from=0 /x /y\n"
            "RUN --mount=type=bind,from=busybox:1.37,target=/b --mount=type=cache,target=/c x\n"
            "ONBUILD COPY --from=redis:8 /x /y\n"
        )
        assert assessed.bases == (
            Base("debian:12", 2, "b", "linux/arm64"),
            Base("nginx:1.27", 4, "final", by="COPY"),
            Base("busybox:1.37", 7, "final", by="RUN"),
            Base("redis:8", 8, "final", by="COPY"),
        )

    def test_that_hang_on_the_builder_are_not_resolved(self) -> None:
        assert judge("ARG V\nFROM debian:$V").bases == (Base("debian:$V", 2, "final", resolved=False),)

    def test_scratch_is_none(self) -> None:
        assert judge("FROM scratch\nCOPY --from=scratch /a /b").bases == ()


class TestFindings:
    def test_say_where_what_and_what_to_write(self) -> None:
        (finding,) = judge("FROM a@sha256:0 AS x\nUSER 1\nUSER root").findings
        assert finding.rule == "dockerfile.root-user"
        assert finding.kind is Kind.CONFIGURATION
        assert (finding.location.path, finding.location.line) == ("app/Dockerfile", 3)
        assert finding.subject.name == "stage x: user"
        assert finding.evidence == ConfigurationEvidence(
            "the last USER is root", "a user without rights, behind everything that needs root"
        )
        assert finding.fix.advice == "USER 10001:10001"
        assert finding.controls
        assert finding.title

    def test_name_the_line_of_the_command_within_a_run(self) -> None:
        (finding,) = judge(
            "FROM a@sha256:0\nUSER 1\nRUN x \\\n  # why\n  && wget --no-check-certificate https://e.org\n"
        ).findings
        assert finding.location.line == 5

    def test_survive_an_edit_further_up(self) -> None:
        before = judge("FROM a:1\nRUN curl https://e.org/x | sh")
        after = judge("# hello\nFROM a:1\nENV A=1\n\nRUN true && \\\n curl https://e.org/x | sh")
        assert [one.fingerprint for one in before.findings] == [one.fingerprint for one in after.findings]
        assert [one.location.line for one in before.findings] != [one.location.line for one in after.findings]

    def test_one_cause_is_one_finding_with_a_count(self) -> None:
        found = judge("FROM a@sha256:0\nUSER 1\nRUN apk add --no-cache b c\nRUN apk add --no-cache d").findings
        assert [(one.rule, one.count) for one in found] == [("dockerfile.apk-unpinned", 3)]
        evidence = found[0].evidence
        assert isinstance(evidence, ConfigurationEvidence)
        assert evidence.places == ("app/Dockerfile:3", "app/Dockerfile:4")

    def test_what_stays_in_a_build_stage_is_spared(self) -> None:
        text = "FROM a@sha256:0{}\nRUN apt-get update && apt-get install -y x && chmod 777 /x\nVOLUME /etc\n"
        assert len(rules(text.format("") + "USER 1")) == 5
        assert rules(text.format(" AS b") + "FROM c@sha256:0\nUSER 1") == []

    def test_the_worst_come_first(self) -> None:
        ranks = [one.severity.rank for one in judge("FROM a\nEXPOSE 22\nRUN curl https://e.org/x | sh").findings]
        assert ranks == sorted(ranks, reverse=True)

    def test_a_file_without_faults(self) -> None:
        text = 'FROM a:1@sha256:0\nWORKDIR /app\nCOPY app /app/\nUSER 10001\nCMD ["/app/app"]\n'
        assert judge(text) == Assessed((), (), judge(text).bases)


class TestIgnores:
    @pytest.mark.parametrize(
        "comment",
        [
            "# holdfast: ignore=dockerfile.remote-script it is ours",
            "# holdfast: ignore=pipe-without-pipefail, dockerfile.remote-script",
            "#holdfast ignore=remote-script",
            "# hadolint ignore=DL4006\n# holdfast: ignore=remote-script",
        ],
    )
    def test_hold_for_the_instruction_below(self, comment: str) -> None:
        text = f"FROM a@sha256:0\nUSER 1\n{comment}\nRUN curl https://e.org/x | sh\n"
        assert rules(text) == []
        assert rules(text + "RUN curl https://f.org/x | sh") == ["remote-script"]

    def test_hold_between_the_lines_of_an_instruction(self) -> None:
        assert rules("FROM a@sha256:0\nUSER 1\nRUN a && \\\n# hadolint ignore=DL3004\n  sudo b") == []

    def test_hold_for_the_file_where_they_say_so(self) -> None:
        text = "# hadolint global ignore=DL3007\nFROM a:latest\nUSER 1\nCOPY --from=b:latest /x /y"
        assert rules(text) == []

    def test_do_not_reach_over_a_blank_line(self) -> None:
        assert rules("FROM a@sha256:0\n# hadolint ignore=DL3002\n\nUSER root") == ["root-user"]

    def test_a_rule_that_the_reason_names_stays(self) -> None:
        text = "FROM a@sha256:0\n# holdfast: ignore=sudo see also, root-user\nUSER root"
        assert rules(text) == ["root-user"]

    def test_are_counted(self) -> None:
        (problem,) = judge("FROM a@sha256:0\n# hadolint ignore=DL3002\nUSER root").problems
        assert (problem.code, problem.gravity, problem.count) == ("dockerfile.ignored", Gravity.NOTE, 1)


class TestSecrets:
    """A planted secret is found, and stands in no finding, problem or base."""

    SECRET = "Zx9kQw73LmPd"  # a made-up one

    @pytest.mark.parametrize(
        "line",
        [
            "ENV DB_PASSWORD={}",
            "ENV DB_PASSWORD {}",
            "ARG API_KEY='{}'",
            "LABEL auth.token={}",
            "ENV URL=https://bot:{}@example.org/x?y",
            "RUN curl -ku bot:{} http://example.org/x?key={} | sh",
            "RUN git clone http://{}@example.org/x && curl -k https://x:{}@example.org",
            "RUN pip install --trusted-host a --index-url http://u:{}@pypi.example.org/simple x",
            "RUN export TOKEN={}; apt-get install {}",
            "RUN echo root:{} | chpasswd && useradd -p {} x",
            "RUN mysql --password={} && mysql --password {}",
            "ADD https://u:{}@example.org/x /y",
            "HEALTHCHECK CMD curl -u a:{} http://localhost",
            "CMD app --token {}",
            "ENV PASSWORD={} B",
            "RUN echo 'Authorization: Bearer {}' && sudo x",
            "COPY <<E /x\nhttps://u:{}@example.org\nE",
        ],
    )
    def test_stands_nowhere(self, line: str) -> None:
        assessed = judge(f"FROM a:1\n{line.replace('{}', self.SECRET)}\n")
        assert self.SECRET not in repr(assessed)
        assert assessed.findings or assessed.problems

    def test_a_placeholder_is_told_with_low_confidence(self) -> None:
        found = [one for one in judge("FROM a:1\nENV PASSWORD=changeme").findings if "secret" in one.rule]
        assert [(one.confidence.value, one.severity) for one in found] == [("low", Severity.LOW)]


class TestContext:
    def test_is_read_from_a_folder(self, tmp_path: Path) -> None:
        (tmp_path / "conf").mkdir()
        (tmp_path / "conf" / ".env").write_text("A=1")
        (tmp_path / ".git").mkdir()
        (tmp_path / ".dockerignore").write_text("*.md\n")
        context = Context.of(tmp_path)
        assert set(context.paths) == {"conf", "conf/.env", ".git", ".dockerignore"}
        found = [one for one in assess(b"FROM a:1\nCOPY . /x", "D", context).findings if "context" in one.rule]
        assert [(one.count, one.location.line) for one in found] == [(2, 2)]

    def test_a_missing_folder_is_an_empty_context(self, tmp_path: Path) -> None:
        assert Context.of(tmp_path / "none") == Context()

    def test_the_dockerfiles_own_ignore_goes_first(self, tmp_path: Path) -> None:
        (tmp_path / ".dockerignore").write_text("a")
        (tmp_path / "x.Dockerfile.dockerignore").write_text("b")
        assert Context.of(tmp_path, "x.Dockerfile").ignore == "b"

    @pytest.mark.parametrize(
        ("ignore", "path", "sent"),
        [
            ("", "a", True),
            (".git", ".git", False),
            ("/.git/", ".git", False),
            (".env", "b/.env", True),
            ("**/.env", "b/c/.env", False),
            ("**/.env", ".env", False),
            ("b", "b/.env", False),
            ("*\n!a", "a", True),
            ("*\n!a", "b", False),
            ("# a\n\n?", "a", False),
            ("*.key", "a/b.key", True),
            ("a/**/z", "a/b/c/z", False),
        ],
    )
    def test_what_dockerignore_keeps_out(self, ignore: str, path: str, sent: bool) -> None:
        assert Context((path,), ignore).sent(path) is sent

    def test_patterns_do_not_blow_up(self) -> None:
        assert Context((), "*a" * 200 + "b").sent("a" * 4000)


@pytest.mark.parametrize(
    ("name", "head", "is_one"),
    [
        ("Dockerfile", b"", True),
        ("a/b/Dockerfile.dev", b"", True),
        ("api.Dockerfile", b"", True),
        ("Containerfile", b"", True),
        ("dockerfile-prod", b"", True),
        ("Dockerfile.md", b"FROM a\nRUN b", False),
        (".dockerignore", b"", False),
        ("Dockerfile.dockerignore", b"", False),
        ("build.txt", b"FROM a\nRUN b", False),
        ("Build", b"# x\nFROM debian:12 AS b\nRUN x\n", True),
        ("query.sql", b"SELECT a\nFROM b\nWHERE c", False),
        ("letter", b"From me to you\n", False),
        ("Dockerfile", b"\x7fELF\x00", False),
    ],
)
def test_what_looks_like_a_dockerfile(name: str, head: bytes, is_one: bool) -> None:
    assert looks_like_dockerfile(name, head) is is_one
