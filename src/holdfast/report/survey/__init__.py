"""Surveys in the formats that people and other programs read."""

from typing import BinaryIO, Protocol, TextIO

from holdfast.model.survey import Survey
from holdfast.report.survey.json import SurveyJsonWriter
from holdfast.report.survey.table import SurveyTableWriter


class SurveyWriter(Protocol):
    """Writes surveys in one format; as report.writer.Writer does reports."""

    @property
    def name(self) -> str:
        """The format's name."""

    def write(self, survey: Survey, output: TextIO | BinaryIO, *, width: int = 80, colour: bool = False) -> None:
        """The survey onto a stream."""


SURVEY_WRITERS: tuple[SurveyWriter, ...] = (SurveyTableWriter(), SurveyJsonWriter())
