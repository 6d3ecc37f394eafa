"""Registries that list no repositories for us: which ones, and where their names can be had instead."""

from fnmatch import fnmatchcase

from holdfast.model.errors import AuthError, NotFound, SourceError

# Their public names are millions, or they answer to nobody: asking them is of no use. Each with a command that lists
# the repositories of one owner (the makers' documentation of their command-line tools and web APIs).
_WITHOUT = (
    ("docker.io", "curl -s 'https://hub.docker.com/v2/namespaces/ORG/repositories?page_size=100' | jq -r "
                  "'.results[]|\"docker.io/ORG/\"+.name+\":*\"' > names"),
    ("ghcr.io", "gh api --paginate '/orgs/ORG/packages?package_type=container' -q "
                "'.[]|\"ghcr.io/ORG/\"+.name+\":*\"' > names"),
    ("quay.io", "curl -s 'https://quay.io/api/v1/repository?public=true&namespace=ORG' | jq -r "
                "'.repositories[]|\"quay.io/ORG/\"+.name+\":*\"' > names"),
    ("*.dkr.ecr.*.amazonaws.com*", "aws ecr describe-repositories --query 'repositories[].[repositoryUri]' "
                                   "--output text | sed 's/$/:*/' > names"),
    ("public.ecr.aws", ""),
)  # fmt: skip
_LOGINS = (
    ("*.azurecr.io", "az acr login --name NAME"),
    ("*.pkg.dev", "gcloud auth configure-docker HOST"),
    ("gcr.io", "gcloud auth configure-docker"),
)
LIST = "write the names, one a line (HOST/NAME:TAG, or HOST/NAME:* for all tags), into a file, and give it instead: "
_COMMAND = "holdfast scan-registry --list FILE"


def without_catalogue(registry: str) -> SourceError | None:
    """The error for a registry that is known to have no usable catalogue, or None where it is worth asking."""
    for pattern, command in _WITHOUT:
        if fnmatchcase(registry, pattern):
            told = f"; {command.replace('HOST', registry)} writes one" if command else ""
            return SourceError("this registry lists no repositories", where=registry, remedy=LIST + _COMMAND + told)
    return None


def refused(registry: str, error: SourceError) -> SourceError:
    """What it means that a registry did not give its catalogue; the error itself where it means something else."""
    if isinstance(error, AuthError):
        login = next((command for pattern, command in _LOGINS if fnmatchcase(registry, pattern)), "")
        login = login or f"docker login {registry}"
        remedy = f"where a login permits it: {login.replace('HOST', registry)}; else {LIST}{_COMMAND}"
        if error.remedy and "check the address" not in error.remedy:
            remedy = f"{error.remedy}; {remedy}"
        return AuthError(f"it does not list its repositories for us: {error.what}", where=error.where, remedy=remedy)
    if isinstance(error, NotFound) or error.status in (400, 405, 501):
        what = f"this registry has no catalogue: {error.what}"
        return type(error)(what, where=error.where, remedy=LIST + _COMMAND)
    return error
