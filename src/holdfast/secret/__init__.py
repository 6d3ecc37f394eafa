"""Secrets that were left where others can read them."""

from typing import TYPE_CHECKING

from holdfast.secret.engine import SecretEngine
from holdfast.secret.finding import Place, findings
from holdfast.secret.hit import SecretHit

if TYPE_CHECKING:
    from holdfast.model.finding import Rule

__all__ = ["Place", "SecretEngine", "SecretHit", "findings", "rules"]


def rules() -> "tuple[Rule, ...]":
    """All rules of this room, whole. They are read from their files: a scan has what it needs in its pack."""
    from holdfast.secret.named import NAMED
    from holdfast.secret.pack import rule_files
    from holdfast.secret.rule import load_rules

    return (*(rule.described for rule in load_rules(rule_files())), NAMED)
