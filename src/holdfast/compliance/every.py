"""Every rule of every room, for what reads them all: `explain`, `coverage`, and the tests that hold them to account."""

from holdfast.advisory.rules import RULES as OF_ADVISORIES
from holdfast.model.finding import Rule
from holdfast.policy.rules import RULES as OF_POLICIES
from holdfast.scan.rules import RULES as OF_IMAGES


def every_rule() -> tuple[Rule, ...]:
    """The rules of all rooms; those that are data are read from their files now."""
    from holdfast import malware, misconfig, secret

    return (
        *OF_ADVISORIES, *OF_IMAGES, *secret.rules(), *malware.rules(), *misconfig.rules(), *OF_POLICIES,
    )  # fmt: skip
