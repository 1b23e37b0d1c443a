"""Opens recorded bags by the library `rosbags`: those of ROS 1, and those of ROS 2 in sqlite3 or MCAP, without ROS."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Iterator, List, Optional, Tuple

from pvtpp.errors import InputError

INSTALL = 'pip install "pvtpp[bags]"'
MESSAGES = Path(__file__).parent / "msg"


class Bag:
    """An open bag; it is closed at the end of a ``with`` block.

    Parameters
    ----------
    path
        A file of ROS 1; a folder, or one of its files, of ROS 2.

    Attributes
    ----------
    filename
        The path.
    topics
        The names of what was recorded, sorted.

    Raises
    ------
    InputError
        There is no such bag, it cannot be read, or `rosbags` is not installed.
    """

    def __init__(self, path: str):
        try:
            from rosbags.highlevel import AnyReader
        except ImportError as error:
            raise InputError(f"{path}: reading bags needs rosbags ({error}): {INSTALL}") from None
        self.filename = path
        if not Path(path).exists():
            raise InputError(f"{path}: there is no such file or folder")
        try:
            self._reader = AnyReader([Path(path)], default_typestore=_types())
            self._reader.open()
        except Exception as error:
            # Of a damaged file, rosbags raises what its parts raise: struct.error, AssertionError, zlib's ..
            raise InputError(f"{path}: cannot be read as a bag ({_said(error)})") from None
        self.topics: List[str] = sorted(self._reader.topics)

    def __enter__(self) -> Bag:
        return self

    def __exit__(self, *about: object) -> None:
        self.close()

    def close(self) -> None:
        """Close its files."""
        self._reader.close()

    def messages(self, topic: str) -> Iterator[Any]:
        """Read the messages of a topic in order of recording. Raises InputError where there are none."""
        return (message for _, message in self.records(topic))

    def records(
        self, topic: str, start_ns: Optional[int] = None, stop_ns: Optional[int] = None
    ) -> Iterator[Tuple[int, Any]]:
        """Read what was recorded on a topic.

        Parameters
        ----------
        topic
            Its name.
        start_ns, stop_ns
            Only what was received at or after `start_ns` and before `stop_ns`, nanoseconds.

        Returns
        -------
        iterator
            For each message when it was received, nanoseconds, and the message: an object with the message's fields,
            arrays of numbers as NumPy's.

        Raises
        ------
        InputError
            Nothing was recorded on it, or, while it is read, the file is damaged.
        """
        if topic not in self.topics:
            raise InputError(f"{self.filename}: nothing on {topic}; it holds {', '.join(self.topics) or 'nothing'}")
        connections = [each for each in self._reader.connections if each.topic == topic]
        return self._read(topic, connections, start_ns, stop_ns)

    def _read(self, topic: str, connections: List[Any], start: Optional[int], stop: Optional[int]) -> Iterator[Any]:
        found = self._reader.messages(connections, start=start, stop=stop)
        while True:
            try:
                connection, received_ns, data = next(found)
                message = self._reader.deserialize(data, connection.msgtype)
            except StopIteration:
                return
            except Exception as error:
                raise InputError(f"{self.filename}: {topic} cannot be read to its end ({_said(error)})") from None
            yield received_ns, message


def _types() -> Any:
    """What Humble's sqlite3 bags are read by: they do not hold the definitions of their messages, later ones do."""
    from rosbags.typesys import Stores, get_types_from_msg, get_typestore

    types = get_typestore(Stores.ROS2_HUMBLE)
    own = {}
    for path in sorted(MESSAGES.glob("*.msg")):
        own.update(get_types_from_msg(path.read_text(encoding="utf-8"), f"pvtpp_msgs/msg/{path.stem}"))
    types.register(own)
    return types


def _said(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text if text else type(error).__name__
