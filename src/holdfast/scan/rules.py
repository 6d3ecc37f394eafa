"""What the image scan itself can find wrong: bytes that are not what was promised, content that is not what is said."""

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
_SBOM_CONTROLS = ("nist-800-190:4.1.1", "nist-800-190:4.1.5")
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

SBOM_UNLISTED = Rule(
    id="image.sbom-unlisted-package",
    title="The image holds packages that its bill of materials does not list",
    why=(
        "Whoever trusts the bill of materials that is attached to this image does not learn of these packages: their "
        "vulnerabilities are not looked for, and something that was put in after the bill was written stays hidden."
    ),
    fix=(
        "Find out which layer brought the packages. If they belong there, write the bill of materials anew from the "
        "finished image and attach it; if not, do not run the image. Until then scan the image itself, not its bill."
    ),
    severity=Severity.MEDIUM,
    controls=_SBOM_CONTROLS,
    techniques=_TECHNIQUES,
    references=(_SPEC.format("manifest"),),
)
SBOM_ABSENT = Rule(
    id="image.sbom-absent-package",
    title="The image's bill of materials lists packages that are not inside",
    why=(
        "The bill of materials that is attached to this image was written for other content: an earlier build, "
        "a stage of the build, another image. What it says of this image cannot be relied on, and findings from it "
        "may not be true."
    ),
    fix="Write the bill of materials anew from the finished image, and attach it to that image's digest.",
    severity=Severity.LOW,
    controls=_SBOM_CONTROLS,
    references=(_SPEC.format("manifest"),),
)

TAG_MOVED_BACK = Rule(
    id="image.tag-moved-back",
    title="The tag leads again to an image that it had left",
    why=(
        "A tag that moves on is an update. One that moves back brings old vulnerabilities back, and is what somebody "
        "who sits between you and the registry would do: replay an image that is genuine and out of date."
    ),
    fix=(
        "Ask whoever owns the tag whether they took a release back. Else compare the registry's own view of the tag "
        "with yours, and name images by digest, so that nobody can choose for you."
    ),
    severity=Severity.MEDIUM,
    controls=("nist-800-190:4.2.1", "nist-800-190:4.2.3"),
    techniques=("T1525", "T1557"),
    references=("https://github.com/opencontainers/distribution-spec/blob/main/spec.md",),
)

RULES = (*RULES_BY_PROMISE.values(), SBOM_UNLISTED, SBOM_ABSENT, TAG_MOVED_BACK)
