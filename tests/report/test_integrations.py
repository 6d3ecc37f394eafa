"""The files for build servers: they can be read, and ask only for commands, options and formats that exist."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from holdfast.cli.scan import command as scan
from holdfast.cli.vet import command as vet
from holdfast.report import writer

ROOT = Path(__file__).parents[2]
FILES = (".pre-commit-hooks.yaml", "action.yml", "integrations/gitlab.yml")
COMMANDS = {"scan": scan, "vet": vet}


def document(name: str) -> Any:
    return yaml.safe_load((ROOT / name).read_text())


def scripts(value: Any) -> list[str]:
    """Every text in a document that a shell reads."""
    if isinstance(value, dict):
        keys = ("run", "script", "before_script", "entry")
        own = [text for key in keys for text in _texts(value.get(key))]
        return own + [text for item in value.values() for text in scripts(item)]
    return [text for item in value for text in scripts(item)] if isinstance(value, list) else []


def _texts(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else value if isinstance(value, list) else []


@pytest.mark.parametrize("name", FILES)
class TestEveryFile:
    def test_formats_exist(self, name: str) -> None:
        text = (ROOT / name).read_text()
        for form in re.findall(r'-o "?([a-z0-9.-]+)=', text):
            assert writer(form) is not None, form

    def test_commands_and_options_exist(self, name: str) -> None:
        allowed = {flag for one in COMMANDS.values() for option in one.params for flag in option.opts}
        for script in scripts(document(name)):
            for command in re.findall(r"\bholdfast (?!scan|vet)([a-z-]+) ", script):
                pytest.fail(f"holdfast {command}")
            if "holdfast" in script and "--disable-pip" not in script:
                assert set(re.findall(r"(?<=\s)--[a-z][a-z-]+", script)) <= allowed

    def test_scripts_are_shell(self, name: str) -> None:
        for script in scripts(document(name)):
            shell = ["bash" if name == "action.yml" else "sh", "-n"]
            assert subprocess.run(shell, input=script.encode(), capture_output=True).returncode == 0, script

    def test_no_address_stands_in_it_that_a_reader_must_trust_blindly(self, name: str) -> None:
        assert "curl" not in (ROOT / name).read_text()


def test_an_action_s_inputs_never_become_shell() -> None:
    action = document("action.yml")
    for step in action["runs"]["steps"]:
        assert "${{" not in step.get("run", "")
    used = set(re.findall(r"inputs\.([a-z-]+)", (ROOT / "action.yml").read_text()))
    assert used == set(action["inputs"])


def test_every_report_of_the_template_is_written_by_its_job() -> None:
    template = document("integrations/gitlab.yml")
    for name, job in template.items():
        for file in (job.get("artifacts", {}).get("reports", {}) if isinstance(job, dict) else {}).values():
            assert f"={file}" in "\n".join(scripts(job)), (name, file)


def test_hooks_say_which_files_they_want() -> None:
    hooks = {hook["id"]: hook for hook in document(".pre-commit-hooks.yaml")}
    assert set(hooks) == {"holdfast-secrets", "holdfast-dockerfile"}
    wanted = re.compile(hooks["holdfast-dockerfile"]["files"])
    for path in ("Dockerfile", "build/Dockerfile.dev", "Containerfile", "app.Dockerfile", "a/b/dockerfile"):
        assert wanted.search(path), path
    for path in ("docs/Dockerfiles/readme.md", "MyDockerfile", "dockerfile_parser.py"):
        assert not wanted.search(path), path
