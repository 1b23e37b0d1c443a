"""The joint study: clips that are left out, and the means of the table."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

pytest.importorskip("torch")
pytest.importorskip("lightning")
from pvtpp_benchmarks.studies import joint_data, train_joint
from pvtpp_benchmarks.studies.joint_data import Material, source


def recording(clip):
    return SimpleNamespace(clip=clip)


MATERIAL = Material(
    {
        "mini": [recording(name) for name in "ab" for _ in range(2)],
        "more": [recording(name) for name in "cd" for _ in range(2)],
        "occluded": [recording(f"{name}+{i}") for name in "abcd" for i in range(2)],
    }
)


def test_a_clip_left_out_takes_what_is_made_of_it_with_it():
    kept = MATERIAL.of(("mini", "more", "occluded"), without=("b", "d"))
    assert {source(each) for each in kept} == {"a", "c"} and len(kept) == 2 * 4


def test_a_share_is_of_clips_not_of_recordings():
    assert {source(each) for each in MATERIAL.of(("mini", "more", "occluded"), share=0.5)} == {"a", "d"}
    assert {source(each) for each in MATERIAL.of(("mini",), without=("a",), share=0.1)} == {"b"}


def test_what_is_made_of_clips_follows_the_clips_that_are_taken():
    assert {source(each) for each in MATERIAL.of(("mini", "occluded"))} == {"a", "b"}


def test_clips_left_out_count_as_they_are():
    assert [each.clip for each in MATERIAL.apart(("b", "d"))] == ["b", "b", "d", "d"]


@pytest.mark.real_data
def test_every_training_clip_is_left_out_once(data_root):
    root = str(data_root)
    names = [clip.name for kind in joint_data.REAL for clip in joint_data.clips(root, kind)]
    assert len(names) == 19 and joint_data.names(root) == names
    assert sorted(name for fold in joint_data.folds(root) for name in fold) == sorted(names)


def test_the_summary_is_over_times_and_seeds():
    def row(tracker, predictor, auc, propagation="none"):
        about = {"tracker": tracker, "propagation": propagation, "predictor": predictor}
        return {**about, "time": "47ms", "auc": {"all": auc}}

    rows = [row("published", "motion", 0.5), row("published", "motion", 0.7), row("published", "frozen-0", 0.6)]
    rows += [row("published", "frozen-1", 0.8), row("joint 0", "joint-0", 0.4), row("joint 1", "joint-1", 0.6)]
    rows += [row("published", "ensemble", 0.3, "optical_flow"), row("published", "motion", 0.2, "optical_flow")]
    assert train_joint.summary(rows) == {
        "published tracker, motion": 0.6,
        "published tracker, frozen": 0.7,
        "joint tracker, joint": 0.5,
        "published tracker, with propagation, ensemble": 0.3,
        "published tracker, with propagation, motion": 0.2,
    }
