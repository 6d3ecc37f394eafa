"""An image's configuration with its secrets masked: what a report quotes of it must not give them away."""

from msgspec import Struct
from msgspec.structs import replace

from holdfast.model.artifact import Image
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
        labels={mask(name): mask(value) for name, value in image.labels.items()},
        annotations={mask(name): mask(value) for name, value in image.annotations.items()},
        execution=replace(
            run,
            environment=tuple(map(mask, run.environment)),
            entrypoint=tuple(map(mask, run.entrypoint)),
            command=tuple(map(mask, run.command)),
            health_check=tuple(map(mask, run.health_check)),
            on_build=tuple(map(mask, run.on_build)),
        ),
    )
