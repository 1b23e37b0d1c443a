"""Bags of ROS 1 and ROS 2 for tests, written by `rosbags` from messages of any origin, without ROS."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from rosbags.rosbag1 import Writer as Writer1
from rosbags.rosbag2 import Writer as Writer2
from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from ruamel.yaml import YAML

from pvtpp_ros_nodes import conversions

OWN = Path(__file__).resolve().parents[3] / "ros_nodes" / "msg"
try:
    from rosbags.rosbag2 import StoragePlugin
except ImportError:
    # The last rosbags of Python 3.8 writes sqlite3 alone.
    KINDS = ["ros1", "sqlite3"]
else:
    KINDS = ["ros1", "sqlite3", "mcap"]


def types(kind):
    """The message types of ROS 1 or ROS 2, ours among them."""
    store = get_typestore(Stores.ROS1_NOETIC if kind == "ros1" else Stores.ROS2_HUMBLE)
    package = "pvtpp" if kind == "ros1" else "pvtpp_msgs"
    own = {}
    for path in sorted(OWN.glob("*.msg")):
        own.update(get_types_from_msg(path.read_text(), f"{package}/msg/{path.stem}"))
    store.register(own)
    return store


def path_of(folder, kind, name="flight"):
    """Where a bag of this kind lies: ROS 2's are folders."""
    return folder / (f"{name}.bag" if kind == "ros1" else f"{name}_{kind}")


@contextmanager
def written(path, kind):
    """A function that writes: topic, time received in nanoseconds, type (``pvtpp/Roi``), message."""
    store, connections = types(kind), {}
    if kind == "ros1":
        writer = Writer1(path)
    else:
        try:
            writer = Writer2(path, version=9, storage_plugin=StoragePlugin[kind.upper()])
        except NameError:
            writer = Writer2(path)

    def write(topic, t_ns, message_type, message):
        package, _, name = message_type.partition("/")
        full = f"{'pvtpp_msgs' if package == 'pvtpp' and kind != 'ros1' else package}/msg/{name}"
        if topic not in connections:
            connections[topic] = writer.add_connection(topic, full, typestore=store)
        serialize = store.serialize_ros1 if kind == "ros1" else store.serialize_cdr
        writer.write(connections[topic], t_ns, serialize(made(store, full, message), full))

    with writer:
        yield write


def as_of_humble(path):
    """Make a sqlite3 bag what Humble writes: format 5, without the definitions of its messages."""
    (file,) = path.glob("*.db3")
    with sqlite3.connect(str(file)) as database:
        database.executescript(
            "DROP TABLE message_definitions; CREATE TABLE kept AS SELECT id, name, type, serialization_format, "
            "'' AS offered_qos_profiles FROM topics; DROP TABLE topics; ALTER TABLE kept RENAME TO topics; "
            "UPDATE schema SET schema_version = 3;"
        )
    yaml = YAML(typ="safe")
    about = yaml.load((path / "metadata.yaml").read_text())
    about["rosbag2_bagfile_information"]["version"] = 5
    for topic in about["rosbag2_bagfile_information"]["topics_with_message_count"]:
        del topic["topic_metadata"]["type_description_hash"]
        topic["topic_metadata"]["offered_qos_profiles"] = ""
    with open(path / "metadata.yaml", "w") as out:
        yaml.dump(about, out)


def made(store, kind, message):
    """The message as one of the store's type, field by field."""
    if kind == "builtin_interfaces/msg/Time":
        return store.types[kind](*divmod(conversions.stamp_ns(message), 10**9))
    # The last rosbags of Python 3.8 has another name for them.
    _, fields = (store.fielddefs if hasattr(store, "fielddefs") else store.FIELDDEFS)[kind]
    return store.types[kind](**{name: converted(store, about, getattr(message, name)) for name, about in fields})


def converted(store, about, value):
    node, of = about
    if node.name == "BASE":
        return value
    if node.name == "NAME":
        return made(store, of, value)
    inner, inner_of = of[0]
    if inner.name == "BASE" and inner_of[0] != "string":
        dtype = {"byte": "uint8", "char": "uint8"}.get(inner_of[0], inner_of[0])
        return np.frombuffer(value, np.uint8) if isinstance(value, bytes) else np.array(value, dtype)
    return [converted(store, of[0], each) for each in value]
