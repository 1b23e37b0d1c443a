"""The parts of a report, in order: each a function of a `Report` that gives a `Part`, or None where it has nothing."""

from __future__ import annotations

from typing import Callable, List, Optional, Tuple

from pvtpp_benchmarks.report.groups import Report
from pvtpp_benchmarks.report.parts import Part
from pvtpp_benchmarks.report.sections import (
    attributes,
    calibration,
    elae,
    latency,
    outages,
    protocol,
    sequences,
    speed,
    success,
    summary,
    unpredictability,
)

SECTIONS: Tuple[Callable[[Report], Optional[Part]], ...] = (
    summary.part,
    elae.part,
    success.part,
    speed.part,
    latency.part,
    attributes.part,
    sequences.part,
    outages.part,
    calibration.part,
    unpredictability.part,
    protocol.part,
)


def parts(report: Report) -> List[Part]:
    """Return all parts that the report has something for."""
    made = (section(report) for section in SECTIONS)
    return [part for part in made if part is not None]
