"""An image's configuration with its secrets masked: what a report quotes of it must not give them away."""

from msgspec import Struct
from msgspec.structs import replace

from holdfast.model.artifact import Image
from holdfast.model.finding import Finding
from holdfast.model.package import Package
from holdfast.model.report import Report
from holdfast.secret.configuration import configuration_secrets
from holdfast.secret.engine import SecretEngine
from holdfast.secret.finding import Place
from holdfast.secret.mask import Mask


class Concealed(Struct, frozen=True):
    """The image with masked texts, and where each secret stood."""

    image: Image
    places: tuple[Place, ...] = ()


def conceal(image: Image, engine: SecretEngine) -> Concealed:
    """Mask whatever looks like a secret in the history, environment, labels and commands of an image."""
    secrets = configuration_secrets(image, engine)
    if not secrets:
        return Concealed(image)
    mask = Mask(one.secret for one in secrets)
    return Concealed(masked(image, mask), tuple(one.place for one in secrets))


def masked(image: Image, mask: Mask) -> Image:
    """The image with every text of its configuration masked."""
    run = image.execution
    return replace(
        image,
        layers=tuple(replace(layer, created_by=mask(layer.created_by)) for layer in image.layers),
        history=tuple(
            replace(line, created_by=mask(line.created_by), comment=mask(line.comment)) for line in image.history
        ),
        user=mask(image.user),
        labels={mask(name): mask(value) for name, value in image.labels.items()},
        annotations={mask(name): mask(value) for name, value in image.annotations.items()},
        execution=replace(
            run,
            environment=tuple(map(mask, run.environment)),
            entrypoint=tuple(map(mask, run.entrypoint)),
            command=tuple(map(mask, run.command)),
            health_check=tuple(map(mask, run.health_check)),
            on_build=tuple(map(mask, run.on_build)),
            working_directory=mask(run.working_directory),
            exposed_ports=tuple(map(mask, run.exposed_ports)),
            volumes=tuple(map(mask, run.volumes)),
            stop_signal=mask(run.stop_signal),
            shell=tuple(map(mask, run.shell)),
        ),
    )


def without_secret_paths(report: Report, engine: SecretEngine) -> Report:
    """The report with the secrets masked that stand in the very names of files: they are rare, and would be quoted."""
    paths = {finding.location.path for finding in report.findings}
    paths |= {path for package in report.packages for path in package.locations}
    text = "\n".join(sorted(paths)).encode(errors="surrogateescape")
    secrets = [secret.decode(errors="surrogateescape") for _, secret in engine.session().secrets(text)]
    if not secrets:
        return report
    mask = Mask(secrets)
    return replace(
        report,
        findings=tuple(_of_masked_path(finding, mask) for finding in report.findings),
        packages=tuple(_in_masked_paths(package, mask) for package in report.packages),
    )


def _of_masked_path(finding: Finding, mask: Mask) -> Finding:
    evidence = finding.evidence
    if places := getattr(evidence, "places", ()):
        evidence = replace(evidence, places=tuple(map(mask, places)))
    subject = replace(finding.subject, name=mask(finding.subject.name))
    location = replace(finding.location, path=mask(finding.location.path))
    return replace(finding, subject=subject, location=location, evidence=evidence)


def _in_masked_paths(package: Package, mask: Mask) -> Package:
    return replace(package, locations=tuple(map(mask, package.locations)))
