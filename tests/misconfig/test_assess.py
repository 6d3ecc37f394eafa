"""What a whole image comes to: one finding a cause, where it stands, how grave, and nothing for what is in order."""

import pytest

from holdfast.misconfig import assess
from holdfast.model.artifact import Side
from holdfast.model.finding import Confidence, ConfigurationEvidence, Finding, Kind, Severity
from misconfig.scenes import PASSWD, Files, folder, image, only, program, rules_of, scene

SETUID = ("usr/bin/chfn", "usr/bin/chsh", "usr/bin/gpasswd", "usr/bin/mount", "usr/bin/newgrp", "usr/bin/passwd",
          "usr/bin/su", "usr/bin/umount")  # fmt: skip
SETGID = ("usr/bin/chage", "usr/bin/expiry", "usr/sbin/unix_chkpwd")
DEBIAN: Files = {
    **{path: program(path, 0o4755) for path in SETUID},
    **{path: program(path, 0o2755, gid=42) for path in SETGID},
    "tmp": folder("tmp", 0o1777),
    "run/lock": folder("run/lock", 0o1777),
    "var/mail": folder("var/mail", 0o2775, gid=8),
    "etc/passwd": "root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\n"
    "sync:x:4:65534:sync:/bin:/bin/sync\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
    "etc/group": "root:x:0:\ndaemon:x:1:\nshadow:x:42:\n",
    "etc/apt/sources.list.d/debian.sources": "Types: deb\nURIs: http://deb.debian.org/debian\nSuites: bookworm\n"
    "Components: main\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\n",
    "etc/apt/apt.conf.d/docker-clean": 'DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb || true"; };\n'
    'Dir::Cache::pkgcache ""; Dir::Cache::srcpkgcache "";\n',
    "usr/share/doc/rsync/examples/sshd_config": "PermitRootLogin yes",
}
PLAIN = "root:*:19000:0:99999:7:::\ndaemon:*:19000:0:99999:7:::\n"


def _evidence(finding: Finding) -> ConfigurationEvidence:
    assert isinstance(finding.evidence, ConfigurationEvidence)
    return finding.evidence


def test_a_plain_distribution_has_a_handful_and_nothing_above_low() -> None:
    base = image("# debian.sh --arch 'amd64' out/ 'bookworm' '@1'", user="", command=("bash",), health_check=())
    found = assess(scene({**DEBIAN, "etc/shadow": PLAIN}, base, packages=["tar", "apt", "gcc-12-base"]))
    shadowed = [one for one in found if one.rule != "image.world-readable-secret"]  # the builder's mode, 0644
    assert {(one.rule, one.severity) for one in shadowed} == {
        ("image.root-user", Severity.LOW),
        ("image.setuid-usual", Severity.LOW),
        ("image.no-health-check", Severity.NEGLIGIBLE),
    }


def test_an_image_in_order_has_nothing() -> None:
    well = image("ADD file:1 in / ", "COPY app /srv/app # buildkit", "RUN /bin/sh -c apk add --no-cache tar # buildkit")
    assert assess(scene({"srv/app": program("srv/app")}, well)) == ()


def test_the_distribution_s_own_setuid_programs_are_one_finding() -> None:
    usual = only(scene(DEBIAN), "image.setuid-usual")
    assert (usual.count, usual.severity) == (len(SETUID) + len(SETGID), Severity.LOW)
    assert len(_evidence(usual).places) == 10
    assert "more" in _evidence(usual).found


@pytest.mark.parametrize(
    "path", ["usr/bin/su", "bin/su", "usr/lib/x86_64-linux-gnu/utempter/utempter", "usr/lib/openssh/ssh-keysign"]
)
def test_a_usual_program_is_known_wherever_distributions_put_it(path: str) -> None:
    assert rules_of(scene({path: program(path, 0o4755)})) == {"image.setuid-usual"}


def test_a_usual_program_of_an_unusual_owner_is_not_usual() -> None:
    assert rules_of(scene({"usr/bin/su": program("usr/bin/su", 0o4755, uid=1000)})) == {"image.setuid-file"}


def test_one_cause_is_one_finding_with_its_places() -> None:
    files = {f"etc/nginx/conf.d/{name}.conf": "server {\n autoindex on;\n}" for name in "bca"}
    finding = only(scene(files), "image.nginx-directory-listing")
    assert finding.count == 3
    assert (finding.location.path, finding.location.line) == ("etc/nginx/conf.d/a.conf", 2)
    assert _evidence(finding).places[1] == "etc/nginx/conf.d/b.conf:2"
    assert _evidence(finding).expected == "autoindex off"
    assert finding.kind is Kind.CONFIGURATION
    assert finding.fix.advice
    assert finding.title
    assert finding.controls


