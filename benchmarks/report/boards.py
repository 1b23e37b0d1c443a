"""Contributed results as tables: what each machine takes for the frames of each tracker."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional, Sequence

from pvtpp_benchmarks.report.table import Column, table

LEAST = {"p95_ms": 40, "p99_ms": 200}
"""Samples that a percentile needs: two of them lie beyond it."""
STAGES = ("crop", "search", "head", "decode")
Contributed = Mapping[str, Any]


def suite_table(results: Sequence[Contributed]) -> str:
    """Return the same figures as plain text, for a terminal."""
    return "\n\n".join(
        f"{machine(result)}: {'; '.join(conditions(result))}\n{table(COLUMNS, rows(result))}" for result in results
    )


def machine(result: Contributed) -> str:
    """Name of the machine, as its owner gave it or as the system says."""
    return str(result["protocol"]["hardware"]["machine"])


def conditions(result: Contributed) -> List[str]:
    """Cores, clocks, load and versions, so that figures are compared with their conditions."""
    hardware, settings, versions = result["protocol"]["hardware"], result["settings"], result["protocol"]["versions"]
    power = result["power"]["after"]
    ends = [result["load"][end] for end in ("before", "after")]
    load = "not known" if None in ends else " and ".join(f"{end[0]:g}" for end in ends)
    parts = [
        f"{hardware.get('cores')} cores",
        *(f"{name} {power[name]}" for name in ("l4t", "nvpmodel", "governor", "nvidia_smi") if name in power),
        {True: "clocks fixed", False: "clocks not fixed", None: "clocks not known"}[power.get("fixed")],
        f"load {load}",
        f"threads {settings['threads']}",
        f"{settings['frames']} frames ({settings['clip']})",
        *(f"{name} {versions[name]}" for name in ("onnxruntime", "cv2", "python") if name in versions),
    ]
    step = result["propagation"].get("step")
    if step:
        parts.append(f"a step of propagation {step['median_ms']:.1f} ms (95 %: {step['p95_ms']:.1f})")
    return parts


def rows(result: Contributed) -> List[Dict[str, Any]]:
    """The trackers of a result, fastest first."""
    made = [{"name": name, **entry} for name, entry in result["trackers"].items()]
    return sorted(made, key=lambda row: row["stages"]["track"]["median_ms"])


def _ms(row: Mapping[str, Any], stage: str, what: str = "median_ms") -> str:
    """Milliseconds of a stage; a percentile only where there are frames beyond it."""
    found: Optional[Mapping[str, Any]] = row["stages"].get(stage)
    if found is None or found["samples"] < LEAST.get(what, 1):
        return "-"
    return f"{found[what]:.1f}"


COLUMNS: Sequence[Column] = (
    ("tracker", lambda row: row["name"]),
    ("median", lambda row: _ms(row, "track")),
    ("95 %", lambda row: _ms(row, "track", "p95_ms")),
    ("99 %", lambda row: _ms(row, "track", "p99_ms")),
    ("max", lambda row: _ms(row, "track", "max_ms")),
    ("n", lambda row: str(row["stages"]["track"]["samples"])),
    ("frames/s", lambda row: f"{1e3 / row['stages']['track']['median_ms']:.1f}"),
    *((stage, lambda row, stage=stage: _ms(row, stage)) for stage in STAGES),
    ("core", lambda row: f"{row['cpu_per_wall']:.2f}"),
    ("runtime", lambda row: (row["providers"] or ["-"])[0].replace("ExecutionProvider", "")),
)
