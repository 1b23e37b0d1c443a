"""Which process this is, by what launchers set."""

import pytest

from pvtpp.errors import InputError
from pvtpp.training.ranks import is_first, layout


@pytest.fixture(autouse=True)
def alone(monkeypatch):
    for name in ("RANK", "LOCAL_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)


def test_alone_it_is_the_first_and_has_the_devices_it_is_given():
    assert is_first() and layout(2) == (2, 1)


@pytest.mark.parametrize(
    ("given", "first"),
    [({"RANK": "0"}, True), ({"RANK": "3", "LOCAL_RANK": "0"}, False), ({"LOCAL_RANK": "1"}, False)],
)
def test_one_process_of_all_machines_is_the_first(given, first, monkeypatch):
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    assert is_first() == first


def test_a_launcher_s_processes_go_before_the_configuration(monkeypatch):
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "4")
    monkeypatch.setenv("WORLD_SIZE", "12")
    assert layout(1) == (4, 3)
    monkeypatch.setenv("WORLD_SIZE", "6")
    with pytest.raises(InputError, match="started 6 processes, 4 of them here"):
        layout(1)
