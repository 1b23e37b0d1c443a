"""A torch module as an engine, for training and for comparing exported graphs with their source."""

from __future__ import annotations

from typing import Any, Dict, Mapping, Sequence

import numpy as np

from pvtpp.errors import InputError
from pvtpp.inference.engine import TensorSpec, check_inputs


class TorchEngine:
    """Runs a torch module. The number of threads is torch's own, one for the process (``torch.set_num_threads``).

    Parameters
    ----------
    module
        The module. It takes tensors in the order of `inputs`, and returns one tensor or as many as `outputs`. It is put
        into evaluation mode and moved to `device`.
    inputs, outputs
        What the module takes and returns.
    device
        Name of a torch device.
    source
        Name of the module, for error messages.

    Attributes
    ----------
    module, device, inputs, outputs
        As given.

    Raises
    ------
    InputError
        If torch is not installed or has no such device.
    """

    def __init__(
        self,
        module: Any,
        inputs: Sequence[TensorSpec],
        outputs: Sequence[TensorSpec],
        device: str = "cpu",
        source: str = "torch module",
    ):
        try:
            import torch
        except ImportError as error:
            raise InputError(
                f"{source}: running torch modules needs torch ({error}); pip install 'pvtpp[train]'"
            ) from None
        self._torch, self._source = torch, source
        try:
            self.device = torch.device(device)
            self.module = module.to(self.device).eval()
        except (RuntimeError, AssertionError) as error:
            raise InputError(f"{source}: torch cannot use device {device!r} ({str(error).splitlines()[0]})") from None
        self.inputs = tuple(inputs)
        self.outputs = tuple(outputs)

    def run(self, inputs: Mapping[str, np.ndarray]) -> Dict[str, np.ndarray]:
        """Run the module; see `Engine.run`."""
        check_inputs(inputs, self.inputs, self._source)
        torch = self._torch
        with torch.inference_mode():
            # A copy, on the CPU as well: torch takes no read-only arrays, and tracker features are read-only.
            arguments = [torch.tensor(inputs[spec.name], device=self.device) for spec in self.inputs]
            results = self.module(*arguments)
            results = (results,) if torch.is_tensor(results) else results
            return {spec.name: result.cpu().numpy() for spec, result in zip(self.outputs, results)}
