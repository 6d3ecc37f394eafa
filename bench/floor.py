"""The floor: read, inflate and hash every layer of an OCI layout, one after the other, with the libraries that we use.

python -m bench.floor LAYOUT
"""

import hashlib
import json
import sys
from pathlib import Path

from isal import isal_zlib


def main(layout: Path) -> None:
    blobs = layout / "blobs" / "sha256"
    index = json.loads((layout / "index.json").read_bytes())
    manifest = json.loads((blobs / index["manifests"][0]["digest"][7:]).read_bytes())
    for layer in manifest["layers"]:
        outer, inner, inflate = hashlib.sha256(), hashlib.sha256(), isal_zlib.decompressobj(31)
        with (blobs / layer["digest"][7:]).open("rb") as stream:
            while chunk := stream.read(1 << 20):
                outer.update(chunk)
                inner.update(inflate.decompress(chunk))
        print(outer.hexdigest(), inner.hexdigest())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
