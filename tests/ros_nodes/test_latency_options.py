"""What the timing script refuses; its short form against a real master is in tests/ros_nodes."""

from __future__ import annotations

import pytest

from pvtpp_ros_nodes import latency_study


def test_wrong_options_are_refused(tmp_path, capsys):
    for arguments in (["--seconds", "0"], ["--json", str(tmp_path)]):
        with pytest.raises(SystemExit):
            latency_study.main(arguments)
    assert "--seconds is 0.0" in capsys.readouterr().err
