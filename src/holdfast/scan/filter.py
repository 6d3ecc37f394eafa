"""What a person asked not to see, left out of a report that still says how much it leaves out."""

from msgspec import Struct
from msgspec.structs import replace

from holdfast.model.advisory import FixState
from holdfast.model.finding import Finding, Kind, Severity
from holdfast.model.report import Report
from holdfast.model.status import Gravity, Problem


class Filter(Struct, frozen=True):
    """Severities to show (none: all), and whether vulnerabilities that no upgrade mends are left out."""

    severities: tuple[Severity, ...] = ()
    ignore_unfixed: bool = False

    def shows(self, finding: Finding) -> bool:
        """Whether a finding is among what was asked for. Malware, secrets and broken integrity are never left out."""
        if finding.kind not in (Kind.VULNERABILITY, Kind.CONFIGURATION):
            return True
        if self.severities and finding.severity not in self.severities:
            return False
        unfixed = finding.kind is Kind.VULNERABILITY and finding.fix.state is not FixState.FIXED
        return not (self.ignore_unfixed and unfixed)


def apply(report: Report, chosen: Filter) -> Report:
    """The report with only the findings asked for, and a note that counts the others."""
    shown = tuple(finding for finding in report.findings if chosen.shows(finding))
    hidden = len(report.findings) - len(shown)
    if not hidden:
        return report
    note = Problem("filter.hidden", "findings left out by --severity or --ignore-unfixed", Gravity.NOTE, count=hidden)
    return replace(report, findings=shown, problems=(*report.problems, note))
