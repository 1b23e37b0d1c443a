"""What trackers, predictors, propagation, the live tracker and exports take, from `benchmarks/speed`."""

from __future__ import annotations

from typing import Dict

from pvtpp_benchmarks.results_pages.blocks import (
    Block,
    Content,
    Lines,
    from_json,
    listed,
    paragraph,
    short,
    size,
    table,
)
from pvtpp_benchmarks.results_pages.measured import made_on, measured

FOLDER = "benchmarks/speed"


def frame(content: Content) -> Lines:
    """Trackers: a frame against its graph calls alone."""
    rows = []
    for name, entry in content["trackers"].items():
        whole, bare = entry["rows"]["frame"], entry["rows"]["bare"]
        cells = [f"{whole['p50_ms']:.1f}", f"{whole['p95_ms']:.1f}", f"{bare['p50_ms']:.1f}", f"{entry['ratio']:.2f}"]
        rows.append([f"`{name}`", *cells])
    heads = ["tracker", "a frame, ms, median", "95 %", "its graph calls alone, median", "ratio"]
    return measured(content, heads, rows, f"{content['frames']} frames of {size(content['image'])}.")


PREDICTIONS = {
    "at": "`at`, one evaluation of a trajectory",
    "kalman predict": "`predict` of `kalman`",
    "predict": "`predict` of `motion`",
    "predict, propagation": "`predict` of `motion`, with propagation",
    "network": "the network of `motion` alone",
    "M predict": "`predict` of the paper's M in torch",
    "M": "the network of M alone, in torch",
    "M, inference mode": "the same in torch's inference mode",
}
"""What the figures are of, in words."""


def predictors(content: Content) -> Lines:
    """A prediction, and the parts of it."""
    rows = [[words, f"{content['microseconds'][name]:.0f}"] for name, words in PREDICTIONS.items()]
    return measured(content, ["what", "µs, median"], rows)


def joint(content: Content) -> Lines:
    """The predictor `joint` against the paper's MV."""
    words = {
        "encode": "`joint`: encode a result, once for each",
        "predict": "`joint`: predict",
        "mv": "the paper's MV in torch: encode and predict",
    }
    rows = [
        [said, *(f"{content['rows'][name][key]:.2f}" for key in ("p50_ms", "p95_ms"))] for name, said in words.items()
    ]
    ratio = f"MV takes {content['mv_over_joint']:.1f} times as long as both steps of `joint`. {made_on(content)}"
    return [*table(["what", "ms, median", "95 %"], rows), "", *paragraph(ratio)]


def propagation(content: Content) -> Lines:
    """A step of propagation, by image size and the delay of results."""
    rows = []
    for row in content["rows"]:
        names = ("frame_p50_ms", "frame_p95_ms", "push_p50_ms", "carry_p50_ms", "cpu_p50_ms")
        rows.append([size(row["image"]), str(row["late_frames"]), *(f"{row[name]:.2f}" for name in names)])
    heads = [
        "image",
        "results come after",
        "ms, median",
        "95 %",
        "optical flow",
        "the newest result",
        "of the processor",
    ]
    return measured(content, heads, rows, f"{content['frames']} frames each.")


def crop(content: Content) -> Lines:
    """A search crop against PySOT's."""
    rows = []
    for row in content["rows"]:
        cells = [f"{row[name]:.2f}" for name in ("ours_ms", "padded_ms")]
        rows.append([size(row["image"]), size(row["target"]), row["place"], *cells, f"{row['ratio']:.1f}"])
    heads = ["image", "target", "region is at", "ms, ours", "ms, from a padded copy", "times faster"]
    return measured(content, heads, rows)


def report(content: Content) -> Lines:
    """A whole report."""
    what = f"{content['files']} files, {content['page_mb']:.2f} MB the page and {content['all_mb']:.2f} MB in all"
    return [f"{content['seconds']:.1f} s: {what}.", "", *paragraph(made_on(content))]


def submit(content: Content) -> Lines:
    """What calls of the live tracker take."""
    rows = []
    for call in ("submit", "predict"):
        for name, words in (("no time", "no time"), ("slow", f"{content['settings']['predictor_ms']:.0f} ms")):
            rows.append(
                [f"`{call}`", words, *(f"{content[name][call][key]:.0f}" for key in ("p50_us", "p95_us", "p99_us"))]
            )
    return measured(content, ["call", "the predictor takes", "µs, median", "95 %", "99 %"], rows)