def test_a_finding_names_the_layer_that_brought_it() -> None:
    made = image("ADD rootfs /", "COPY nginx.conf /etc", base_layers=1)
    layer = made.layers[1]
    what = scene({"etc/nginx/nginx.conf": "user root;"}, made)
    placed = tuple(
        type(one)(one.path, one.trait, layer.diff_id, layer.side) if one.path.endswith("nginx.conf") else one
        for one in what.traits
    )
    finding = only(type(what)(what.name, made, placed, what.exists, today=what.today), "image.nginx-root-worker")
    assert finding.location.diff_id == layer.diff_id
    assert finding.location.created_by == "COPY nginx.conf /etc"
    assert finding.fix.side is Side.APPLICATION


def test_fingerprints_differ_where_causes_do_and_survive_a_rebuild() -> None:
    first = assess(scene({}, image(exposed_ports=("22/tcp", "23/tcp"), environment=("DEBUG=1", "APP_DEBUG=1"))))
    again = assess(
        scene({}, image("COPY a b", exposed_ports=("22/tcp", "23/tcp"), environment=("DEBUG=1", "APP_DEBUG=1")))
    )
    assert len({one.fingerprint for one in first}) == len(first) == 4
    assert {one.fingerprint for one in first} == {one.fingerprint for one in again}


def test_the_gravest_stands_first() -> None:
    ranks = [one.severity.rank for one in assess(scene({}, image(user="", exposed_ports=("2375/tcp", "22/tcp"))))]
    assert ranks == sorted(ranks, reverse=True)


def test_what_sshd_config_says_matters_where_there_is_an_sshd() -> None:
    files = {"etc/ssh/sshd_config": "PermitRootLogin yes"}
    assert "image.sshd-root-login" in rules_of(scene(files, present=["usr/sbin/sshd"]))
    assert rules_of(scene(files)) == set()


def test_samples_and_what_others_wrote_are_not_settings() -> None:
    files = {
        "usr/share/doc/nginx/nginx.conf": "http { autoindex on; }",
        "usr/lib/python3/dist-packages/x/settings.py": "INSTALLED_APPS = 1\nDEBUG = True",
        "srv/node_modules/a/.env": "APP_DEBUG=true",
        "root/.pyenv/.git/HEAD": "ref",
    }
    assert rules_of(scene(files)) == set()
    assert rules_of(scene({"usr/share/nginx/html/.git/HEAD": "ref"})) == {"image.repository-left"}


def test_what_is_not_switched_on_is_no_setting() -> None:
    files = {
        "etc/nginx/sites-available/a.conf": "server { autoindex on; }",
        "etc/apache2/mods-available/info.conf": "TraceEnable On",
        "etc/php/8.2/mods-available/x.ini": "display_errors = On",
    }
    assert rules_of(scene(files)) == set()


def test_a_readable_folder_is_less_than_a_readable_file() -> None:
    kept = only(scene({"f": folder("root/.ssh", 0o755)}), "image.world-readable-secret")
    assert kept.severity is Severity.LOW
    key = only(scene({"k": program("root/.ssh/id_rsa", 0o644)}), "image.world-readable-secret")
    assert key.severity is Severity.MEDIUM


def test_no_secret_stands_in_a_finding() -> None:
    secret = "hunter2-s3cr3t"
    files = {
        "usr/local/tomcat/conf/tomcat-users.xml": "<user username='a' password='admin'/>"
        f"<user username='b' password='{secret}'/>",
        "etc/apt/sources.list": f"deb [trusted=yes] http://user:{secret}@m.example/{secret} s m",
        "etc/pip.conf": f"[global]\nextra-index-url = https://u:{secret}@a.example/{secret}?t={secret}\n"
        f"index-url = http://{secret}@b.example/",
        "root/.npmrc": f"registry=http://u:{secret}@n.example/\n//n.example/:_authToken={secret}",
        "srv/.env": f"APP_DEBUG=true\nAPP_KEY={secret}",
        "etc/redis/redis.conf": f"bind 0.0.0.0\nmasterauth {secret}",
    }
    made = image(
        f"RUN |1 TOKEN={secret} /bin/sh -c curl -k -u u:{secret} https://a.example/{secret} | sh # buildkit",
        f"ADD https://u:{secret}@a.example/x?{secret} /x # buildkit",
        environment=(
            f"LD_PRELOAD=/{secret}",
            f"PIP_TRUSTED_HOST={secret}",
            f"JAVA_OPTS=-Dp={secret} --inspect=0.0.0.0",
        ),
        command=("mysqld", "--skip-grant-tables", f"--password={secret}"),
    )
    found = assess(scene(files, made))
    assert len(found) > 8
    for finding in found:
        evidence = _evidence(finding)
        assert secret not in f"{evidence.found} {evidence.places} {finding.subject} {finding.fix}", finding.rule


