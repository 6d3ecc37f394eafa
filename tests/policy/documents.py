"""Builders of VEX documents as people and tools write them."""

import json
from typing import Any

from report.reports import digest

NOT_AFFECTED = {"status": "not_affected", "justification": "vulnerable_code_not_in_execute_path"}


def openvex(*statements: dict[str, Any], **fields: Any) -> bytes:
    given: dict[str, Any] = {
        "@context": "https://openvex.dev/ns/v0.2.0", "@id": "https://example.org/vex/1", "author": "Ann",
        "timestamp": "2026-11-01T00:00:00Z", "version": 1, "statements": list(statements),
    }  # fmt: skip
    return json.dumps(given | fields).encode()


def says(*products: Any, cve: Any = "CVE-2026-1", **fields: Any) -> dict[str, Any]:
    """One statement of OpenVEX: that the products are not affected, or what the fields say."""
    named = cve if isinstance(cve, dict) else {"name": cve}
    listed = [one if isinstance(one, dict) else {"@id": one} for one in products]
    return {"vulnerability": named, "products": listed} | (fields if "status" in fields else NOT_AFFECTED | fields)


def cyclonedx(
    *vulnerabilities: dict[str, Any], root: dict[str, Any] | None = None, components: tuple[dict[str, Any], ...] = ()
) -> bytes:
    metadata: dict[str, Any] = {"timestamp": "2026-11-01T00:00:00Z", "authors": [{"name": "Bob"}]}
    if root:
        metadata["component"] = root
    return json.dumps(
        {
            "bomFormat": "CycloneDX", "specVersion": "1.6", "metadata": metadata, "components": list(components),
            "vulnerabilities": list(vulnerabilities),
        }
    ).encode()  # fmt: skip


def analysed(*refs: str, cve: str = "CVE-2026-1", **analysis: str) -> dict[str, Any]:
    given = analysis or {"state": "not_affected", "justification": "code_not_reachable"}
    return {"id": cve, "analysis": given, "affects": [{"ref": ref} for ref in refs]}


SHOP = f"pkg:oci/shop@{digest('manifest').replace(':', '%3A')}?repository_url=registry.example/prod/shop"
