"""Taking secrets out of texts that are quoted: history lines, labels, commands."""

from collections.abc import Iterable

from holdfast.secret.configuration import ConfigurationSecret
from holdfast.secret.redact import redacted

_LEAST = 4
_MOST = 2000


class Mask:
    """Puts the redacted form in the place of every secret it knows. It holds them whole: drop it with the report."""

    def __init__(self, secrets: Iterable[ConfigurationSecret | str]) -> None:
        texts = (one if isinstance(one, str) else one.secret for one in secrets)
        known = dict.fromkeys(text for text in texts if len(text) >= _LEAST)
        # The longest first: one secret may be a part of another.
        self._shown = {
            form: redacted(secret.encode(errors="surrogatepass"))
            for secret in sorted(known, key=len, reverse=True)[:_MOST]
            for form in _forms(secret)
        }

    def __repr__(self) -> str:
        return f"Mask({len(self._shown)})"

    def __bool__(self) -> bool:
        return bool(self._shown)

    def __call__(self, text: str) -> str:
        """The text with every secret redacted."""
        for secret, shown in self._shown.items():
            if secret in text:
                text = text.replace(secret, shown)
        return text


def _forms(secret: str) -> Iterable[str]:
    """A secret as it is, and as JSON, ascii() and a URL would write it."""
    from json import dumps
    from urllib.parse import quote

    encodable = secret.encode(errors="replace").decode(errors="replace")
    return dict.fromkeys((secret, dumps(secret)[1:-1], ascii(secret)[1:-1], quote(encodable, safe="")))
