"""Who built a distribution's package: the distribution, or another repository that uses the same names.

A package of another repository must not be held against the distribution's fixed versions: it is older, newer or
patched in ways of its own. Only what is plainly somebody else's counts: many of Debian's maintainers write from their
own address.
"""

import re

from holdfast.model.package import Distribution, Package

_DEB_VERSION = re.compile(
    r"~bpo\d*|\+deb\.sury|\+0~20\d{6}|\.pgdg|~pgdg|nodesource|\+maria~|~mariadb|~ppa\d|ppa\d|\.remi\.|~dotdeb"
    r"|~(bookworm|bullseye|buster|trixie|jammy|focal|noble|bionic)$|~(debian|ubuntu)\.\d+~|~(deb|ubu)\d+\.[a-z]+~",
    re.IGNORECASE,
)
_DEB_VENDOR = re.compile(
    r"@(nginx\.(com|org)|f5\.com|nodesource\.com|docker\.com|hashicorp\.com|elastic\.co"
    r"|grafana\.com|mongodb\.com|mariadb\.(com|org)|oracle\.com|influxdata\.com|datadoghq\.com|gitlab\.com"
    r"|redis\.(com|io)|percona\.com|sury\.org|getdeb\.net|launchpad\.net|confluent\.io|azul\.com|adoptium\.net|salesforce\.com|yarnpkg\.com)\b",
    re.IGNORECASE,
)
_RPM_VERSION = re.compile(r"\.remi\b|\.ius\b|PGDG|\.elrepo\b|\.rpmfusion\b|\.sury\b|nodesource|\.ngx\b", re.IGNORECASE)
# What a distribution writes into the vendor field of its own packages.
_RPM_VENDORS = {
    "almalinux": ("AlmaLinux",),
    "rocky": ("Rocky",),
    "rhel": ("Red Hat",),
    "centos": ("CentOS", "Red Hat"),
    "fedora": ("Fedora",),
    "ol": ("Oracle",),
    "amzn": ("Amazon",),
    "photon": ("VMware", "Broadcom"),
    "opensuse-leap": ("openSUSE", "SUSE"),
    "opensuse-tumbleweed": ("openSUSE", "SUSE"),
    "sles": ("SUSE",),
    "mageia": ("Mageia",),
}
# The dist tag of another release than the one installed: `.el7` on el9.
_DIST_TAG = re.compile(r"\.el(\d+)")


def is_third_party(package: Package, distribution: Distribution) -> bool:
    """Whether a deb or rpm package plainly comes from another repository than the distribution's own."""
    if package.type == "deb":
        return bool(_DEB_VERSION.search(package.version) or _DEB_VENDOR.search(package.vendor))
    if package.type != "rpm":
        return False
    if _RPM_VERSION.search(package.version):
        return True
    known = _RPM_VENDORS.get(distribution.id)
    if package.vendor and known:
        return not package.vendor.startswith(known)
    tag, major = _DIST_TAG.search(package.version), distribution.version.partition(".")[0]
    return tag is not None and bool(known) and distribution.id not in ("fedora", "amzn") and tag[1] != major
