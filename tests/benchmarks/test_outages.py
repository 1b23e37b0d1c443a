"""Outages, losses and returns: cases made by hand, and the definitions frame by frame on random runs."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pvtpp_benchmarks.outages import Counts, Outages, find_outages, in_time, loss_figures, lost_in_truth, outage_figures
from pvtpp_benchmarks.outages import stretches as found_stretches

FPS = 10.0
VALUE = {"#": 0.8, "~": 0.3, ".": 0.0, " ": math.nan}
"""A frame as a letter: found, near, missed, absent. At 10 fps half a second is five frames."""


def overlaps(text):
    return np.array([VALUE[letter] for letter in text])


def found(text, said=None):
    return find_outages(overlaps(text), FPS, None if said is None else np.array([c == "L" for c in said]))


def lost(text):
    return "".join("L" if each else "-" for each in lost_in_truth(overlaps(text), FPS))


def test_a_run_that_never_misses_has_no_outage_and_lasts_to_its_end():
    assert found("###~~###") == Outages(1.0, 0.0, (), None)


def test_a_failure_is_half_a_second_of_misses_and_begins_with_the_first():
    assert found("#####....#").nt2f == 1.0
    assert found("#####.....").nt2f == 0.5
    assert found("##....#.....####").nt2f == 7 / 16
    assert found(".....").nt2f == 0.0
    assert find_outages(overlaps("#" + "." * 14), 29.97).nt2f == 1.0
    assert find_outages(overlaps("#" + "." * 15), 29.97).nt2f == 1 / 16


def test_an_absent_target_is_no_failure_until_it_is_missed_after_its_return():
    assert found("##" + " " * 20) == Outages(1.0, 0.0, (), None)
    assert found("##" + " " * 8 + "....##").nt2f == 1.0
    assert found("##" + " " * 8 + "......##").nt2f == 10 / 18


def test_absent_frames_neither_count_nor_end_an_outage():
    assert found("##... ..##") == Outages(0.2, 0.5, (), None)
    assert found("##..   ..##")[:2] == (1.0, 0.4)
    assert found("##.. ##..##")[:2] == (1.0, 0.2)


def test_lost_in_truth_is_absent_or_half_a_second_off_target_from_its_first_frame():
    assert lost("##....##") == "--------"
    assert lost("##.....##") == "--LLLLL--"
    assert lost("## ##  ##") == "--L--LL--"
    # The misses before a target hides and after it returns belong to the same stretch.
    assert lost("##.   .##") == "--LLLLL--"
    assert lost("##.  .##") == "---LL---"
    assert lost("##....") == "------"


def test_precision_and_recall_are_over_frames_and_right_in_time_after_a_change():
    truth, said = "####" + " " * 10 + "####", "-" * 8 + "L" * 8 + "--"
    losses = found(truth, said).losses
    assert losses.strict == Counts(18, 10, 8, 6)
    # Five frames from each change: the loss is forgiven from 4 to 8 and the return from 14 to 17.
    assert losses.in_time == Counts(18, 10, 10, 10)
    assert losses.noticed_s == (0.4,)


def test_the_grace_ends_and_forgives_no_monitor_that_is_silent_or_always_alarmed():
    lost = np.array([False] * 4 + [True] * 10 + [False] * 10)
    assert np.flatnonzero(in_time(lost, np.zeros(24, bool), FPS)).tolist() == [4, 5, 6, 7, 8]
    assert np.flatnonzero(~in_time(lost, np.ones(24, bool), FPS)).tolist() == [14, 15, 16, 17, 18]


def test_a_loss_is_noticed_before_it_ends_or_not_at_all():
    assert found("###     ###", "-----L-----").losses.noticed_s == (0.2,)
    assert found("###     ###", "--LLLLL----").losses.noticed_s == (0.0,)
    assert found("###     ###", "--------LL-").losses.noticed_s == (None,)
    # One frame without a box is no loss to be noticed.
    assert found("### ###  ##", "-" * 11).losses.noticed_s == (None,)


def test_a_return_is_found_with_half_an_overlap_before_the_next_absence():
    assert found("##   ..~##").found_s == (0.3,)
    assert found("##   #").found_s == (0.0,)
    assert found("##   ..~").found_s == (None,)
    assert found("##   ..   ###").found_s == (None, 0.0)
    # The end of the run is no return, and a gap of one frame no absence: it neither makes a return nor ends the search.
    assert found("## ##  ").found_s == ()
    assert found("##   .. .##").found_s == (0.4,)


def test_figures_are_pooled_over_frames_losses_and_returns_and_means_over_runs():
    runs = [
        found("####" + " " * 10 + "..##", "-" * 8 + "L" * 8 + "--"),
        found("#" * 18, "L" + "-" * 17),
        found("#" + " " * 4 + "." * 13, "-" * 18),
    ]
    assert outage_figures(runs) == {
        "nt2f": round((1 + 1 + 5 / 18) / 3, 6), "outage_s": [0.2, 1.3], "returns": 2, "found": 1, "found_in_1_s": 0.5,
        "seconds_to_find": [0.2, 0.2],
    }  # fmt: skip
    assert loss_figures(runs) == {
        "frames": 54, "lost": 29, "said": 9, "right": 8, "said_in_time": 18, "right_in_time": 17,
        "precision": round(8 / 9, 6), "recall": round(8 / 29, 6),
        "precision_in_time": round(17 / 18, 6), "recall_in_time": round(17 / 29, 6), "losses": 2, "noticed": 1,
        "seconds_to_notice": [0.4, 0.4],
    }  # fmt: skip


def test_a_return_found_later_than_a_second_is_found_but_not_soon():
    figures = outage_figures([found("##   " + "." * 10 + "##"), found("##   " + "." * 11 + "##")])
    assert (figures["returns"], figures["found"], figures["found_in_1_s"]) == (2, 2, 0.5)


def test_where_there_is_nothing_to_divide_by_there_is_no_figure():
    quiet = outage_figures([found("####")])
    assert quiet["found_in_1_s"] is None and quiet["seconds_to_find"] is None and quiet["returns"] == 0
    assert loss_figures([found("####")]) is None
    losses = loss_figures([found("####", "----")])
    assert losses["precision"] is losses["recall"] is losses["seconds_to_notice"] is None and losses["losses"] == 0


rates = st.sampled_from([5.0, 10.0, 24.0, 29.97, 30.0])
runs = st.lists(st.tuples(st.sampled_from("#~. "), st.integers(1, 20), st.booleans()), min_size=1, max_size=12)


def spread(parts):
    text = "".join(letter * count for letter, count, _ in parts)
    said = np.concatenate([np.full(count, alarm) for _, count, alarm in parts])
    return overlaps(text), said


def stretches(mask):
    """The stretches of a mask, frame by frame, as lists of frames."""
    parts = []
    for frame, holds in enumerate(mask):
        if holds and (frame == 0 or not mask[frame - 1]):
            parts.append([])
        if holds:
            parts[-1].append(frame)
    return parts


def lasts(part, seconds, fps):
    return len(part) / fps >= seconds - 1e-9


@given(runs, rates)
def test_every_figure_is_what_its_definition_says(parts, fps):
    overlap, said = spread(parts)
    absent = [math.isnan(each) for each in overlap]
    off = stretches([gone or each < 0.1 for gone, each in zip(absent, overlap)])
    run = find_outages(overlap, fps, said)

    outages = [[frame for frame in part if not absent[frame]] for part in off]
    failures = [part for part in outages if lasts(part, 0.5, fps)]
    assert run.longest_s == pytest.approx(max(map(len, outages), default=0) / fps)
    assert run.nt2f == pytest.approx(failures[0][0] / len(overlap) if failures else 1.0)

    lost = {frame for frame, gone in enumerate(absent) if gone}
    lost.update(frame for part in off if lasts(part, 0.5, fps) for frame in part)
    assert set(np.flatnonzero(lost_in_truth(overlap, fps)).tolist()) == lost
    alarmed = set(np.flatnonzero(said).tolist())
    assert run.losses.strict == (len(overlap), len(lost), len(alarmed), len(lost & alarmed))

    losses = [part for part in stretches([frame in lost for frame in range(len(overlap))]) if lasts(part, 0.2, fps)]
    noticed = [next(((frame - part[0]) / fps for frame in part if said[frame]), None) for part in losses]
    assert run.losses.noticed_s == tuple(noticed)

    absences = [part for part in stretches(absent) if lasts(part, 0.2, fps)]
    seconds = []
    for number, part in enumerate(absences):
        there = range(part[-1] + 1, absences[number + 1][0] if number + 1 < len(absences) else len(overlap))
        if len(there):
            seconds.append(next(((frame - there[0]) / fps for frame in there if overlap[frame] >= 0.5), None))
    assert run.found_s == tuple(seconds)


@given(runs, rates, st.floats(0, 3))
def test_the_grace_follows_changes_of_the_truth_and_never_takes_a_right_answer_away(parts, fps, grace_s):
    overlap, said = spread(parts)
    lost = lost_in_truth(overlap, fps)
    forgiven = in_time(lost, said, fps, grace_s)
    for frame in range(len(lost)):
        changes = [k for k in range(1, frame + 1) if lost[k] != lost[k - 1]]
        # Not at the very end of the grace, where the last bit of a rate decides.
        since = (frame - changes[-1]) / fps if changes else math.inf
        if abs(since - grace_s) > 1e-6:
            assert forgiven[frame] == (lost[frame] if since < grace_s else said[frame])
    assert (grace_s > 0) or (forgiven == said).all()
    run = find_outages(overlap, fps, said).losses
    assert run.in_time.right >= run.strict.right
    wrong = [counts.lost + counts.said - 2 * counts.right for counts in (run.in_time, run.strict)]
    assert wrong[0] <= wrong[1]


@given(runs, rates)
def test_a_monitor_that_knows_the_truth_is_always_right(parts, fps):
    overlap, _ = spread(parts)
    run = find_outages(overlap, fps, lost_in_truth(overlap, fps)).losses
    assert run.strict == run.in_time and run.strict.lost == run.strict.said == run.strict.right
    assert all(seconds == 0 for seconds in run.noticed_s)


@given(st.lists(st.booleans(), max_size=40))
def test_stretches_are_where_the_mask_holds_and_never_touch(mask):
    begins, ends = found_stretches(np.array(mask, dtype=bool))
    made = np.zeros(len(mask), bool)
    for begin, end in zip(begins, ends):
        made[begin:end] = True
    assert made.tolist() == mask and (begins < ends).all() and (begins[1:] > ends[:-1]).all()
