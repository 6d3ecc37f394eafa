"""What the readers found wrong in single files: one finding a rule, with all its places."""

from collections import defaultdict
from collections.abc import Iterator

from holdfast.misconfig.finding import of_places
from holdfast.misconfig.scene import Placed, Scene
from holdfast.model.finding import Finding

SSH_DAEMONS = ("usr/sbin/sshd", "usr/sbin/dropbear", "usr/local/sbin/sshd", "usr/bin/dropbear")
_RULE = "image."
_OF_SSHD = "image.sshd-"


def settings(scene: Scene) -> Iterator[Finding]:
    """The rules that files break. What sshd_config says matters where there is an sshd to read it."""
    by_rule: dict[str, list[Placed]] = defaultdict(list)
    for placed in scene.traits:
        if placed.trait.name.startswith(_RULE):
            by_rule[placed.trait.name].append(placed)
    for rule_id, placed_all in by_rule.items():
        if rule_id.startswith(_OF_SSHD) and not any(map(scene.exists, SSH_DAEMONS)):
            continue
        yield of_places(rule_id, rule_id.removeprefix(_RULE), placed_all, scene.image)


CHECKS = (settings,)
