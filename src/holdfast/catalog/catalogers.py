"""All catalogers. A file of this room that has one and is not named here fails tests/contract/test_cataloger.py."""

from holdfast.catalog.apk import APK
from holdfast.catalog.apt import AptCataloger
from holdfast.catalog.cataloger import Cataloger
from holdfast.catalog.deb import DEB, DEB_COPYRIGHT, DEB_LIST, DEB_SINGLE
from holdfast.catalog.distro import DISTRO
from holdfast.catalog.go_mod import GO_MOD, GO_SUM
from holdfast.catalog.golang import GOLANG
from holdfast.catalog.node import NODE
from holdfast.catalog.node_lock import NODE_LOCK
from holdfast.catalog.pnpm import PNPM
from holdfast.catalog.python import PYTHON
from holdfast.catalog.python_lock import PDM, PIPFILE, POETRY, REQUIREMENTS, UV
from holdfast.catalog.unread import UnreadCataloger
from holdfast.catalog.yarn import YARN

CATALOGERS: tuple[Cataloger, ...] = (
    DISTRO,
    AptCataloger(),
    DEB,
    DEB_SINGLE,
    DEB_LIST,
    DEB_COPYRIGHT,
    APK,
    PYTHON,
    NODE,
    GOLANG,
    NODE_LOCK,
    YARN,
    PNPM,
    REQUIREMENTS,
    PIPFILE,
    POETRY,
    PDM,
    UV,
    GO_MOD,
    GO_SUM,
    UnreadCataloger(),
)
