"""ONBUILD: what an image makes others do when they build on it."""

from collections.abc import Iterator

from holdfast.misconfig.dockerfile.breach import Breach
from holdfast.misconfig.dockerfile.checks.download import is_remote_script
from holdfast.misconfig.dockerfile.syntax import Instruction
from holdfast.misconfig.dockerfile.view import View, called_by

_FORBIDDEN = ("ONBUILD", "FROM", "MAINTAINER")


def check(view: View) -> Iterator[Breach]:
    """Triggers that the builder refuses, and triggers that take a stranger's build by surprise."""
    for stage in view.file.stages:
        for instruction in stage.all("ONBUILD"):
            trigger = instruction.trigger
            if trigger is None:
                continue
            if trigger.keyword in _FORBIDDEN:
                yield Breach(
                    "forbidden-trigger",
                    instruction.line,
                    stage.label,
                    trigger.keyword,
                    f"ONBUILD {trigger.keyword}",
                    "any other instruction",
                )
            elif stage.shipped and (found := _danger(trigger)):
                yield Breach(
                    "dangerous-trigger",
                    instruction.line,
                    stage.label,
                    f"ONBUILD {trigger.keyword}",
                    found,
                    "the instruction in the Dockerfile of whoever needs it",
                    trigger.keyword + " …",
                )


def _danger(trigger: Instruction) -> str:
    if trigger.keyword == "USER" and trigger.words[0].partition(":")[0] in ("root", "0"):
        return "ONBUILD USER root"
    if trigger.keyword in ("COPY", "ADD") and not trigger.flag("from"):
        if any(word in (".", "./", "/") for word in trigger.words[:-1]):
            return f"ONBUILD {trigger.keyword} takes the whole build context"
        if trigger.keyword == "ADD" and any("://" in word for word in trigger.words[:-1]):
            return "ONBUILD ADD fetches from the network"
    if trigger.keyword == "RUN":
        if trigger.flag("security") == "insecure":
            return "ONBUILD RUN --security=insecure"
        calls = called_by(trigger)
        if any(is_remote_script(call) for call in calls) or any(
            call.name in ("curl", "wget", "sudo") for call in calls
        ):
            return "ONBUILD RUN fetches from the network, or asks for root's rights"
    return ""
