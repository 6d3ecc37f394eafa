"""For every rule of the image half: a scene that breaks it, and one like it that does not."""

import struct

from holdfast.misconfig import Scene
from holdfast.model.file import Entry, FileType
from misconfig.scenes import Files, folder, image, program, scene

NGINX, HTTPD, TOMCAT = "etc/nginx/nginx.conf", "etc/apache2/apache2.conf", "usr/local/tomcat/conf/"
MYSQL, HBA, POSTGRESQL = "etc/mysql/my.cnf", "var/lib/postgresql/data/pg_hba.conf", "etc/postgresql/16/postgresql.conf"
PHP, SSHD = "usr/local/etc/php/php.ini", "etc/ssh/sshd_config"
NET_RAW = struct.pack("<5I", 0x02000001, 1 << 13, 0, 0, 0)

# A rule, a path, what it says where it is wrong, and where it is right.
SETTINGS: tuple[tuple[str, str, str, str], ...] = (
    ("nginx-directory-listing", NGINX, "http { server { autoindex on; } }", "http { server { autoindex off; } }"),
    ("nginx-directory-listing", NGINX, "server { autoindex off; autoindex on; }", "server { # autoindex on;\n }"),
    ("nginx-status-open", NGINX, "location = /s { stub_status; }",
     "location = /s { stub_status; allow ::1; deny all; }"),
    ("nginx-version-shown", NGINX, "http { }", "http { server_tokens off; }"),
    ("nginx-alias-traversal", NGINX, "location /i { alias /data/; }", "location /i/ { alias /data/; }"),
    ("nginx-alias-traversal", NGINX, "location ^~ /i { alias /data/; }", "location ~ /i { alias /data/; }"),
    ("nginx-root-directory", NGINX, "server { root /; }", "server { root /srv/www; }"),
    ("nginx-open-proxy", NGINX, "location / { proxy_pass http://$host; }", "location / { proxy_pass http://app$uri; }"),
    ("nginx-open-proxy", NGINX, "location ~ /(.*) { proxy_pass https://$1/x; }",
     "location / { proxy_pass http://b/$1; }"),
    ("nginx-old-tls", NGINX, "ssl_protocols TLSv1 TLSv1.2;", "ssl_protocols TLSv1.2 TLSv1.3;"),
    ("nginx-root-worker", NGINX, "user root;", "user nginx;"),
    ("httpd-directory-listing", HTTPD, "<Directory /srv>\nOptions Indexes\n</Directory>", "Options FollowSymLinks"),
    ("httpd-directory-listing", HTTPD, "Options +Indexes", "Options Indexes\nOptions -Indexes"),
    (
        "httpd-status-open", HTTPD, "<Location /s>\nSetHandler server-status\n</Location>",
        "<Location /s>\nSetHandler server-status\nRequire local\n</Location>",
    ),
    (
        "httpd-status-open", HTTPD, "<Location /s>\nSetHandler server-info\nRequire all granted\n</Location>",
        "# SetHandler server-info",
    ),
    ("httpd-version-shown", HTTPD, "ServerTokens Full", "ServerTokens Full\nServerTokens Prod"),
    ("httpd-trace", HTTPD, "TraceEnable On", "TraceEnable Off"),
    (
        "tomcat-weak-password", TOMCAT + "tomcat-users.xml",
        "<tomcat-users><user username='a' password='s3cret' roles='manager-gui'/></tomcat-users>",
        "<tomcat-users><!-- <user username='a' password='s3cret'/> --><user username='a' password='q7!kT0pz'/>",
    ),
    ("tomcat-manager-open", "opt/tomcat/webapps/manager/META-INF/context.xml", "<Context/>",
     "<Context><Valve className='org.apache.catalina.valves.RemoteAddrValve' allow='127.0.0.1'/></Context>"),
    ("tomcat-directory-listing", TOMCAT + "web.xml",
     "<param-name>listings</param-name>\n<param-value>true</param-value>",
     "<param-name>listings</param-name>\n<param-value>false</param-value>"),
    ("tomcat-ajp-open", TOMCAT + "server.xml", "<Connector port='8009' protocol='AJP/1.3'/>",
     "<Connector port='8009' protocol='AJP/1.3' secret='x7'/><Connector protocol='AJP/1.3' address='::1'/>"),
    ("tomcat-shutdown-port", TOMCAT + "server.xml", "<Server port='8005' shutdown='SHUTDOWN'>",
     "<Server port='-1' shutdown='SHUTDOWN'>"),
    ("mysql-no-grants", MYSQL, "[mysqld]\nskip_grant_tables", "[mysqld]\nskip-grant-tables=0\nskip-name-resolve"),
    ("mysql-all-addresses", MYSQL, "[mysqld]\nbind-address=0.0.0.0", "[client]\nbind-address=0.0.0.0"),
    ("mysql-local-infile", MYSQL, "[mysqld]\nlocal-infile=1", "[mysqld]\nlocal-infile=1\nlocal_infile=0"),
    ("mysql-file-access", MYSQL, "[mysqld]\nsecure-file-priv=", "[mysqld]\nsecure-file-priv=/var/lib/mysql-files"),
    ("mysql-empty-password", "docker-entrypoint-initdb.d/a.sql", "CREATE USER a IDENTIFIED BY '';",
     "-- CREATE USER a IDENTIFIED BY '';"),
    ("mysql-empty-password", "docker-entrypoint-initdb.d/a.sql", "SET PASSWORD FOR a = PASSWORD('');",
     "SET PASSWORD FOR a = PASSWORD('x');"),
    ("postgresql-trust", HBA, "host all all 0.0.0.0/0 trust", "local all all trust\nhost all all 127.0.0.1/32 trust"),
    ("postgresql-trust", HBA, "host all all 0.0.0.0 0.0.0.0 trust", "host all all all scram-sha-256"),
    ("postgresql-plain-password", HBA, "host all all all password", "hostssl all all all password"),
    ("postgresql-no-tls", POSTGRESQL, "listen_addresses = '*'", "listen_addresses = '*'\nssl = on"),
    ("postgresql-md5", POSTGRESQL, "password_encryption = md5",
     "password_encryption = md5\npassword_encryption = scram"),
    ("mongodb-open", "etc/mongod.conf", "net:\n  bindIp: 0.0.0.0\n",
     "net:\n  bindIp: 0.0.0.0\nsecurity:\n  authorization: enabled\n"),
    ("mongodb-open", "etc/mongod.conf", "bind_ip = 0.0.0.0", "bind_ip = 0.0.0.0\nauth = true"),
    ("elasticsearch-open", "srv/elasticsearch.yml", "xpack.security.enabled: false", "xpack.security.enabled: true"),
    ("elasticsearch-open", "srv/opensearch.yml", "plugins.security.disabled: true",
     "# plugins.security.disabled: true"),
    ("redis-open", "etc/redis/redis.conf", "bind 0.0.0.0", "bind 0.0.0.0\nrequirepass s0me"),
    ("redis-open", "etc/redis/redis.conf", "protected-mode no", "bind 127.0.0.1 -::1\nprotected-mode no"),
    ("redis-open", "etc/redis/redis.conf", "bind *", "bind *\nuser default off"),
    ("memcached-open", "etc/memcached.conf", "-m 64\n-l 0.0.0.0", "-m 64\n-l 127.0.0.1"),
    ("memcached-open", "etc/sysconfig/memcached", 'OPTIONS="-l 0.0.0.0"', 'OPTIONS="-l 0.0.0.0 -S"'),
    ("rabbitmq-guest", "etc/rabbitmq/rabbitmq.conf", "loopback_users = none", "loopback_users.guest = true"),
    ("rabbitmq-guest", "etc/rabbitmq/rabbitmq.config", "[{rabbit, [{loopback_users, []}]}].",
     "%% {loopback_users, []}"),
    ("php-errors-shown", PHP, "display_errors = On", "display_errors = On\ndisplay_errors = Off"),
    ("php-url-include", PHP, "allow_url_include = 1", "; allow_url_include = 1"),
    ("php-version-shown", PHP, "expose_php = On", "expose_php = Off"),
    ("php-debugger", PHP, "xdebug.mode = develop,debug", "xdebug.mode = coverage"),
    ("phpmyadmin-no-password", "srv/config.inc.php", "$cfg['Servers'][$i]['AllowNoPassword'] = true;",
     "// $cfg['Servers'][$i]['AllowNoPassword'] = true;"),
    ("spring-actuator-open", "srv/application.properties", "management.endpoints.web.exposure.include=*",
     "management.endpoints.web.exposure.include=health"),
    ("spring-actuator-open", "srv/application.yml",
     "management:\n  endpoints:\n    web:\n      exposure:\n        include: '*'\n",
     "management:\n  other:\n    web:\n      exposure:\n        include: '*'\n"),
    ("jupyter-open", "root/.jupyter/jupyter_notebook_config.py", "c.NotebookApp.token = ''",
     "# c.NotebookApp.token = ''"),
    ("debug-mode", "srv/app/settings.py", "INSTALLED_APPS = []\nDEBUG = True", "INSTALLED_APPS = []\nDEBUG = False"),
    ("debug-mode", "srv/app.py", "from flask import Flask\napp.run(debug=True)", "from flask import Flask\napp.run()"),
    ("debug-mode", "srv/.env", "APP_DEBUG=true", "APP_DEBUG=false"),
    ("sshd-root-login", SSHD, "PermitRootLogin yes", "PermitRootLogin no\nPermitRootLogin yes"),
    ("sshd-password-login", SSHD, "passwordauthentication yes", "Match User a\nPasswordAuthentication yes"),
    ("sshd-empty-passwords", SSHD, "PermitEmptyPasswords=yes", "#PermitEmptyPasswords yes"),
    ("sshd-old-protocol", SSHD, "Protocol 2,1", "Protocol 2"),
    ("ssh-authorized-key", "root/.ssh/authorized_keys", "ssh-ed25519 AAAA me", "# nobody\n"),
    ("ssh-host-key", "etc/ssh/ssh_host_rsa_key", "key", ""),
    ("sudo-without-password", "etc/sudoers", "a ALL=(ALL) NOPASSWD: ALL", "a ALL=(ALL) NOPASSWD: /bin/ls"),
    ("sudo-without-password", "etc/sudoers.d/a", "%wheel ALL=(ALL) \\\n NOPASSWD:SETENV: ALL",
     "root ALL=(ALL:ALL) ALL"),
    ("sudo-without-password", "etc/doas.conf", "permit nopass :wheel", "permit :wheel"),
    ("empty-password", "etc/passwd", "root:x:0:0::/root:/bin/sh\na::7:7::/:/bin/false", "root:x:0:0::/root:/bin/sh"),
    ("empty-password", "etc/shadow", "root::19000:0:::::", "root:*:19000:0:::::\na:!::::::"),
    ("account-password", "etc/shadow", "root:$6$saltsalt$" + "h" * 86 + ":1:", "root:!$6$saltsalt$hhhhhhhhhhh:1:"),
    ("duplicate-id", "etc/passwd", "root:x:0:0::/:\na:x:7:7::/:\nb:x:7:7::/:", "root:x:0:0::/:\na:x:7:7::/:"),
    ("duplicate-id", "etc/group", "a:x:7:\na:x:8:", "a:x:7:\nb:x:8:"),
    ("second-root-account", "etc/passwd", "root:x:0:0::/:\ntoor:x:0:0::/:", "root:x:0:0::/:\ntoor:x:1:0::/:"),
    ("service-account-shell", "etc/passwd", "root:x:0:0::/:\npg:x:70:70::/:/bin/sh", "pg:x:70:70::/:/sbin/nologin"),
    ("unverified-packages", "etc/apt/apt.conf", 'APT::Get::AllowUnauthenticated "true";', "// AllowUnauthenticated"),
    ("unverified-packages", "etc/apt/apt.conf.d/9x", 'APT { Get { AllowUnauthenticated "1"; }; };', "APT { };"),
    ("unverified-packages", "etc/apt/sources.list", "deb [trusted=yes] https://m.example/d s m",
     "deb http://m.example/d s m"),
    ("unverified-packages", "etc/apt/sources.list.d/a.sources", "Types: deb\nTrusted: yes",
     "Types: deb\n#Trusted: yes"),
    ("unverified-packages", "etc/yum.repos.d/a.repo", "[a]\ngpgcheck=0", "[a]\ngpgcheck=0\nenabled=0\n[b]\ngpgcheck=1"),
    ("plain-package-login", "etc/apt/sources.list", "deb http://u:p@m.example/d s m", "deb https://m.example/d s m"),
    ("tls-verification-off", "etc/pip.conf", "[global]\ntrusted-host = pypi.example", "[global]\n#trusted-host = a"),
    ("tls-verification-off", "root/.npmrc", "strict-ssl=false", "strict-ssl=false\nstrict-ssl=true"),
    ("tls-verification-off", "srv/.yarnrc", "strict-ssl false", "strict-ssl true"),
    ("tls-verification-off", "srv/.yarnrc.yml", "enableStrictSsl: false", "enableStrictSsl: true"),
    ("tls-verification-off", "root/.gitconfig", "[http]\n\tsslVerify = false", "[other]\n\tsslVerify = false"),
    ("tls-verification-off", "root/.curlrc", "insecure", "# insecure"),
    ("tls-verification-off", "root/.wgetrc", "check_certificate = off", "check_certificate = on"),
    ("tls-verification-off", "etc/apt/apt.conf.d/x", 'Acquire::https::Verify-Peer "false";',
     'Acquire::https::Verify-Peer "true";'),
    ("extra-package-index", "etc/pip.conf", "[global]\nextra-index-url = https://a.example",
     "[global]\nindex-url = https://a"),
    ("plain-package-index", "etc/pip.conf", "[global]\nindex-url = http://a.example",
     "[global]\nindex-url = http://127.0.0.1"),
    ("plain-package-index", "root/.npmrc", "@a:registry=http://a.example", "registry=https://a.example"),
    ("repository-left", "srv/.git/HEAD", "ref: refs/heads/main", ""),
    ("build-file", "srv/Dockerfile", "FROM scratch", ""),
    ("env-file", "srv/.env", "A=b", ""),
    ("preloaded-library", "etc/ld.so.preload", "/usr/local/lib/.x.so", ""),
    ("database-dump", "srv/backup", "-- MySQL dump 10.13\n", "-- schema\n"),
)  # fmt: skip


