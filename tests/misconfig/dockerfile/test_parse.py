"""The parser against cases of the Dockerfile reference and of BuildKit's behaviour."""

import pytest

from holdfast.misconfig.dockerfile.budget import DockerfileBudget
from holdfast.misconfig.dockerfile.parse import parse
from holdfast.misconfig.dockerfile.syntax import Dockerfile, Instruction


def read(text: str) -> Dockerfile:
    return parse(text.encode())


def only(text: str) -> Instruction:
    """The one instruction behind FROM, in a file without problems."""
    file = read("FROM a:1\n" + text)
    assert file.problems == ()
    (instruction,) = file.stages[0].instructions
    return instruction


def faults(text: str) -> list[tuple[str, str]]:
    return [(problem.where, problem.message) for problem in read(text).problems]


class TestDirectives:
    def test_stand_at_the_top(self) -> None:
        file = read("# syntax=docker/dockerfile:1\n# Escape = `\n#check=skip=all\nFROM a")
        assert file.directives == {"syntax": "docker/dockerfile:1", "escape": "`", "check": "skip=all"}
        assert file.escape == "`"

    @pytest.mark.parametrize("before", ["# a comment\n", "\n", "FROM b\n", "# unknown=1\n"])
    def test_are_comments_below_anything_else(self, before: str) -> None:
        assert read(before + "# escape=`\nFROM a").escape == "\\"

    def test_with_a_byte_order_mark_and_windows_line_ends(self) -> None:
        file = parse(b"\xef\xbb\xbf# escape=`\r\nFROM a\r\nRUN b `\r\n  c\r\n")
        assert file.escape == "`"
        assert [instruction.text for instruction in file.instructions] == ["a", "b   c"]
        assert file.problems == ()

    def test_twice_is_a_problem(self) -> None:
        assert faults("# escape=`\n# escape=`\nFROM a") == [("line 2", "the directive escape stands there twice")]

    def test_escape_takes_two_characters_only(self) -> None:
        assert faults("# escape=x\nFROM a")[0][0] == "line 1"


class TestLines:
    def test_go_on_behind_an_escape(self) -> None:
        instruction = only("RUN a \\\n  b \\  \n  c\n")
        assert instruction.text == "a   b   c"
        assert (instruction.line, instruction.last) == (2, 4)

    def test_comments_and_blank_lines_stand_between(self) -> None:
        instruction = only("RUN a \\\n\n# why\n  # more\n && b\n")
        assert instruction.text == "a  && b"
        assert (instruction.line, instruction.last) == (2, 6)
        assert [text for _, text in instruction.comments] == ["why", "more"]

    def test_an_escaped_escape_ends_the_line(self) -> None:
        file = read("FROM a\nRUN x \\\\\nRUN y")
        assert [run.text for run in file.stages[0].instructions] == ["x \\\\", "y"]

    def test_of_a_character_can_be_told(self) -> None:
        instruction = only("RUN --mount=type=cache,target=/x \\\n  first \\\n  && second")
        assert instruction.text == "first   && second"
        assert instruction.line_at(0) == 3
        assert instruction.line_at(instruction.text.index("second")) == 4

    def test_a_hash_within_a_line_is_no_comment(self) -> None:
        assert only("RUN echo hello # world").text == "echo hello # world"

    def test_end_of_the_file_ends_an_instruction(self) -> None:
        assert only("RUN a \\").text == "a"


