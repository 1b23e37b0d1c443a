"""What predictors are worth by themselves: on recorded results, against the paper's modules, with features."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Sequence, Tuple

from pvtpp_benchmarks.results_pages.blocks import (
    Block,
    Content,
    Lines,
    from_json,
    interval,
    paragraph,
    percent,
    shown,
    signed,
    table,
    three,
)

REPLAY, JOINT = "benchmarks/studies/replay_table.json", "benchmarks/studies/train_joint.json"
JOINT_V2 = "benchmarks/studies/train_joint_v2.json"
RATES, TRACKED = "benchmarks/studies/n_head_table.json", "benchmarks/studies/n_head_tracked.json"
IDEAL = {"truth": "truth", "noise": "truth with 2 % noise"}
OURS, BEST_FILTER = "motion", "kalman:size_aware"
Cells = Sequence[Mapping[str, Any]]


def _mean(cells: Cells, name: str) -> float:
    return sum(cell["auc"][name] for cell in cells) / len(cells)


def _ideal(content: Content) -> Tuple[Cells, Cells]:
    """Cells of the truth, and those of recorded results."""
    truth = [cell for cell in content["cells"] if cell["cell"][1] in IDEAL]
    return truth, [cell for cell in content["cells"] if cell["cell"][1] not in IDEAL]


def means(content: Content) -> Lines:
    """Mean over the cells of the truth and over those of recorded results."""
    names = list(content["cells"][0]["auc"])
    rows = []
    for cells, key, label in zip(_ideal(content), ("truth_cells", "result_cells"), ("truth", "recorded results")):
        found = content["summary"][key][BEST_FILTER]
        apart = f"{signed(found['difference'])} {interval(found['ci95'])}"
        rows.append([f"{len(cells)} cells, {label}", *(three(_mean(cells, name)) for name in names), apart])
    return table(["mean AUC over", *names, f"{OURS} - {BEST_FILTER}"], rows)


def worst(content: Content) -> Lines:
    """Whether the learned predictor leads everywhere."""
    leads = {}
    for cell in content["cells"]:
        others = [value for name, value in cell["auc"].items() if name != OURS]
        leads["/".join(cell["cell"])] = cell["auc"][OURS] - max(others)
    least, most = (pick(leads, key=leads.__getitem__) for pick in (min, max))
    ahead = sum(value > 0 for value in leads.values())
    return paragraph(
        f"`{OURS}` is ahead of all others in {ahead} of {len(leads)} cells, by {signed(leads[least])} (least: {least}) "
        f"to {signed(leads[most])} (most: {most})."
    )


def sets(content: Content) -> Lines:
    """The truth, by data set: mean over processing times."""
    truth, _ = _ideal(content)
    names = list(content["cells"][0]["auc"])
    rows = []
    for data, kind in dict.fromkeys((cell["cell"][0], cell["cell"][1]) for cell in truth):
        cells = [cell for cell in truth if cell["cell"][:2] == [data, kind]]
        rows.append(
            [f"{data}, {IDEAL[kind]}", str(cells[0]["sequences"]), *(three(_mean(cells, name)) for name in names)]
        )
    return table(["data", "sequences", *names], rows)


def recorded(content: Content) -> Lines:
    """Recorded results of published trackers, by processing time."""
    _, results = _ideal(content)
    names = list(content["cells"][0]["auc"])
    times = list(dict.fromkeys(cell["cell"][2] for cell in results))
    rows = []
    for tracker in dict.fromkeys(cell["cell"][1] for cell in results):
        by_time = {cell["cell"][2]: cell["auc"] for cell in results if cell["cell"][1] == tracker}
        rows += [
            [tracker if name == names[0] else "", name, *(three(by_time[time][name]) for time in times)]
            for name in names
        ]
    return table(["tracker", "predictor", *map(shown, times)], rows)


def stated(content: Content) -> Lines:
    """The truth within the bounds that the learned predictor states."""
    groups = ("centre", "size")
    rows = [
        [data, *(" / ".join(percent(share) for share in found[group]) for group in groups)]
        for data, found in content["coverage"].items()
    ]
    return table(["data", *groups], rows)


def rates(content: Content) -> Lines:
    """One learned predictor against modules that were trained for each camera rate and processing time."""
    summary, rows = content["summary"], []
    for rate, found in summary["means"].items():
        apart = f"{signed(found['difference'])} {interval(found['ci95'])}"
        rows.append([rate, *(three(value) for value in found["auc"].values()), apart])
    (least, low), (most, high) = summary["worst"], summary["best"]
    names = [{"n_head": "M"}.get(name, name) for name in summary["means"]["all"]["auc"]]
    return [
        *table(["camera", *names, "motion - M"], rows),
        "",
        *paragraph(
            f"`motion` is ahead of M in {summary['ahead']} of {summary['cells']} cells, by {signed(low)} (least: "
            f"{least}) to {signed(high)} (most: {most})."
        ),
    ]


def tracked(content: Content) -> Lines:
    """Predictors behind a real tracker: 30 fps and 10 fps camera."""
    times = list(dict.fromkeys(row["processing"] for row in content["rows"]))
    labels = {"m": "M for 30 fps and this time", "mv": "MV for all times"}
    rows = []
    for name in content["rows"][0]["auc"]:
        cells = [
            " / ".join(three(row["auc"][name]) for row in content["rows"] if row["processing"] == time)
            for time in times
        ]
        rows.append([labels.get(name, f"`{name}`"), *cells])
    return table(["predictor", *map(shown, times)], rows)


def _joint_rows(content: Content) -> Dict[Tuple[str, str, str], Dict[str, List[float]]]:
    """AUC over all clips of every seed, by tracker, propagation and predictor, then by time."""
    found: Dict[Tuple[str, str, str], Dict[str, List[float]]] = {}
    for row in content["rows"]:
        tracker, predictor = (row[name].rstrip("0123456789 -") for name in ("tracker", "predictor"))
        key = tracker, row["propagation"], predictor
        found.setdefault(key, {}).setdefault(row["time"], []).append(row["auc"]["all"])
    return found


def joint(content: Content) -> Lines:
    """A predictor that reads the tracker's features, and one that was trained together with the tracker."""
    by = _joint_rows(content)
    times = [time for time in dict.fromkeys(row["time"] for row in content["rows"]) if time]
    labels = {
        "frozen": "**`joint`**, mean of its seeds",
        "ensemble of frozen": "mean of `joint` and `kalman`",
        "joint": "`joint`, trained with the tracker",
    }
    rows, first = [], ""
    for (tracker, propagation, predictor), found in by.items():
        if predictor == "zero latency":
            (values,) = found.values()
            name = "as published" if tracker == "published" else "its last layers trained too"
            first = f"{name}, zero latency {three(sum(values) / len(values))}"
            first = first if propagation == "none" else "the same, with propagation"
            continue
        means = [sum(found[time]) / len(found[time]) for time in times]
        cells = [*map(three, means), f"{sum(means) / len(means):.4f}".lstrip("0")]
        rows.append([first, labels.get(predictor, f"`{predictor}`"), *cells])
        first = ""
    return table(["tracker", "predictor", *map(shown, times), "mean"], rows)


