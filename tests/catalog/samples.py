"""Small files as package managers and linkers write them."""

import struct
from collections.abc import Sequence

from holdfast.catalog.cataloger import Cataloger
from holdfast.fs.memory import MemoryFile
from holdfast.model.file import Entry, FileType
from holdfast.model.found import Found

START_MARK = bytes.fromhex("3077af0c9274080241e1c107e6d618e6")
END_MARK = bytes.fromhex("f932433186182072008242104116d8f2")
NOTE = b"\x04\0\0\0\x14\0\0\0\x04\0\0\0Go\0\0"


def read(cataloger: Cataloger, path: str, content: str | bytes, mode: int = 0o644) -> Found:
    """What a cataloger makes of a file."""
    data = content.encode() if isinstance(content, str) else content
    return cataloger.read(MemoryFile(Entry(path, FileType.FILE, len(data), mode), data))


def listed(found: Found) -> list[tuple[str, str]]:
    """Names and versions, in order."""
    return [(package.name, package.version) for package in found.packages]


def paragraph(name: str = "bash", version: str = "5.2.15-2", status: str = "install ok installed", **more: str) -> str:
    """A paragraph of dpkg's status file."""
    fields = {"Package": name, "Status": status, "Architecture": "amd64", "Version": version, **more}
    return "".join(f"{key}: {value}\n" for key, value in fields.items() if value) + "Description: a\n text\n .\n more\n"


def status(*paragraphs: str) -> str:
    return "\n".join(paragraphs)


def modules(*lines: str) -> bytes:
    """runtime/debug.BuildInfo as text: `mod`, `dep` and `=>` lines with spaces for tabs."""
    return "".join(line.replace(" ", "\t") + "\n" for line in lines).encode()


def elf(*, type: int = 2, interpreter: bool = False, order: str = "<", wide: bool = True, note: bool = True) -> bytes:
    """An ELF header with one segment that loads the whole file at address 0x400000, and Go's note."""
    segments = [(1, 0, 0x400000, 1 << 30)] + ([(3, 0, 0, 1)] if interpreter else [])
    identity = b"\x7fELF" + bytes([2 if wide else 1, "<>".index(order) + 1, 1]) + b"\0" * 9
    if wide:
        header = struct.pack(order + "HHIQQQIHHHHHH", type, 62, 1, 0, 64, 0, 0, 64, 56, len(segments), 0, 0, 0)
        table = [struct.pack(order + "IIQQQQQQ", k, 6, o, a, a, s, s, 16) for k, o, a, s in segments]
    else:
        header = struct.pack(order + "HHIIIIIHHHHHH", type, 3, 1, 0, 64, 0, 0, 52, 32, len(segments), 0, 0, 0)
        header = header.ljust(48, b"\0")
        table = [struct.pack(order + "IIIIIIII", k, o, a, a, s, s, 6, 16) for k, o, a, s in segments]
    mark = NOTE if order == "<" else b"\0\0\0\x04\0\0\0\x14\0\0\0\x04Go\0\0"
    return (identity + header + b"".join(table)).ljust(512, b"\0") + (mark if note else b"").ljust(512, b"\0")


def varint(number: int) -> bytes:
    out = b""
    while number >= 0x80:
        out, number = out + bytes([number & 0x7F | 0x80]), number >> 7
    return out + bytes([number])


def build_information(toolchain: str = "go1.21.5", text: bytes = b"", pointer_size: int = 8) -> bytes:
    """What the linker writes since Go 1.18."""
    marked = START_MARK + text + END_MARK if text else b""
    header = b"\xff Go buildinf:" + bytes([pointer_size, 2]) + b"\0" * 16
    return header + varint(len(toolchain)) + toolchain.encode() + varint(len(marked)) + marked


def go_program(toolchain: str = "go1.21.5", text: bytes = b"", padding: int = 4096) -> bytes:
    return elf() + b"\0" * padding + build_information(toolchain, text) + b"\0" * 64