class TestHeredocs:
    def test_run(self) -> None:
        instruction = only("RUN <<EOF\na\nb\nEOF")
        assert [(here.name, here.content, here.line) for here in instruction.heredocs] == [("EOF", "a\nb\n", 3)]
        assert instruction.last == 5

    def test_with_tabs_and_quotes(self) -> None:
        (here,) = only("COPY <<-'EOT' /x\n\ta $X\n\tEOT").heredocs
        assert (here.content, here.chomp, here.expand) == ("a $X\n", True, False)

    def test_several_on_one_line(self) -> None:
        instruction = only('COPY <<a <<"b" /x/\n1\na\n2\nb')
        assert [(here.name, here.content) for here in instruction.heredocs] == [("a", "1\n"), ("b", "2\n")]
        assert instruction.words == ("<<a", "<<b", "/x/")

    def test_behind_onbuild(self) -> None:
        trigger = only("ONBUILD RUN <<EOF\na\nEOF").trigger
        assert trigger is not None
        assert trigger.heredocs[0].content == "a\n"

    def test_open_ones_are_a_problem(self) -> None:
        assert faults("FROM a\nRUN <<EOF\nb")[0][0] == "line 2"

    @pytest.mark.parametrize("text", ["RUN x <<< y", "ENV A=<<EOF", 'RUN ["x", "<<EOF"]', "CMD cat <<EOF"])
    def test_are_not_seen_elsewhere(self, text: str) -> None:
        assert only(text).heredocs == ()


class TestStages:
    def test_names_platforms_and_parents(self) -> None:
        file = read("FROM --platform=linux/arm64 a:1@sha256:0 as Build\nFROM build\nfrom scratch AS x")
        assert [(stage.name, stage.image, stage.parent, stage.platform) for stage in file.stages] == [
            ("build", "a:1@sha256:0", -1, "linux/arm64"),
            ("", "build", 0, ""),
            ("x", "scratch", -1, ""),
        ]
        assert [stage.label for stage in file.stages] == ["build", "1", "x"]

    def test_what_ships_is_the_last_stage_and_what_it_is_built_on(self) -> None:
        file = read("FROM a AS b\nFROM c AS d\nFROM b")
        assert [(stage.shipped, stage.final) for stage in file.stages] == [(True, False), (False, False), (True, True)]

    def test_a_later_stage_is_an_image(self) -> None:
        assert read("FROM b\nFROM a AS b").stages[0].parent == -1

    @pytest.mark.parametrize("text", ["FROM", "FROM a b", "FROM a AS", "FROM a WITH b", "FROM a AS 1x"])
    def test_malformed_from_is_a_problem(self, text: str) -> None:
        assert faults("FROM a\n" + text)[0][0] == "line 2"

    def test_without_from(self) -> None:
        assert faults("# nothing") == [("line 1", "the file has no FROM")]

    def test_only_arg_may_stand_before(self) -> None:
        assert faults("ARG A\nRUN x\nFROM a") == [("line 2", "RUN stands before the first FROM")]


