"""Formats of published result files, one file each, all read into and written from one shape (`SequenceBoxes`)."""

from __future__ import annotations

from pvtpp_benchmarks.formats.registry import FORMATS as FORMATS
from pvtpp_benchmarks.formats.registry import get as get
from pvtpp_benchmarks.formats.registry import match as match
from pvtpp_benchmarks.formats.registry import names as names
from pvtpp_benchmarks.formats.registry import read_results as read_results
from pvtpp_benchmarks.formats.registry import recognise as recognise
from pvtpp_benchmarks.formats.registry import write_results as write_results
from pvtpp_benchmarks.formats.sequence_boxes import SequenceBoxes as SequenceBoxes