def old_go_program(toolchain: str, text: bytes, *, order: str = "<", wide: bool = True) -> bytes:
    """What the linker wrote before Go 1.18: two pointers to string headers, which point to the texts."""
    word = "Q" if wide else "I"
    marked = START_MARK + text + END_MARK
    data = elf(order=order, wide=wide)
    places: list[int] = []
    for value in (toolchain.encode(), marked):
        places.append(0x400000 + len(data))
        data += value
    headers = []
    for place, value in zip(places, (toolchain.encode(), marked), strict=True):
        data = data.ljust(-(-len(data) // 16) * 16, b"\0")
        headers.append(0x400000 + len(data))
        data += struct.pack(order + word * 2, place, len(value))
    data = data.ljust(-(-len(data) // 16) * 16, b"\0")
    flags = bytes([8 if wide else 4, "<>".index(order)])
    return data + (b"\xff Go buildinf:" + flags + struct.pack(order + word * 2, *headers)).ljust(64, b"\0")


MODULES = modules(
    "path example.com/shop",
    "mod example.com/shop (devel) ",
    "dep github.com/x/y v1.2.3 h1:abc=",
    "dep github.com/old/z v1.0.0",
    "=> github.com/new/z v1.1.0 h1:def=",
    "build -compiler=gc",
)

APK = """C:Q1abc=
P:musl
V:1.2.5-r0
A:x86_64
T:the musl c library (libc) implementation
L:MIT
o:musl
m:Timo <timo@example.org>
F:lib
R:ld-musl-x86_64.so.1
a:0:0:755

P:libcrypto3
V:3.3.2-r0
A:x86_64
L:Apache-2.0
o:openssl
F:usr/lib
R:libcrypto.so.3
F:usr/lib/engines-3
R:afalg.so
"""

METADATA = """Metadata-Version: 2.1
Name: Zope.Interface
Version: 5.4.0
License: ZPL 2.1
Classifier: License :: OSI Approved :: Zope Public License

Name: not-this-one
"""

PACKAGE_LOCK = """{"name": "shop", "version": "1.0.0", "lockfileVersion": 3, "packages": {
  "": {"name": "shop", "version": "1.0.0"},
  "packages/a": {"version": "1.0.0"},
  "node_modules/a": {"resolved": "packages/a", "link": true},
  "node_modules/@babel/core": {"version": "7.12.3", "dev": true},
  "node_modules/express": {"version": "4.17.1"},
  "node_modules/express/node_modules/qs": {"version": "6.7.0"},
  "node_modules/left": {"name": "lodash", "version": "4.17.20"}}}
"""

YARN_1 = """# yarn lockfile v1


"@babel/code-frame@^7.0.0", "@babel/code-frame@^7.1.0":
  version "7.12.13"
  resolved "https://registry.yarnpkg.com/..."
  dependencies:
    "@babel/highlight" "^7.12.13"

left@npm:lodash@4.17.20:
  version "4.17.20"

own@file:./own:
  version "1.0.0"
"""

YARN_BERRY = """__metadata:
  version: 8

"lodash@npm:^4.17.20":
  version: 4.17.21
  resolution: "lodash@npm:4.17.21"
  dependencies:
    other: "npm:^1"

"shop@workspace:.":
  version: 0.0.0-use.local
  resolution: "shop@workspace:."

"typescript@patch:typescript@npm%3A^4.0.0#~builtin":
  version: 4.9.5
  resolution: "typescript@patch:typescript@npm%3A4.9.5#~builtin::version=4.9.5"
"""

PNPM_5 = """lockfileVersion: 5.4

specifiers:
  express: 4.17.1

packages:

  /@babel/core/7.12.3_react@17.0.2:
    resolution: {integrity: sha512-x}
    dev: true

  /express/4.17.1:
    resolution: {integrity: sha512-y}
    deprecated: >-
      some text: with a colon
      /not/1.0.0: here
    dev: false

  file:own:
    version: 1.0.0
"""

PNPM_6 = """lockfileVersion: '6.0'

packages:

  /@babel/core@7.12.3(react@17.0.2):
    resolution: {integrity: sha512-x}
    dev: true

  /express@4.17.1:
    resolution: {integrity: sha512-y}
    dev: false
"""

PNPM_9 = """lockfileVersion: '9.0'

importers:

  .:
    dependencies:
      express:
        specifier: 4.17.1
        version: 4.17.1
      left:
        specifier: npm:lodash@4.17.20
        version: lodash@4.17.20
    devDependencies:
      '@babel/core':
        specifier: ^7
        version: 7.12.3(react@17.0.2)

packages:

  '@babel/core@7.12.3':
    resolution: {integrity: sha512-x}

  express@4.17.1:
    resolution: {integrity: sha512-y}

  lodash@4.17.20:
    resolution: {integrity: sha512-z}

  qs@6.7.0:
    resolution: {integrity: sha512-z}

snapshots:

  '@babel/core@7.12.3(react@17.0.2)': {}

  express@4.17.1:
    dependencies:
      qs: 6.7.0

  lodash@4.17.20: {}

  qs@6.7.0: {}
"""

REQUIREMENTS = """# pinned
Django==3.2.1  # why
requests[security, socks] == 2.19.0 ; python_version < "3.12"
PyYAML===5.3 \\
    --hash=sha256:aaaa \\
    --hash=sha256:bbbb
flask>=2.0
numpy==1.*
--index-url https://example.org/simple
urllib3
"""

UV = """version = 1

[[package]]
name = "shop"
version = "0.1.0"
source = { virtual = "." }
dependencies = [{ name = "flask" }]

[package.dev-dependencies]
dev = [{ name = "pytest" }]

[[package]]
name = "flask"
version = "2.0.1"
source = { registry = "https://pypi.org/simple" }
dependencies = [{ name = "jinja2" }]

[[package]]
name = "jinja2"
version = "3.0.0"
source = { registry = "https://pypi.org/simple" }

[[package]]
name = "pytest"
version = "7.0.0"
source = { registry = "https://pypi.org/simple" }
"""

GO_MOD = """module example.com/shop

go 1.21
toolchain go1.21.5

require github.com/gin-gonic/gin v1.7.0 // direct
require (
\tgolang.org/x/text v0.3.5 // indirect
\tgithub.com/old/a v1.0.0
\tgithub.com/local/b v1.0.0
\tgithub.com/bad/c v1.0.0
)
replace github.com/old/a => github.com/new/a v1.4.0
replace (
\tgithub.com/local/b v1.0.0 => ../b
)
exclude github.com/bad/c v1.0.0
retract [v1.0.0, v1.1.0]
"""

GO_SUM = """github.com/gin-gonic/gin v1.6.0/go.mod h1:aaa=
github.com/gin-gonic/gin v1.7.0 h1:bbb=
golang.org/x/net v0.1.0 h1:ccc=
golang.org/x/net v0.2.0 h1:ddd=
golang.org/x/net v0.2.0/go.mod h1:eee=
"""

SAMPLES: Sequence[tuple[str, str, bytes]] = [
    ("distro", "etc/os-release", b'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n'),
    ("distro", "etc/redhat-release", b"CentOS Linux release 7.9.2009 (Core)\n"),
    ("deb", "var/lib/dpkg/status", status(paragraph(), paragraph("zlib1g", "1:1.2.13", Source="zlib")).encode()),
    ("deb-single", "var/lib/dpkg/status.d/base", paragraph("base-files", "12.4").encode()),
    ("deb-list", "var/lib/dpkg/info/bash.list", b"/.\n/bin\n/bin/bash\n"),
    ("deb-copyright", "usr/share/doc/bash/copyright", b"Format: x\n\nFiles: *\nLicense: GPL-3+\n text\n"),
    ("apk", "lib/apk/db/installed", APK.encode()),
    ("python", "usr/lib/python3/site-packages/z-1.dist-info/METADATA", METADATA.encode()),
    ("node", "srv/node_modules/a/package.json", b'{"name": "a", "version": "1.0.0", "license": "MIT"}'),
    ("golang", "usr/bin/program", go_program(text=MODULES)),
    ("golang", "usr/bin/old", old_go_program("go1.17.5", MODULES)),
    ("node-lock", "srv/package-lock.json", PACKAGE_LOCK.encode()),
    ("yarn", "srv/yarn.lock", YARN_BERRY.encode()),
    ("pnpm", "srv/pnpm-lock.yaml", PNPM_9.encode()),
    ("requirements", "srv/requirements.txt", REQUIREMENTS.encode()),
    ("pipfile", "srv/Pipfile.lock", b'{"default": {"a": {"version": "==1.0"}}, "develop": {"b": {"version": "==2"}}}'),
    ("poetry", "srv/poetry.lock", b'[[package]]\nname = "a"\nversion = "1.0"\ngroups = ["dev"]\n'),
    ("pdm", "srv/pdm.lock", b'[[package]]\nname = "a"\nversion = "1.0"\ngroups = ["default"]\n'),
    ("uv", "srv/uv.lock", UV.encode()),
    ("go-mod", "srv/go.mod", GO_MOD.encode()),
    ("go-sum", "srv/go.sum", GO_SUM.encode()),
]
"""(cataloger, path, content) of at least one valid file for every cataloger."""
