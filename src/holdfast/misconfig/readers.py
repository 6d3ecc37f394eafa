"""The readers of the room: every file of `system/` and `server/` has some."""

from holdfast.fs.reader import Reader
from holdfast.misconfig.server import database, framework, httpd, nginx, php, store, tomcat
from holdfast.misconfig.system import accounts, leftover, package_managers, ssh, sudo

READERS: tuple[Reader, ...] = (
    *accounts.READERS,
    *ssh.READERS,
    *sudo.READERS,
    *package_managers.READERS,
    *leftover.READERS,
    *nginx.READERS,
    *httpd.READERS,
    *tomcat.READERS,
    *database.READERS,
    *store.READERS,
    *php.READERS,
    *framework.READERS,
)