def soak(content: Content) -> Lines:
    """The live tracker for minutes."""
    age, settings = content["evidence_age_frames"], content["settings"]
    asked, halves = content["predict_us"], listed(content["evidence_age_frames_halves_p95"], 2)
    rows = [
        [
            "age of the evidence: median, 95 %, 99 %",
            " ".join(f"{age[key]:.2f}" for key in ("p50", "p95", "p99")) + " frames",
        ],
        ["its 95 % in the first and second half", f"{halves} frames"],
        ["`predict`: median, 95 %, 99 %", " ".join(f"{asked[key]:.0f}" for key in ("p50", "p95", "p99")) + " µs"],
        ["memory at the begin, at most, at the end", f"{listed(content['memory_mib'])} MiB"],
        ["errors", str(content["errors"])],
    ]
    of = f"{settings['seconds'] / 60:.0f} minutes at {settings['fps']:.0f} fps, {size(settings['size'])}, a tracker of"
    return [f"{of} {settings['tracker_ms']:.0f} ms.", "", *measured(content, ["what", "measured"], rows)]


def trouble(content: Content) -> Lines:
    """The live tracker among faults."""
    answers, settings = content["answers"], content["settings"]
    rows = [
        ["fresh", answers["fresh"]],
        ["of these right only with the target's way since the evidence allowed", answers["imprecise"]],
        ["of these wrong", answers["wrong"]],
        ["old, and reported as old", answers["old"]],
        ["none, as there was no target", answers["none"]],
        ["not to be checked, as the target had just been changed", answers["unclear"]],
    ]
    of = f"{settings['seconds'] / 60:.0f} minutes at {settings['fps']:.0f} fps, {answers['queries']:,} questions:"
    memory = f"Memory grew by {content['grown_mib']:.1f} MiB; threads left at the end: {len(content['threads_left'])}."
    cells = [[words, f"{count:,}"] for words, count in rows]
    return [of, "", *table(["answer", "count"], cells), "", *paragraph(f"{memory} {made_on(content)}")]


CANDIDATES = {
    "published": "as published",
    "grouped fp32": "ours, `grouped`",
    "unrolled fp32": "ours, `unrolled`",
    "unrolled fp32 pixels": "ours, `unrolled`, `--pixels`",
    "unrolled fp16": "ours, `unrolled`, fp16",
    "unrolled int8": "ours, `unrolled`, int8",
}
"""Exported graphs, in words."""


def parity(content: Content) -> Lines:
    """Exported graphs against torch."""
    rows = []
    for row in content["rows"]:
        tensors = max(each["relative"] for each in row["tensors"].values())
        boxes = [f"{short(row['boxes'][key])} px" for key in ("max_px", "p95_px")]
        rows.append([CANDIDATES[row["candidate"]], short(tensors), *boxes, f".{row['tracks']['candidate'] * 1e4:.0f}"])
    reference = f".{content['rows'][0]['tracks']['reference'] * 1e4:.0f}"
    heads = ["graphs", "tensors", "boxes, worst frame", "boxes, 95 % of frames", f"mean AUC (torch {reference})"]
    compared = f"{content['clips']} clips, {content['rows'][0]['boxes']['frames']:,} frames compared."
    return measured(content, heads, rows, compared)


def models(content: Content) -> Lines:
    """How many times faster than torch the exported graphs are."""
    rows = []
    for row in content["rows"]:
        times = row["median_ms"]
        cells = [f"{times[each]['frame']:.1f}" for each in ("torch", "grouped", "unrolled")]
        worst = max(row[form]["relative"] for form in ("grouped", "unrolled"))
        rows.append([f"`{row['model']}`", *cells, f"{row['faster']['frame']:.1f}", short(worst)])
    heads = ["network", "torch, ms", "`grouped`, ms", "`unrolled`, ms", "times faster", "largest difference"]
    return measured(content, heads, rows)


_MADE = {
    "tracker_frame": frame,
    "predictors": predictors,
    "joint_predictor": joint,
    "propagation_frame": propagation,
    "crop": crop,
    "report": report,
    "live_submit": submit,
    "live_soak": soak,
    "trouble_soak": trouble,
    "export_parity": parity,
    "export_models": models,
}
BLOCKS: Dict[str, Block] = {f"speed.{name}": from_json(f"{FOLDER}/{name}.json", make) for name, make in _MADE.items()}
