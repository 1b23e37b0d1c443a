"""A data set: named sequences, each read when it is asked for."""

from __future__ import annotations

import difflib
from typing import Callable, Iterable, Iterator, List, Mapping, Optional, Tuple, Union, overload

from pvtpp.errors import InputError
from pvtpp_benchmarks.datasets.sequence import VideoSequence


class Dataset:
    """Sequences by number or name. Nothing is kept in memory: each access reads the sequence again.

    Parameters
    ----------
    name
        The name of the data set.
    readers
        The function that reads each sequence, by the sequence's name.
    published
        The number of sequences of the published set, which shows that a copy is incomplete; None where unknown.
    options
        The names of the options that its layout has, such as ``fps`` and ``boxes``.
    """

    def __init__(
        self,
        name: str,
        readers: Mapping[str, Callable[[], VideoSequence]],
        published: Optional[int] = None,
        options: Iterable[str] = (),
    ):
        self.name = name
        self.published = published
        self.options = tuple(options)
        self._readers = dict(readers)

    @property
    def names(self) -> Tuple[str, ...]:
        """Names of the sequences, in order."""
        return tuple(self._readers)

    def __len__(self) -> int:
        return len(self._readers)

    def __contains__(self, name: object) -> bool:
        return name in self._readers

    def __iter__(self) -> Iterator[VideoSequence]:
        for read in self._readers.values():
            yield read()

    @overload
    def __getitem__(self, key: Union[int, str]) -> VideoSequence: ...
    @overload
    def __getitem__(self, key: Union[List[int], List[str], List[Union[int, str]]]) -> Dataset: ...

    def __getitem__(
        self, key: Union[int, str, List[int], List[str], List[Union[int, str]]]
    ) -> Union[VideoSequence, Dataset]:
        """The sequence of this number or name, or the data set of a list of numbers or names, in the list's order.

        Raises
        ------
        InputError
            Where there is no such sequence, with names that are near or valid.
        """
        if isinstance(key, list):
            return self.select(self._name(each) for each in key)
        return self._readers[self._name(key)]()

    def select(self, names: Iterable[str]) -> Dataset:
        """The data set of these sequences alone, in the order given; InputError for an unknown name."""
        wanted = [self._name(name) for name in names]
        return Dataset(self.name, {name: self._readers[name] for name in wanted}, options=self.options)

    def __repr__(self) -> str:
        return f"Dataset({self.name!r}, {len(self)} sequences)"

    def _name(self, key: Union[int, str]) -> str:
        """The name of the sequence that has this number or name; InputError where there is none."""
        if isinstance(key, str):
            self._check(key)
            return key
        if not -len(self) <= key < len(self):
            raise InputError(f"{self.name}: sequence number {key} is outside 0 to {len(self) - 1}")
        return self.names[key]

    def _check(self, name: str) -> None:
        if name in self._readers:
            return
        lowered = {known.lower(): known for known in self.names}
        near = [lowered[match] for match in difflib.get_close_matches(name.lower(), lowered, n=5)]
        listed = near or list(self.names[:10])
        rest = "" if near or len(self) <= 10 else f", ... ({len(self)} in all)"
        kind = "near" if near else "valid"
        raise InputError(f"{self.name} has no sequence {name!r}; {kind} names: {', '.join(listed)}{rest}")