def seeds(content: Content) -> Lines:
    """How far seeds of a training lie apart."""
    times = [time for time in dict.fromkeys(row["time"] for row in content["rows"]) if time]
    by, rows = _joint_rows(content), []
    parts = {
        "`joint`": ("published", "none", "frozen"),
        "`joint`, with propagation": ("published", "optical_flow", "frozen"),
        "`joint`, the tracker trained too": ("joint", "none", "joint"),
    }
    for label, key in parts.items():
        values = by[key]
        spans = [f"{min(values[time]):.4f} to {max(values[time]):.4f}".replace("0.", ".") for time in times]
        rows.append([label, str(len(values[times[0]])), *spans])
    return table(["learned part", "seeds", *map(shown, times)], rows)


def material(content: Content) -> Lines:
    """What the kind and number of training clips are worth."""
    rows = [
        [
            each["material"],
            f"{each['results']:,}",
            three(each["motion"]),
            three(each["joint"]),
            f"{each['joint'] - each['motion']:+.4f}".replace("0.", ".", 1),
        ]
        for each in content["material"]
    ]
    return table(["trained on", "results", "motion", "joint", "joint - motion"], rows)


BLOCKS: Dict[str, Block] = {
    **{f"predictors.{make.__name__}": from_json(REPLAY, make) for make in (means, worst, sets, recorded, stated)},
    "predictors.rates": from_json(RATES, rates),
    "predictors.tracked": from_json(TRACKED, tracked),
    **{f"predictors.{make.__name__}": from_json(JOINT, make) for make in (joint, seeds, material)},
    "predictors.joint_v2": from_json(JOINT_V2, joint),
}
