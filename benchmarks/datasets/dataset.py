"""A data set: named sequences, each read when it is asked for."""

from __future__ import annotations

import difflib
from typing import Callable, Iterable, Iterator, Mapping, Optional, Tuple, Union

from pvtpp.errors import InputError
from pvtpp_benchmarks.datasets.sequence import VideoSequence


class Dataset:
    """Sequences by number or name. Holds where they lie, not what is in them: each access reads the sequence anew.

    `readers` maps the name of each sequence to a function that reads it. `published` is the number of sequences the
    published set has, where known, so that a partial copy can be told from the whole.
    """

    def __init__(self, name: str, readers: Mapping[str, Callable[[], VideoSequence]], published: Optional[int] = None):
        self.name = name
        self.published = published
        self._readers = dict(readers)

    @property
    def names(self) -> Tuple[str, ...]:
        return tuple(self._readers)

    def __len__(self) -> int:
        return len(self._readers)

    def __contains__(self, name: object) -> bool:
        return name in self._readers

    def __iter__(self) -> Iterator[VideoSequence]:
        for read in self._readers.values():
            yield read()

    def __getitem__(self, key: Union[int, str]) -> VideoSequence:
        """The sequence of this number or name; InputError where there is none, with the near or valid names."""
        if isinstance(key, str):
            self._check(key)
            return self._readers[key]()
        if not -len(self) <= key < len(self):
            raise InputError(f"{self.name}: sequence number {key} is outside 0 to {len(self) - 1}")
        return self._readers[self.names[key]]()

    def select(self, names: Iterable[str]) -> Dataset:
        """The data set of these sequences alone, in the order given; InputError for an unknown name."""
        wanted = list(names)
        for name in wanted:
            self._check(name)
        return Dataset(self.name, {name: self._readers[name] for name in wanted})

    def __repr__(self) -> str:
        return f"Dataset({self.name!r}, {len(self)} sequences)"

    def _check(self, name: str) -> None:
        if name in self._readers:
            return
        lowered = {known.lower(): known for known in self.names}
        near = [lowered[match] for match in difflib.get_close_matches(name.lower(), lowered, n=5)]
        listed = near or list(self.names[:10])
        rest = "" if near or len(self) <= 10 else f", ... ({len(self)} in all)"
        kind = "near" if near else "valid"
        raise InputError(f"{self.name} has no sequence {name!r}; {kind} names: {', '.join(listed)}{rest}")