class TestVariables:
    @pytest.mark.parametrize(
        ("text", "image"),
        [
            ("ARG V=12\nFROM debian:$V", "debian:12"),
            ("ARG V=12\nFROM debian:${V}-slim", "debian:12-slim"),
            ("ARG V\nFROM debian:${V:-11}", "debian:11"),
            ("ARG V=\nFROM debian:${V:-11}", "debian:11"),
            ("ARG V=\nFROM debian${V-:11}", "debian"),
            ("ARG V=1\nFROM debian${V:+:12}", "debian:12"),
            ("FROM debian${V:+:12}", "debian"),
            ("ARG A=x\nARG B=$A/y\nFROM $B", "x/y"),
            ("ARG A='xy'\nFROM b:${A#x}", "b:y"),
            ("ARG A=1.2.3\nFROM b:${A%.*}", "b:1.2"),
            ("ARG A=1.2.3\nFROM b:${A%%.*}", "b:1"),
            ("ARG A=1.2.3\nFROM b:${A##*.}", "b:3"),
            ("ARG A=a-b-c\nFROM b:${A/-/_}", "b:a_b-c"),
            ("ARG A=a-b-c\nFROM b:${A//-/_}", "b:a_b_c"),
            ("ARG A=x\nFROM b:${B:-${A}y}", "b:xy"),
            ('ARG A="q"\nFROM "$A":1', "q:1"),
            ("ARG A=q\nFROM b:\\$A", "b:$A"),
        ],
    )
    def test_in_from_come_from_before_the_first_stage(self, text: str, image: str) -> None:
        stage = read(text).stages[0]
        assert (stage.image, stage.resolved) == (image, True)

    @pytest.mark.parametrize("text", ["FROM a:$V", "ARG V\nFROM a:${V}", "FROM b\nARG V=1\nFROM a:$V"])
    def test_without_value_leave_the_image_open(self, text: str) -> None:
        assert not read(text).stages[-1].resolved

    def test_of_the_file_are_seen_in_a_stage_where_it_says_so(self) -> None:
        file = read("ARG V=12\nFROM a\nWORKDIR /$V\nARG V\nWORKDIR /$V")
        assert [workdir.words for workdir in file.stages[0].all("WORKDIR")] == [("/$V",), ("/12",)]

    def test_env_goes_before_arg_and_reaches_later_stages(self) -> None:
        file = read("FROM a AS b\nENV V=1\nARG V=2\nARG W=3\nFROM b\nUSER $V$W\n")
        assert file.stages[1].instructions[0].words == ("1$W",)

    def test_take_effect_with_the_next_instruction(self) -> None:
        file = read("FROM a\nENV abc=hello\nENV abc=bye def=$abc\nENV ghi=$abc")
        pairs = [pair for env in file.stages[0].instructions for pair in env.pairs]
        assert [(pair.name, pair.value) for pair in pairs] == [
            ("abc", "hello"),
            ("abc", "bye"),
            ("def", "hello"),
            ("ghi", "bye"),
        ]

    def test_in_single_quotes_are_text(self) -> None:
        assert only("ENV A='$B' C=\"\\$D\"").pairs[0].value == "$B"

    def test_run_is_left_to_the_shell(self) -> None:
        assert read("FROM a\nENV V=1\nRUN echo $V").stages[0].instructions[1].text == "echo $V"

    def test_expose_is_split_behind_them(self) -> None:
        assert read('FROM a\nENV P="80 443"\nEXPOSE $P').stages[0].instructions[1].words == ("80", "443")


class TestArguments:
    @pytest.mark.parametrize(
        ("text", "pairs"),
        [
            ("ENV A=1 B='two words' C=three\\ words", [("A", "1"), ("B", "two words"), ("C", "three words")]),
            ("ENV A one two = three", [("A", "one two = three")]),
            ('LABEL "com.example.vendor"="ACME Incorporated"', [("com.example.vendor", "ACME Incorporated")]),
            ("LABEL a=b \\\n  c=d", [("a", "b"), ("c", "d")]),
            ("ARG A B=2 C=", [("A", None), ("B", "2"), ("C", "")]),
        ],
    )
    def test_pairs(self, text: str, pairs: list[tuple[str, str | None]]) -> None:
        assert [(pair.name, pair.value) for pair in only(text).pairs] == pairs

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ('CMD ["a", "b c"]', ("a", "b c")),
            ('RUN  [ "a" ]', ("a",)),
            ('COPY ["a b", "/c/"]', ("a b", "/c/")),
            ('SHELL ["powershell", "-command"]', ("powershell", "-command")),
            ('ENTRYPOINT ["\\u0061"]', ("a",)),
            ('HEALTHCHECK --interval=5m CMD ["a"]', ("a",)),
        ],
    )
    def test_exec_form(self, text: str, words: tuple[str, ...]) -> None:
        instruction = only(text)
        assert instruction.exec_form
        assert instruction.words == words

    @pytest.mark.parametrize("text", ["CMD ['a']", 'CMD ["a",]', 'CMD ["a" "b"]', "RUN [ -f x ] && y", 'CMD ["a"] b'])
    def test_what_is_no_array_goes_to_a_shell(self, text: str) -> None:
        assert not only(text).exec_form

    def test_an_array_of_other_things_is_a_problem(self) -> None:
        assert faults("FROM a\nCMD [1]")[0][0] == "line 2"

    def test_flags(self) -> None:
        instruction = only("COPY --from=b --chown=1:2 --chmod=755 --link a /c")
        assert instruction.flags == (("from", "b"), ("chown", "1:2"), ("chmod", "755"), ("link", ""))
        assert instruction.words == ("a", "/c")

    def test_flags_with_variables_and_quotes(self) -> None:
        file = read('FROM a\nARG U=7\nCOPY --chown="$U" a /c\nRUN --mount=type=secret,id=x --network=none y --z')
        copy, run = file.stages[0].instructions[1:]
        assert copy.flag("chown") == "7"
        assert [name for name, _ in run.flags] == ["mount", "network"]
        assert run.text == "y --z"

    def test_unknown_flags_are_a_problem(self) -> None:
        assert faults("FROM a\nCOPY --nothing=1 b /c") == [("line 2", "COPY has a flag that is not known")]

    def test_health_check(self) -> None:
        assert only("HEALTHCHECK NONE").type == "NONE"
        assert only("healthcheck cmd curl localhost").type == "CMD"

    def test_keywords_in_any_case_and_with_tabs(self) -> None:
        assert only("wOrKdIr\t/x").words == ("/x",)

    def test_onbuild_holds_an_instruction(self) -> None:
        trigger = only("ONBUILD COPY --from=b a /c").trigger
        assert trigger is not None
        assert (trigger.keyword, trigger.flag("from"), trigger.words) == ("COPY", "b", ("a", "/c"))

    def test_a_trigger_sets_nothing(self) -> None:
        assert read("FROM a\nONBUILD ENV V=1\nWORKDIR /$V").stages[0].instructions[1].words == ("/$V",)


