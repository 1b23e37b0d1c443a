"""Fewer feature channels for training: a few clips cannot teach a joint network which of many channels matter.

The projection is a whitening principal component analysis of recorded search features, made without any label. The
network is trained on projected features; afterwards the projection is folded into its first layers, so that it reads
the tracker's own features.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

from pvtpp.errors import InputError
from pvtpp.networks.joint import JointNetwork
from pvtpp.training.recordings import Recording

LARGEST_SAMPLE = 200_000
"""Feature cells used, at most about."""


@dataclass(frozen=True, eq=False)
class Projection:
    """The linear map ``matrix @ (feature - mean)`` from C to D channels.

    Attributes
    ----------
    matrix
        Shape ``(D, C)``, float32.
    mean
        Shape ``(C,)``, float32.

    Raises
    ------
    InputError
        If the shapes do not fit each other.
    """

    matrix: np.ndarray
    mean: np.ndarray

    def __post_init__(self) -> None:
        if self.matrix.ndim != 2 or self.mean.shape != self.matrix.shape[1:]:
            raise InputError(
                f"projection: matrix {self.matrix.shape} and mean {self.mean.shape}, expected (D, C) and (C,)"
            )

    @classmethod
    def of(cls, recordings: Sequence[Recording], channels: int) -> Projection:
        """The leading principal components of the search features of these recordings, each scaled to unit variance.

        Parameters
        ----------
        recordings
            At least one.
        channels
            Number of components, from 1 to the number of feature channels.

        Raises
        ------
        InputError
            If `channels` is out of range.
        """
        known = recordings[0].search.shape[1]
        if not 0 < channels <= known:
            raise InputError(f"projection to {channels} channels, allowed is 1 to the features' own {known}")
        results = sum(int(r.seen.sum()) for r in recordings)
        every = max(1, results * recordings[0].search[0, 0].size // LARGEST_SAMPLE)
        maps = np.concatenate([r.search[r.seen][::every] for r in recordings])
        cells = maps.transpose(0, 2, 3, 1).reshape(-1, known).astype(np.float64)
        power, vectors = np.linalg.eigh(np.cov(cells, rowvar=False))
        newest = slice(None, -channels - 1, -1)
        scale = 1 / np.sqrt(np.maximum(power[newest], 1e-6 * power[-1]))
        return cls((vectors[:, newest] * scale).T.astype(np.float32), cells.mean(0).astype(np.float32))

    def digest(self) -> str:
        """A text that differs for any other projection."""
        return hashlib.blake2b(self.matrix.tobytes() + self.mean.tobytes(), digest_size=16).hexdigest()

    def tensor(self, maps: Tensor) -> Tensor:
        """Project features ``(.., C, H, W)`` to ``(.., D, H, W)``."""
        matrix, mean = (torch.from_numpy(each).to(maps) for each in (self.matrix, self.mean))
        return torch.einsum("dc,...chw->...dhw", matrix, maps - mean[:, None, None])

    def recording(self, recording: Recording) -> Recording:
        """The recording with projected features, float16; zero where the tracker did not look."""

        def projected(maps: np.ndarray) -> np.ndarray:
            return self.tensor(torch.from_numpy(maps.astype(np.float32))).numpy().astype(np.float16)

        search = projected(recording.search)
        search[~recording.seen] = 0
        return replace(recording, search=search, template=projected(recording.template))

    def folded(self, network: JointNetwork) -> JointNetwork:
        """The network that computes from the tracker's features what `network` computes from projected ones.

        Parameters
        ----------
        network
            Was trained on features of D channels.

        Returns
        -------
        JointNetwork
            A new network for C channels, in evaluation mode.

        Raises
        ------
        InputError
            If `network` does not read D channels.
        """
        if network.config.channels != len(self.matrix):
            raise InputError(f"projection to {len(self.matrix)} channels, the network reads {network.config.channels}")
        made = JointNetwork(replace(network.config, channels=len(self.mean)))
        learnt = dict(network.state_dict())
        matrix, mean = torch.from_numpy(self.matrix), torch.from_numpy(self.mean)
        for part in ("template", "search"):
            layer: nn.Conv2d = getattr(network.encoder, part)
            weight = layer.weight.detach()[:, :, 0, 0] @ matrix
            learnt[f"encoder.{part}.weight"] = weight[:, :, None, None]
            learnt[f"encoder.{part}.bias"] = layer.bias.detach() - weight @ mean  # type: ignore[union-attr]
        made.load_state_dict(learnt)
        return made.eval()
