"""The checks of a Dockerfile: pure functions of what was parsed, one file a group, and the tuple that lists them."""

from collections.abc import Callable, Iterator

from holdfast.misconfig.dockerfile.breach import Breach
from holdfast.misconfig.dockerfile.checks import (
    base_image,
    caches,
    copying,
    download,
    exposure,
    label,
    package_manager,
    permission,
    pins,
    script,
    secret,
    structure,
    trigger,
    user,
)
from holdfast.misconfig.dockerfile.view import View

Check = Callable[[View], Iterator[Breach]]

CHECKS: tuple[Check, ...] = (
    secret.check,
    download.check,
    base_image.check,
    user.check,
    permission.check,
    exposure.check,
    copying.check,
    trigger.check,
    package_manager.check,
    pins.check,
    caches.check,
    script.check,
    structure.check,
    label.check,
)
"""Every group's `check`; the order is that of equal findings."""