class TestProblems:
    @pytest.mark.parametrize(
        "text",
        ["FOO bar", "ENV A", "ENV A=1 B", "COPY a", "RUN", "USER", "HEALTHCHECK x", "HEALTHCHECK NONE x", "SHELL sh"],
    )
    def test_name_the_line_and_the_rest_is_read(self, text: str) -> None:
        file = read(f"FROM a\n{text}\nUSER 1")
        assert [(problem.code, problem.where) for problem in file.problems] == [("dockerfile.syntax", "line 2")]
        assert file.stages[0].instructions[-1].keyword == "USER"

    def test_repeat_no_value(self) -> None:
        assert "hunter2" not in str(read("FROM a\nENV PASSWORD=1 hunter2\nhunter2 x\nENV A='hunter2").problems)

    def test_many_are_counted(self) -> None:
        problems = read("FROM a\n" + "FOO\n" * 80).problems
        assert len(problems) == 51
        assert problems[-1].count == 30


class TestBudget:
    def test_bytes_lines_instructions_and_stages(self) -> None:
        small = DockerfileBudget(data=100, lines=8, instructions=3, stages=1)
        for text in ("FROM a\n" + "#" * 200, "FROM a\n" + "\n" * 9, "FROM a\n" + "RUN b\n" * 4, "FROM a\nFROM b"):
            assert [problem.code for problem in parse(text.encode(), small).problems] == ["dockerfile.limit"]

    def test_values_that_double(self) -> None:
        text = "FROM a\nENV A=xxxxxxxxxx\n" + "ENV A=$A$A\n" * 60
        file = read(text)
        assert "dockerfile.limit" in {problem.code for problem in file.problems}
        assert max(len(pair.value or "") for env in file.stages[0].instructions for pair in env.pairs) <= 65536

    def test_substitutions_inside_each_other(self) -> None:
        text = "FROM a\nWORKDIR /" + "${A:-" * 3000 + "}" * 3000
        assert {problem.code for problem in read(text).problems} == {"dockerfile.limit"}

    def test_patterns_with_many_stars(self) -> None:
        text = "FROM a\nENV A=" + "a" * 60_000 + "\nWORKDIR /${A%" + "*a" * 20_000 + "*b}"
        assert {problem.code for problem in read(text).problems} == {"dockerfile.limit"}

    def test_json_that_is_deep_or_has_long_numbers(self) -> None:
        assert read("FROM a\nCMD " + "[" * 50_000 + "]" * 50_000).stages
        assert read("FROM a\nCMD [" + "1" * 5000 + "]").stages
