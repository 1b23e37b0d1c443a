"""A table of measurements, and below it by which command and on what they were made."""

from __future__ import annotations

from typing import Sequence

from pvtpp_benchmarks.results_pages.blocks import Content, Lines, paragraph, table


def made_on(content: Content) -> str:
    """The sentence that says by which command, and on what, a file was made."""
    protocol = content["protocol"]
    hardware, load = protocol["hardware"], protocol.get("load")
    loaded = f", load average {load[0]:g} of the last minute" if load else ""
    command = protocol["command"].replace("benchmarks/speed/", "").replace("benchmarks/studies/", "")
    return f"`{command}`; {hardware['machine']}, {hardware['cores']} cores{loaded}."


def measured(content: Content, heads: Sequence[str], rows: Sequence[Sequence[str]], of: str = "") -> Lines:
    """Lines of a table and of the paragraph below it.

    Parameters
    ----------
    content
        The file that the figures are from.
    heads, rows
        The table's.
    of
        What was measured, said after the command and the machine.
    """
    return [*table(heads, rows), "", *paragraph(f"{made_on(content)} {of}".rstrip())]
