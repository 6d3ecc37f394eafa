"""skopeo, the client that we did not write.

    skopeo("copy", "--dest-tls-verify=false", f"oci:{layout}:latest", f"docker://{it.host}/app:1", folder=tmp_path)
    copied = pull(it.host, "app:1", folder=tmp_path)            # an OCI layout; options as skopeo has them
    refused(it.host, "app:1", "--src-creds=ci:wrong", folder=tmp_path)                   # what it said

It is given nobody's configuration and credentials but those in `folder`, its home. The test is skipped where it is
absent. With `--src-tls-verify=false` it tries plain HTTP too where TLS fails.
"""

import os
import subprocess
from pathlib import Path

from daemons.program import need

_SECONDS = 60


def skopeo(*arguments: object, folder: Path, fails: bool = False) -> str:
    """What it wrote: its output, or what it complained of where it has to fail."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "XDG_RUNTIME_DIR": str(folder)}
    ran = subprocess.run(
        [need("skopeo"), "--insecure-policy", *map(str, arguments)], capture_output=True, text=True, env=environment,
        timeout=_SECONDS, check=False,
    )  # fmt: skip
    assert (ran.returncode != 0) == fails, ran.stderr
    return ran.stderr if fails else ran.stdout


def pull(host: str, reference: str, *options: str, folder: Path) -> Path:
    """The OCI layout that an image was copied to, under the tag `copied`."""
    skopeo(*_copy(host, reference, options, folder), folder=folder)
    return folder / "copied"


def refused(host: str, reference: str, *options: str, folder: Path) -> str:
    """What it says where it cannot pull."""
    return skopeo(*_copy(host, reference, options, folder), folder=folder, fails=True)


def _copy(host: str, reference: str, options: tuple[str, ...], folder: Path) -> tuple[str, ...]:
    target = f"oci:{folder / 'copied'}:copied"
    return "copy", "--src-tls-verify=false", *options, f"docker://{host}/{reference}", target
