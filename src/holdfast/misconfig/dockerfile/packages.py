"""What a command asks a package manager for: which one, to do what, with which options, and of which packages."""

import re

from msgspec import Struct

from holdfast.misconfig.dockerfile.view import Call


class Request(Struct, frozen=True):
    """A call of a package manager: its family (`apt` for apt-get too), the program, the action, options and names."""

    family: str
    program: str
    action: str
    options: tuple[str, ...]
    names: tuple[str, ...]
    call: Call

    def has(self, *options: str) -> bool:
        """Whether one of these options stands there, alone, with `=value`, or among joined letters."""
        for given in self.options:
            for option in options:
                if given == option or given.startswith(option + "="):
                    return True
                letters = given.partition("=")[0]
                joined = len(option) == 2 and len(letters) > 2 and letters[0] == "-" and letters[1] != "-"
                if joined and option[1] in letters:
                    return True
        return False


class _Manager(Struct, frozen=True):
    family: str
    takes_value: frozenset[str]


def _values(text: str) -> frozenset[str]:
    return frozenset(text.split())


_APT = _Manager("apt", _values("-t --target-release --default-release -o --option -c --config-file -a"))
_DNF_VALUES = _values("-c --config --releasever --installroot --enablerepo --disablerepo -x --exclude --setopt --repo")
_PIP = _Manager(
    "pip",
    _values(
        "-r --requirement -c --constraint -t --target -i --index-url --extra-index-url -e --editable --prefix --root "
        "-f --find-links --trusted-host --timeout --retries --platform --python-version --proxy --cache-dir --cert "
        "--progress-bar --no-binary --only-binary --config-settings --src --upgrade-strategy --implementation --abi "
        "--python -p --log --exists-action --global-option --build-option --group --client-cert --report"
    ),
)
_NPM_VALUES = _values("--prefix --registry -C --dir --cache --loglevel --omit --include -w --workspace --cwd --mode")
_MANAGERS = {
    "apt-get": _APT,
    "apt": _APT,
    "aptitude": _APT,
    "apk": _Manager("apk", _values("-t --virtual -X --repository -p --root --arch --keys-dir --repositories-file")),
    "yum": _Manager("yum", _DNF_VALUES),
    "dnf": _Manager("dnf", _DNF_VALUES),
    "dnf5": _Manager("dnf", _DNF_VALUES),
    "microdnf": _Manager("dnf", _DNF_VALUES),
    "tdnf": _Manager("dnf", _DNF_VALUES),
    "zypper": _Manager(
        "zypper", _values("-r --repo -t --type --from -p --plus-repo -R --root -D --reposd-dir --plus-content")
    ),
    "pip": _PIP,
    "npm": _Manager("npm", _NPM_VALUES),
    "pnpm": _Manager("pnpm", _NPM_VALUES),
    "yarn": _Manager("yarn", _NPM_VALUES),
    "gem": _Manager("gem", _values("-v --version -i --install-dir -s --source -n --bindir -P --trust-policy -p")),
    "go": _Manager("go", _values("-ldflags -tags -o -gcflags -mod -p -C -asmflags -modfile -buildmode -overlay")),
}
_PIP_NAME = re.compile(r"pip(?:[0-9](?:\.[0-9]{1,2})?)?")
_PYTHON_NAME = re.compile(r"python(?:[0-9](?:\.[0-9]{1,2})?)?|pypy3?")


def request(call: Call) -> Request | None:
    """The request that a command is; None where it asks no package manager for anything."""
    program, words = call.name, call.arguments
    if _PIP_NAME.fullmatch(program):
        program = "pip"
    elif _PYTHON_NAME.fullmatch(program) and "-m" in words[:4]:
        words = words[words.index("-m") + 1 :]
        if not words or words[0] != "pip":
            return None
        program, words = "pip", words[1:]
    elif program == "uv" and words[:1] == ("pip",):
        program, words = "pip", words[1:]
    elif program == "corepack" or program not in _MANAGERS:
        return None
    manager = _MANAGERS[program]
    options: list[str] = []
    names: list[str] = []
    takes = False
    for word in words:
        if takes:
            options[-1] += "=" + word
            takes = False
        elif word.startswith("-") and len(word) > 1:
            options.append(word)
            takes = word in manager.takes_value
        else:
            names.append(word)
    if not names:
        return Request(manager.family, program, "", tuple(options), (), call)
    action, *rest = names
    if manager.family == "yarn" and action == "global" and rest:
        action, *rest = rest
    return Request(manager.family, program, action, tuple(options), tuple(rest), call)


INSTALLS = {
    "apt": ("install",),
    "apk": ("add",),
    "yum": ("install", "localinstall", "reinstall"),
    "dnf": ("install", "reinstall"),
    "zypper": ("install", "in"),
    "pip": ("install",),
    "npm": ("install", "i", "add"),
    "pnpm": ("add", "install", "i"),
    "yarn": ("add",),
    "gem": ("install", "i"),
    "go": ("install", "get"),
}
"""The actions of each family that bring packages in."""

_PATH = re.compile(r"(?:\.{0,2}/|file:|\.$|~/).*|.*\.(?:deb|rpm|apk|whl|tgz|tar\.gz|zip|gem)(?:$|[?#])", re.DOTALL)
_RPM_VERSION = re.compile(r".+-[0-9].*")
_MOVING = ("latest", "next", "main", "master", "HEAD", "*", "canary", "beta")


def unpinned(asked: Request) -> tuple[str, ...]:
    """The names whose version is left open. Those that hang on a variable or are files are passed over."""
    if asked.action not in INSTALLS.get(asked.family, ()):
        return ()
    if asked.family == "gem" and asked.has("-v", "--version"):
        return ()
    if asked.family == "pip" and asked.has("-c", "--constraint", "--require-hashes"):
        return ()
    return tuple(name for name in asked.names if not _judged_apart(name) and not _pinned(asked.family, name))


def _judged_apart(name: str) -> bool:
    return "$" in name or "`" in name or bool(_PATH.match(name[:512]))


def _pinned(family: str, name: str) -> bool:
    name = name[:256]
    if family in ("apt", "zypper"):
        return "=" in name or (family == "zypper" and bool(_RPM_VERSION.fullmatch(name))) or name.endswith(("-", "+"))
    if family == "apk":
        return any(sign in name for sign in "=<>~")
    if family in ("yum", "dnf"):
        return name.startswith("@") or bool(_RPM_VERSION.fullmatch(name))
    if family == "pip":
        if name.startswith(("git+", "hg+", "svn+", "bzr+")):
            return "@" in name.partition("://")[2].partition("/")[2]
        return "==" in name or "@" in name or "://" in name
    if family in ("npm", "pnpm", "yarn"):
        if "://" in name or name.startswith(("git", "github:")):
            return "#" in name
        version = name[1:].partition("@")[2]
        return bool(version) and version not in _MOVING
    if family == "gem":
        return ":" in name
    return _pinned_module(name)


def _pinned_module(name: str) -> bool:
    path, _, version = name.partition("@")
    if version:
        return version not in ("latest", "main", "master", "HEAD", "upgrade", "patch")
    # Without a version go takes what go.mod says; a path without a dot is of the standard library.
    return "." not in path.partition("/")[0]
