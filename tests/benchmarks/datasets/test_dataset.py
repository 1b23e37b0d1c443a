from __future__ import annotations

import numpy as np
import pytest

from pvtpp.errors import InputError
from pvtpp_benchmarks.datasets import Dataset, VideoSequence


def make(names, read=None):
    def reader(name):
        return lambda: (read or (lambda n: VideoSequence(n, np.ones((2, 4)))))(name)

    return Dataset("mini", {name: reader(name) for name in names})


def test_sequences_come_by_number_by_name_and_in_order():
    dataset = make(["b", "a"])
    assert len(dataset) == 2 and dataset.names == ("b", "a")
    assert [s.name for s in dataset] == ["b", "a"]
    assert (dataset[0].name, dataset[-1].name, dataset["a"].name) == ("b", "a", "a")
    assert "a" in dataset and "c" not in dataset


def test_a_list_of_names_or_numbers_is_a_data_set():
    dataset = make("abc")
    assert isinstance(dataset[["c"]], Dataset) and dataset[["c"]].name == "mini"
    assert dataset[["c", "a"]].names == dataset[[2, 0]].names == dataset[[-1, "a"]].names == ("c", "a")
    assert dataset[[]].names == ()
    with pytest.raises(InputError, match="no sequence 'd'"):
        dataset[["a", "d"]]
    with pytest.raises(InputError, match="sequence number 3 is outside 0 to 2"):
        dataset[[0, 3]]


def test_nothing_is_read_before_it_is_asked_for():
    read = []
    dataset = make("abc", lambda name: read.append(name) or VideoSequence(name, np.ones((2, 4))))
    assert dataset.names and len(dataset) == 3 and dataset.select(["c"]).names == ("c",) and read == []
    assert len(dataset[["c", "b"]]) == 2 and read == []
    dataset["b"]
    assert read == ["b"]


def test_an_unknown_name_lists_similar_names_in_any_case():
    dataset = make(["Animal1", "Animal2", "Surfing06"])
    with pytest.raises(InputError, match=r"mini has no sequence 'animal3'; near names: Animal"):
        dataset["animal3"]
    with pytest.raises(InputError, match="valid names: Animal1, Animal2, Surfing06$"):
        dataset["zzz"]


def test_of_many_names_only_some_are_listed():
    with pytest.raises(InputError, match=r"s0, .*, \.\.\. \(1400 in all\)"):
        make([f"s{i}" for i in range(1400)])["@@"]


@pytest.mark.parametrize("number", [2, -3])
def test_a_number_out_of_range_is_an_input_error(number):
    with pytest.raises(InputError, match=f"sequence number {number} is outside 0 to 1"):
        make("ab")[number]


def test_a_selection_keeps_the_order_asked_for_and_refuses_unknown_names():
    assert make("abc").select(["c", "a"]).names == ("c", "a")
    with pytest.raises(InputError, match="no sequence 'd'"):
        make("abc").select(["a", "d"])
