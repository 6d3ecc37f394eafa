"""Each checkpoint of the list that dockle works through, those that it leaves to people included, is a rule here."""

from pathlib import Path

import pytest

from holdfast.misconfig import Scene
from misconfig.examples import examples
from misconfig.scenes import rules_of

# The rules that answer a checkpoint, the first of them the one that is shown to be broken and kept.
TABLE: dict[str, tuple[str, ...]] = {
    "CIS-DI-0001": ("image.root-user", "image.unknown-user"),
    "CIS-DI-0005": ("image.not-pinned", "image.content-trust-off"),
    "CIS-DI-0006": ("image.no-health-check",),
    "CIS-DI-0007": ("image.history-update-alone",),
    "CIS-DI-0008": ("image.setuid-file", "image.setuid-usual"),
    "CIS-DI-0009": ("image.history-add", "image.history-add-remote"),
    "DKL-DI-0001": ("image.history-sudo", "image.sudo"),
    "DKL-DI-0002": ("image.sensitive-volume",),
    "DKL-DI-0003": ("image.history-dist-upgrade", "image.history-upgrade"),
    "DKL-DI-0004": ("image.history-package-cache", "image.package-cache"),
    "DKL-DI-0005": ("image.history-package-cache", "image.package-cache"),
    "DKL-DI-0006": ("image.latest-tag",),
    "DKL-LI-0001": ("image.empty-password",),
    "DKL-LI-0002": ("image.duplicate-id",),
    "DKL-LI-0003": ("image.build-file", "image.repository-left", "image.env-file", "image.package-cache"),
    # Not automated by dockle.
    "CIS-DI-0002": ("image.end-of-life", "image.not-pinned"),
    "CIS-DI-0003": ("image.tools-left",),
    "CIS-DI-0004": ("image.stale",),
    "CIS-DI-0011": ("image.unverified-packages", "image.tls-verification-off"),
}
OTHERS = {"CIS-DI-0010": "credentials are what the secret engine looks for, over files, history and environment alike"}

EXAMPLES = examples()
CASES = [
    (checkpoint, rule, broken, sound)
    for checkpoint, rules in TABLE.items()
    for rule in rules
    for named, broken, sound in EXAMPLES
    if named == rule
]


@pytest.mark.parametrize(("checkpoint", "rule", "broken", "sound"), CASES, ids=[f"{c}-{r}" for c, r, _, _ in CASES])
def test_a_checkpoint_is_found_where_it_is_missed(checkpoint: str, rule: str, broken: Scene, sound: Scene) -> None:
    assert rule in rules_of(broken)
    assert rule not in rules_of(sound)


def test_every_answer_has_a_case() -> None:
    assert {(checkpoint, rule) for checkpoint, rules in TABLE.items() for rule in rules} == {
        (checkpoint, rule) for checkpoint, rule, _, _ in CASES
    }


@pytest.mark.shared
def test_no_checkpoint_is_forgotten() -> None:
    import yaml

    listed = Path(__file__).parents[3] / "shared" / "facts" / "dockle_checkpoints.yaml"
    if not listed.exists():
        pytest.skip("the list of checkpoints does not stand beside the project")
    document = yaml.safe_load(listed.read_text("utf-8"))
    known = {checkpoint["id"] for checkpoint in document["checkpoints"]}
    known |= {text.partition(" ")[0] for text in document["not_automated_by_dockle"]}
    assert known == {*TABLE, *OTHERS}