def _files(files: Files) -> Scene:
    return scene(files)


def _run(line: str) -> Scene:
    return scene({}, image(f"RUN /bin/sh -c {line} # buildkit"))


STARTED = image(entrypoint=("/srv/start.sh",))

# A rule, a scene that breaks it, one that does not.
SCENES: tuple[tuple[str, Scene, Scene], ...] = (
    ("root-user", scene({}, image(user="")), scene({}, image(user="app"))),
    ("root-user", scene({}, image(user="0:0")), scene({}, image(user="10001"))),
    ("unknown-user", scene({}, image(user="nobodyknows")), scene({}, image(user="4242"))),
    (
        "writable-entrypoint",
        scene({"srv": folder("srv", uid=10001), "srv/start.sh": program("srv/start.sh")}, STARTED),
        scene({"srv": folder("srv"), "srv/start.sh": program("srv/start.sh")}, STARTED),
    ),
    (
        "writable-entrypoint",
        scene({"usr/bin/app": program("usr/bin/app", 0o777)}, image(command=("app",))),
        scene({"usr/bin/app": program("usr/bin/app")}, image(command=("app",))),
    ),
    ("not-pinned", scene({}, image(), pinned=False), scene({}, image(), pinned=True)),
    (
        "latest-tag",
        scene({}, image(reference="localhost:5000/app"), pinned=False),
        scene({}, image(reference="localhost:5000/app:1"), pinned=False),
    ),
    (
        "stale",
        scene({}, image(created="2025-06-01T00:00:00Z")),
        scene({}, image(created="1970-01-01T00:00:00Z")),
    ),
    (
        "stale",
        scene({}, image("ADD rootfs /", "COPY . /srv", base_layers=1, base_created="2024-01-01T00:00:00Z")),
        scene({}, image("ADD rootfs /", "COPY . /srv", base_layers=1)),
    ),
    ("end-of-life", scene({}, image(), end_of_life="2026-11-24"), scene({}, image(), end_of_life="2026-11-25")),
    ("exposed-port", scene({}, image(exposed_ports=("22/tcp",))), scene({}, image(exposed_ports=("8080/tcp",)))),
    ("sensitive-volume", scene({}, image(volumes=("/proc/",))), scene({}, image(volumes=("/processed",)))),
    ("sensitive-volume", scene({}, image(volumes=("/run/docker.sock",))), scene({}, image(volumes=("/srv",)))),
    ("no-health-check", scene({}, image(health_check=("NONE",))), scene({}, image())),
    (
        "preloaded-code",
        scene({}, image(environment=("LD_PRELOAD=/a.so",))),
        scene({}, image(environment=("PATH=/bin",))),
    ),
    (
        "tls-verification-off",
        scene({}, image(environment=("NODE_TLS_REJECT_UNAUTHORIZED=0",))),
        scene({}, image(environment=("NODE_TLS_REJECT_UNAUTHORIZED=1",))),
    ),
    ("tls-verification-off", _run("curl -k -o a https://a.example"), _run("curl -fsS -o a https://a.example")),
    (
        "environment-no-password",
        scene({}, image(environment=("POSTGRES_HOST_AUTH_METHOD=trust",))),
        scene({}, image(environment=("POSTGRES_HOST_AUTH_METHOD=md5", "ALLOW_EMPTY_PASSWORD=no"))),
    ),
    ("debug-mode", scene({}, image(environment=("DEBUG=1",))), scene({}, image(environment=("DEBUG=app:*",)))),
    (
        "debugger-open",
        scene({}, image(command=("node", "--inspect=0.0.0.0:9229", "app.js"))),
        scene({}, image(command=("node", "--inspect=127.0.0.1:9229", "app.js"))),
    ),
    (
        "debugger-open",
        scene({}, image(environment=("JAVA_OPTS=-agentlib:jdwp=transport=dt_socket,server=y,address=*:5005",))),
        scene({}, image(environment=("JAVA_OPTS=-agentlib:jdwp=transport=dt_socket,server=y,address=5005",))),
    ),
    (
        "jupyter-open",
        scene({}, image(command=("jupyter", "lab", "--ServerApp.token=''"))),
        scene({}, image(command=("jupyter", "lab"))),
    ),
    (
        "redis-open",
        scene({}, image(command=("redis-server", "--protected-mode", "no"))),
        scene({}, image(command=("redis-server", "--requirepass", "x", "--protected-mode", "no"))),
    ),
    (
        "content-trust-off",
        scene({}, image(environment=("DOCKER_CONTENT_TRUST=0",))),
        scene({}, image(environment=("DOCKER_CONTENT_TRUST=1",))),
    ),
    (
        "history-add",
        scene({}, image("ADD app.py /srv/ # buildkit")),
        scene({}, image("ADD app.tar.gz /srv/ # buildkit")),
    ),
    (
        "history-add",
        scene({}, image("/bin/sh -c #(nop) ADD file:9a8b in /srv ")),
        scene({}, image("ADD file:9a in / ")),
    ),
    (
        "history-add-remote",
        scene({}, image("ADD https://a.example/x /x # buildkit")),
        scene({}, image("ADD --checksum=sha256:00 https://a.example/x /x # buildkit")),
    ),
    ("history-piped-download", _run("curl -fsSL https://a.example | bash"), _run("curl https://a.example | tar xz")),
    ("history-piped-download", _run("wget -qO- x | sudo -E sh"), _run("wget -O i.sh x; sha256sum -c s && sh i.sh")),
    ("history-wide-mode", _run("chmod -R 777 /srv"), _run("chmod 1777 /tmp && chmod 755 /srv/777")),
    ("history-sudo", _run("sudo make install"), _run("echo sudo make")),
    ("history-dist-upgrade", _run("apt-get update && apt-get -y dist-upgrade"), _run("apt-get install -y dist")),
    ("history-upgrade", _run("apt-get update && apt-get upgrade -y"), _run("apt-get install -y --only-upgrade tar")),
    ("history-upgrade", _run("yum update -y"), _run("yum update -y tar")),
    ("history-update-alone", _run("apt-get update"), _run("apt-get update && apt-get install -y tar")),
    (
        "history-package-cache",
        _run("apt-get update && apt-get install -y tar"),
        _run("apt-get update && apt-get install -y tar && rm -rf /var/lib/apt/lists/*"),
    ),
    ("history-package-cache", _run("apk add tar"), _run("apk add --no-cache tar")),
    ("unverified-packages", _run("apk add --no-cache --allow-untrusted a.apk"), _run("apk add --no-cache a")),
    ("package-cache", scene({"var/lib/apt/lists/a_Packages": "x"}), scene({"var/lib/apt/lists/lock": ""})),
    ("package-cache", scene(present=["root/.cache/pip/http-v2"]), scene(present=["root/.cache/other"])),
    ("tools-left", scene(packages=["gcc-12", "tar"]), scene(packages=["gcc-12-base", "tar", "libgcc-s1"])),
    ("ssh-daemon", scene(present=["usr/sbin/sshd"]), scene(present=["usr/bin/ssh"])),
    ("sudo", scene(present=["usr/bin/sudo"]), scene(present=["etc/sudoers"])),
    ("setuid-usual", _files({"u": program("usr/bin/su", 0o4755)}), _files({"u": program("usr/bin/su")})),
    ("setuid-file", _files({"u": program("srv/su", 0o4755)}), _files({"u": program("usr/bin/passwd", 0o4755)})),
    ("setuid-file", _files({"u": program("srv/x", 0o2755)}), _files({"u": folder("srv/x", 0o2775)})),
    ("world-writable", _files({"u": folder("srv", 0o777)}), _files({"u": folder("tmp", 0o1777)})),
    (
        "world-writable",
        _files({"u": program("srv/a", 0o666)}),
        _files({"u": Entry("srv/a", FileType.SYMLINK, mode=0o777, link="b")}),
    ),
    ("file-capabilities", _files({"u": program("bin/p", capabilities=NET_RAW)}), _files({"u": program("bin/p")})),
    (
        "device-node",
        _files({"u": Entry("srv/sda", FileType.DEVICE, mode=0o600)}),
        _files({"u": Entry("dev/null", FileType.DEVICE, mode=0o666)}),
    ),
    (
        "world-readable-secret",
        _files({"u": Entry("etc/shadow", FileType.FILE, 0, 0o644)}),
        _files({"u": Entry("etc/shadow", FileType.FILE, 0, 0o640)}),
    ),
)


def settings_scene(path: str, text: str) -> Scene:
    """The file alone, beside an ssh daemon that would read its settings."""
    return scene({path: text}, present=["usr/sbin/sshd"])


def examples() -> list[tuple[str, Scene, Scene]]:
    """Every example, the rules by their whole ids."""
    made = [(rule, settings_scene(path, bad), settings_scene(path, good)) for rule, path, bad, good in SETTINGS]
    return [(f"image.{rule}", bad, good) for rule, bad, good in (*made, *SCENES)]
