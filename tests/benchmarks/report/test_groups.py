"""What a report compares, and what it calls it."""

from made_rows import made_row, made_rows

from pvtpp_benchmarks.report.groups import Source, make_report
from pvtpp_benchmarks.report.labels import ZERO


def report_of(*results):
    return make_report("title", [Source(f"{number}.json", {}, tuple(rows)) for number, rows in enumerate(results)])


def test_camera_rates_and_clips_are_panels_and_data_sets_and_modes_are_groups():
    rows = made_rows(1, 4, 3, rates=((30.0, 30.0), (10.0, 30.0)))
    report = report_of(rows, [{**row, "mode": "elae"} for row in rows])
    assert [group.heading for group in report.groups] == ["generated, mode otb", "generated, mode elae"]
    assert [panel.short for panel in report.groups[0].panels] == ["camera 30 fps", "camera 10 fps"]
    assert len(report.once) == 1 and report.once[0].mode == "otb"
    for panel in report.groups[0].panels:
        assert [method.short for method in panel.methods][0] == ZERO and len(panel.online) == 4
    fewer = made_rows(1, 1, 2)
    counts = [panel.heading for panel in report_of(made_rows(1, 1, 3), fewer).groups[0].panels]
    shorts = [panel.short for panel in report_of(made_rows(1, 1, 3), fewer).groups[0].panels]
    assert sorted(shorts) == [f"camera 30 fps, world 30 fps, {count} clips" for count in (2, 3)]
    assert sorted(counts) == ["camera 30 fps, world 30 fps; 2 clips", "camera 30 fps, world 30 fps; 3 clips"]


def test_names_say_the_time_only_where_there_are_several_and_settings_only_to_tell_two_apart():
    (group,) = report_of(made_rows(2, 4, 3)).groups
    assert [method.label for method in group.panels[0].online][:2] == ["north, hold", "north, constant_velocity"]
    (group,) = report_of(made_rows(1, 2, 3, times=(20, 85))).groups
    assert {method.short for method in group.panels[0].online} == {
        f"{name}, {ms} ms" for name in ("kalman", "ensemble") for ms in (20, 85)
    }
    clips = ["a", "b"]
    twice = [made_row("north", 0, "kalman", clips, 47), {**made_row("north", 0, "kalman", clips, 47), "presence": "on"}]
    (group,) = report_of(twice).groups
    assert [method.short for method in group.panels[0].methods] == ["kalman", "kalman, presence"]


def test_one_tracker_in_two_files_keeps_two_rows_of_different_names():
    other = [{**row, "auc": row["auc"] + 0.01, "mauc": 0.5} for row in made_rows(1, 1, 3)]
    (group,) = report_of(made_rows(1, 1, 3), other).groups
    labels = [method.label for method in group.panels[0].methods]
    assert len(labels) == len(set(labels)) == 4
    assert len(report_of(made_rows(1, 1, 3), made_rows(1, 1, 3)).groups[0].panels[0].methods) == 2
    assert {method.source for method in group.panels[0].methods} == {"0.json", "1.json"}


def test_a_method_is_compared_with_the_hold_of_its_tracker_and_time():
    (group,) = report_of(made_rows(2, 4, 3, times=(20, 85))).groups
    (panel,) = group.panels
    for method in panel.methods:
        hold = panel.hold_of(method)
        if not method.online or method.row["predictor"] == "hold":
            assert hold is None
        else:
            assert (hold.tracker, hold.row["processing_ms"]) == (method.tracker, method.row["processing_ms"])
            assert hold.row["predictor"] == "hold"


def test_a_tracker_has_a_chart_unless_each_has_but_one_method():
    (group,) = report_of(made_rows(3, 4, 3)).groups
    assert [facet.heading for facet in group.facets(group.panels[0])] == ["north", "east", "south"]
    (group,) = report_of(made_rows(3, 1, 3)).groups
    (facet,) = group.facets(group.panels[0])
    assert facet.labels == ("north, ensemble", "east, ensemble", "south, ensemble") and len(set(facet.styles)) == 3


def test_a_predictor_looks_the_same_in_every_chart_and_no_two_methods_of_one_look_the_same():
    (group,) = report_of(made_rows(2, 4, 3, times=(20, 47, 85))).groups
    looks = {}
    for facet in group.facets(group.panels[0], zero=True):
        assert len(set(facet.styles)) == len(facet.styles) == 13
        for label, style in zip(facet.labels, facet.styles):
            assert looks.setdefault(label, style) == style
    numbers = {label.split(",")[0]: style.number for label, style in looks.items()}
    assert all(style.number == numbers[label.split(",")[0]] for label, style in looks.items())