def test_history_tells_its_lines_and_is_less_sure() -> None:
    finding = only(scene({}, image("COPY a b", "RUN chmod 777 /x", "RUN chmod -R 777 /y")), "image.history-wide-mode")
    assert finding.count == 2
    assert _evidence(finding).places == ("history 2", "history 3")
    assert finding.location.created_by == "RUN chmod 777 /x"
    assert finding.confidence is Confidence.MEDIUM


@pytest.mark.parametrize(
    "line",
    [
        "set -eux; apt-get update; apt-get install -y --no-install-recommends curl; rm -rf /var/lib/apt/lists/*",
        "curl -fsSLO https://a.example/n.tar.xz && echo 'abc  n.tar.xz' | sha256sum -c - && tar -xJf n.tar.xz",
        'mkdir -p "$GOPATH/src" && chmod -R 1777 "$GOPATH"',
        "apk add --no-cache --virtual .build-deps gcc && make && apk del --no-network .build-deps",
        "install --verbose --directory --owner postgres --mode 3777 /var/run/postgresql",
        "wget -O - https://a.example/x.tgz | tar xz && curl https://a.example/key | gpg --dearmor -o /k.gpg",
        "adduser --system --uid 10001 app && sed -i 's/curl | sh/x/; s/sudo//' /etc/x",
        "apt-get install -y /tmp/a.deb && apt-get purge -y --auto-remove && yum -y update tzdata",
        "echo 'deb https://a.example s m' > /etc/apt/sources.list.d/a.list # sudo apt-get dist-upgrade",
    ],
)
def test_lines_that_careful_builders_write_are_in_order(line: str) -> None:
    assert rules_of(scene({}, image(f"RUN /bin/sh -c {line} # buildkit"))) == set()


def test_what_the_files_show_is_not_told_again_by_the_history() -> None:
    line = image("RUN apt-get update && apt-get install -y tar")
    assert "image.history-package-cache" in rules_of(scene({}, line))
    assert rules_of(scene({"var/lib/apt/lists/a_Packages": "x"}, line)) == {"image.package-cache"}


def test_the_program_is_found_within_a_shell_too() -> None:
    files = {"srv": folder("srv", uid=10001), "srv/run": program("srv/run")}
    started = image(entrypoint=("/bin/sh", "-c", "exec ./run --fast"), working_directory="/srv")
    assert only(scene(files, started), "image.writable-entrypoint").location.path == "srv"


def test_root_is_graver_where_an_application_is_started() -> None:
    assert only(scene({}, image(user="", command=("bash",))), "image.root-user").severity is Severity.LOW
    assert only(scene({}, image(user="", command=("nginx", "-g", "x"))), "image.root-user").severity is Severity.MEDIUM
    assert only(scene({"etc/passwd": PASSWD + "admin:x:0:0::/:"}, image(user="admin")), "image.root-user")


@pytest.mark.parametrize(("built", "severity"), [("2025-10-01", Severity.LOW), ("2024-10-01", Severity.MEDIUM)])
def test_an_older_image_is_graver(built: str, severity: Severity) -> None:
    assert only(scene({}, image(created=built)), "image.stale").severity is severity


@pytest.mark.parametrize("name", ["./app.tar", "docker-archive:app.tar", "oci:layout:latest", "app.tar.gz"])
def test_a_file_is_not_asked_for_a_digest(name: str) -> None:
    what = scene({}, image(reference=name), pinned=False)
    assert rules_of(type(what)(name, what.image, what.traits, what.exists, pinned=False, today=what.today)) == set()


def test_tools_are_one_finding_with_their_list() -> None:
    finding = only(scene(packages=["git", "nmap", "g++-12", "curl"]), "image.tools-left")
    assert (finding.count, finding.severity) == (4, Severity.MEDIUM)
    assert _evidence(finding).found == "nmap, curl, g++-12, git"
    assert only(scene(packages=["curl"]), "image.tools-left").severity is Severity.LOW


def test_capabilities_that_give_all_others_are_graver() -> None:
    import struct

    admin = struct.pack("<5I", 0x02000001, 1 << 21, 0, 0, 0)
    finding = only(scene({"p": program("usr/bin/p", capabilities=admin)}), "image.file-capabilities")
    assert finding.severity is Severity.MEDIUM
    assert _evidence(finding).found == "/usr/bin/p (sys_admin)"


def test_a_root_file_system_is_assessed_without_an_image() -> None:
    assert rules_of(scene({"etc/shadow": "root::1:0:::::"}, None)) >= {"image.empty-password"}
