"""Benchmark attributes are read where each published layout, and one's own folders, have them."""

import json
import tarfile

import pytest

from pvtpp.errors import InputError
from pvtpp_benchmarks.datasets import attributes, load


def flags(names, *wanted):
    return ",".join(str(int(name in wanted)) for name in names) + "\n"


@pytest.mark.parametrize("place", ["att", "anno/att", "experiments/anno/att"])
def test_dtb70_has_them_in_a_folder_of_its_toolkit(tree, place):
    tree.boxes("DTB70/Gull1/groundtruth_rect.txt")
    tree.text(f"{place}/Gull1.txt", flags(attributes.DTB70, "occlusion", "motion blur"))
    assert load("dtb70", tree.root)["Gull1"].attributes == ("occlusion", "motion blur")


def test_visdrone_has_a_file_beside_each_annotation(tree):
    place = "VisDrone2019-SOT-test-dev"
    for name in ("a", "b"):
        tree.boxes(f"{place}/annotations/{name}.txt")
    tree.text(f"{place}/attributes/a_attr.txt", "0,0,1,1,1,0,0,0,1,1,1,1\n")
    data = load("visdrone", tree.root)
    named = ("camera motion", "fast motion", "full occlusion", "partial occlusion")
    assert data["a"].attributes == (*named, "similar object", "scale variation", "viewpoint change")
    assert data["b"].attributes == ()


@pytest.mark.parametrize(
    ("name", "annotated", "att"),
    [
        ("uav123", "UAV123", "UAV123"),
        ("uav20l", "UAV20L", "UAV20L"),
        ("uav123_10fps", "UAV123_10fps", "UAV123_10fps"),
        ("uav123_10fps", "UAV123_10fps", "UAV123"),
    ],
)
def test_uav123_has_twelve_columns_in_the_order_of_its_toolkit(tree, name, annotated, att):
    tree.boxes(f"anno/{annotated}/bike1.txt")
    # The published file of bike1.
    tree.text(f"anno/{att}/att/bike1.txt", "1,1,0,1,0,0,0,0,1,1,1,1")
    named = ("scale variation", "aspect ratio change", "fast motion", "illumination variation", "viewpoint change")
    clip = load(name, tree.root)["bike1"]
    assert clip.attributes == (*named, "camera motion", "similar object")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1,0,1\n", "3 values, expected 12: scale variation, .*"),
        ("1,2,0,0,0,0,0,0,0,0,0,0\n", "'2', expected only 0 and 1"),
    ],
)
def test_a_file_that_does_not_fit_is_named(tree, text, message):
    tree.boxes("anno/UAV123/bike1.txt")
    tree.text("anno/UAV123/att/bike1.txt", text)
    with pytest.raises(InputError, match=rf"bike1\.txt: {message}"):
        load("uav123", tree.root)["bike1"]


@pytest.mark.parametrize("where", ["", "part/"])
def test_own_folders_have_them_in_a_json_file_at_the_root_or_in_the_split(tree, where):
    for name in ("one", "two"):
        tree.boxes(f"part/{name}/groundtruth.txt")
    tree.text(f"{where}attributes.json", json.dumps({"one": ["dusk", "fast motion", "dusk"]}))
    data = load("folder", tree.root, "part")
    assert (data["one"].attributes, data["two"].attributes) == (("dusk", "fast motion"), ())


def test_annotations_alone_may_have_them_too_in_an_archive_as_well(tree):
    tree.boxes("boxes/set/one.txt")
    tree.text("boxes/set/attributes.json", '{"one": ["dusk"]}')
    assert load("annotations", tree.root / "boxes" / "set")["one"].attributes == ("dusk",)
    with tarfile.open(tree.root / "boxes.tar.xz", "w:xz") as archive:
        archive.add(tree.root / "boxes" / "set", arcname="set")
    assert load("annotations", tree.root / "boxes.tar.xz")["one"].attributes == ("dusk",)


@pytest.mark.parametrize("text", ['["dusk"]', '{"one": "dusk"}', '{"one": [1]}', "{"])
def test_a_json_file_of_another_form_is_named(tree, text):
    tree.boxes("one/groundtruth.txt")
    tree.text("attributes.json", text)
    with pytest.raises(InputError, match=r"attributes\.json: (expected|no JSON)"):
        load("folder", tree.root)


def test_they_do_not_tell_one_sequence_from_another(tree):
    tree.boxes("one/groundtruth.txt")
    plain = load("folder", tree.root)["one"]
    tree.text("attributes.json", '{"one": ["dusk"]}')
    named = load("folder", tree.root)["one"]
    assert named.digest() == plain.digest() and named.attributes != plain.attributes
