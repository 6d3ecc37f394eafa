"""What the image scan itself can find wrong: bytes that are not what was promised."""

from holdfast.model.finding import Rule, Severity

_WHY = (
    "An image is trusted by the digests that name its parts. Where the bytes do not have the digest that the "
    "{whose} promises, somebody or something changed them after they were built: a registry, a proxy, a disk."
)
_FIX = (
    "Do not run this image. Fetch it again from a source you trust, compare the digests, and find out where they part."
)
_CONTROLS = ("nist-800-190:4.1.5", "nist-800-190:4.2.1", "nist-800-190:4.2.3")
_TECHNIQUES = ("T1525", "T1195.002")
_SPEC = "https://github.com/opencontainers/image-spec/blob/main/{}.md"


def _rule(part: str, title: str, whose: str, page: str) -> Rule:
    return Rule(
        id=f"image.{part}-mismatch",
        title=title,
        why=_WHY.format(whose=whose),
        fix=_FIX,
        severity=Severity.CRITICAL,
        controls=_CONTROLS,
        techniques=_TECHNIQUES,
        references=(_SPEC.format(page),),
    )


RULES_BY_PROMISE = {
    "manifest digest": _rule(
        "manifest-digest", "The manifest is not the one that the index names", "index", "descriptor"
    ),
    "manifest size": _rule("manifest-size", "The manifest is not as long as the index says", "index", "descriptor"),
    "configuration digest": _rule(
        "config-digest", "The configuration is not the one that the manifest names", "manifest", "manifest"
    ),
    "blob digest": _rule(
        "layer-digest", "A layer's bytes are not the ones that the manifest names", "manifest", "manifest"
    ),
    "blob size": _rule("layer-size", "A layer is not as long as the manifest says", "manifest", "descriptor"),
    "diff ID": _rule(
        "diff-id", "A layer's content is not the one that the configuration names", "configuration", "config"
    ),
}
"""The rule that a broken promise violates, by what oci.layer.Mismatch calls the promise."""

RULES = tuple(RULES_BY_PROMISE.values())
