"""A tracker that is a separate program in any language: requests on its standard input, answers on its standard output.

Protocol, version 1. A request is one line of JSON, followed by `bytes` bytes of image: rows from the top, for each
pixel one byte of blue, green and red. An answer is one line of JSON. There is one answer to each request, in order.
Anything else belongs on standard error, whose lines are logged. The program ends when its standard input does. For
example::

    {"protocol": 1, "call": "init", "index": 0, "t_ns": 0, "height": 240, "width": 320, "bytes": 230400,
     "xywh": [8, 9, 40, 30]}
    {}
    {"protocol": 1, "call": "track", "index": 3, "t_ns": 100000000, "height": .., "width": .., "bytes": ..,
     "search_xywh": null}
    {"xywh": [10.5, 9.25, 40, 30], "score": 0.9}

(each request is one line). `xywh` is left, top, width and height in pixels, null where the target is not found; `score`
in [0, 1] may be left out. `t_ns` is the capture time; indices skip, since frames pass while a tracker works.
`search_xywh`, where not null, is where to search and how large to assume the target, and may be ignored. An ``init``
forgets everything before. ``{"error": "why"}`` refuses either request.
"""

from __future__ import annotations

import json
import logging
import os
import shlex
import shutil
import signal
import subprocess
import time
import weakref
from contextlib import suppress
from selectors import EVENT_READ, EVENT_WRITE, DefaultSelector
from typing import Any, Dict, List, Optional, Sequence, Union

import numpy as np

from pvtpp.boxes import ArrayLike, as_box, box_to_xywh, xywh_to_box
from pvtpp.errors import InputError
from pvtpp.tracker import Frame, TrackerOutput
from pvtpp_trackers.registry import register

PROTOCOL = 1
LONGEST_ANSWER = 1 << 16
GRACE_S = 1.0
"""Seconds between closing the program's input and killing it."""
_LOG = logging.getLogger(__name__)


@register("external", argument="command")
class ExternalTracker:
    """Runs a program and sends it every frame.

    The program starts at the first `init`. When it dies, hangs or breaks the protocol, it is ended, an InputError says
    what happened, and the next `init` starts it again.

    Parameters
    ----------
    command
        The program and its arguments, as words or as one line; no shell is involved.
    timeout
        How long each answer may take, seconds.

    Raises
    ------
    InputError
        Where there is no such program, and for a wrong `timeout`.
    """

    def __init__(self, command: Union[str, Sequence[str]], timeout: float = 30.0):
        try:
            self._words = shlex.split(command) if isinstance(command, str) else list(command)
        except ValueError as error:
            raise InputError(f"external tracker {command!r}: cannot be split into words ({error})") from None
        if not self._words or shutil.which(self._words[0]) is None:
            raise InputError(
                f"external tracker {self._title}: no such program, expected external:PROGRAM and its arguments"
            )
        if not 0.0 < timeout < float("inf"):
            raise InputError(
                f"external tracker {self._title}: timeout is {timeout!r}, allowed is any number of seconds above 0"
            )
        self._timeout = timeout
        self._process: Optional[_Process] = None
        self._box: Optional[np.ndarray] = None

    @property
    def _title(self) -> str:
        return repr(" ".join(self._words))

    def init(self, frame: Frame, box: ArrayLike) -> None:
        """Start on `box`, ``[cx, cy, w, h]`` in pixels; InputError where the program fails or refuses."""
        box, image = as_box(box, "first box"), frame.image
        # A forked process must not use the pipes of its parent.
        if self._process is None or self._process.owner != os.getpid():
            self._process = _Process(self._words)
        self._box = box
        self._ask("init", frame, image, xywh=box_to_xywh(box).tolist())

    def track(self, frame: Frame, search_box: Optional[ArrayLike] = None) -> TrackerOutput:
        """The program's result for `frame`: the last box with score 0 where it does not find the target.

        Raises
        ------
        InputError
            Before `init`, and where the program fails or refuses.
        """
        if self._process is None or self._process.owner != os.getpid() or self._box is None:
            raise InputError("track() called before init()")
        search = None if search_box is None else box_to_xywh(as_box(search_box, "search box")).tolist()
        answer = self._ask("track", frame, frame.image, search_xywh=search)
        try:
            lost = answer["xywh"] is None
            box = self._box if lost else xywh_to_box(np.array(answer["xywh"], np.float64))
            output = TrackerOutput(box, answer.get("score", 0.0 if lost else 1.0))
        except (InputError, KeyError, IndexError, OverflowError, TypeError, ValueError) as error:
            reason = "it has no xywh" if isinstance(error, KeyError) else str(error)
            raise self._failure(
                f"answered {json.dumps(answer)[:120]} to track of frame {frame.index} ({reason})"
            ) from None
        self._box = output.box
        return output

    def _ask(self, call: str, frame: Frame, image: np.ndarray, **more: Any) -> Dict[str, Any]:
        assert self._process is not None
        height, width = image.shape[:2]
        size = {"height": height, "width": width, "bytes": image.size}
        request = {"protocol": PROTOCOL, "call": call, "index": frame.index, "t_ns": frame.t_ns, **size, **more}
        line = json.dumps(request).encode() + b"\n"
        asked = f"{call} of frame {frame.index}"
        try:
            answer = self._process.exchange([line, np.ascontiguousarray(image).reshape(-1).data], self._timeout)
        except _Broken as broken:
            raise self._failure(f"{broken} at {asked}") from None
        try:
            found = json.loads(answer)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise self._failure(f"answered {answer[:120]!r} to {asked}, expected one line with a JSON object")
        if "error" in found:
            # The program answered, so it goes on.
            raise InputError(f"external tracker {self._title} refuses {asked}: {found['error']}")
        return found

    def _failure(self, what: str) -> InputError:
        assert self._process is not None
        self._process.end()
        words = self._process.last_words
        self._process = self._box = None
        return InputError(f"external tracker {self._title} {what}" + (f"; its last words: {words}" if words else ""))


class _Broken(Exception):
    """The exchange failed; the message says how."""


class _Process:
    """The program and its three pipes, none of which ever blocks this process."""

    def __init__(self, words: List[str]):
        # In a new session Ctrl-C does not reach the program, and everything it starts can be ended with it.
        pipe = subprocess.PIPE
        try:
            process = subprocess.Popen(words, stdin=pipe, stdout=pipe, stderr=pipe, bufsize=0, start_new_session=True)
        except OSError as error:
            raise InputError(
                f"external tracker {' '.join(words)!r} cannot be started ({error.strerror or error})"
            ) from None
        self.owner = os.getpid()
        self._process, self._heard, self._errors = process, bytearray(), bytearray()
        self._in, self._out, self._err = (
            end.fileno() for end in (process.stdin, process.stdout, process.stderr) if end
        )
        for end in (self._in, self._out, self._err):
            os.set_blocking(end, False)
        self.end = weakref.finalize(self, _end, process, self.owner)

    @property
    def last_words(self) -> str:
        """The last line on its standard error."""
        lines = self._errors.decode("utf-8", "replace").strip().splitlines()
        return lines[-1][-300:] if lines else ""

    def exchange(self, parts: Sequence[Union[bytes, memoryview]], timeout: float) -> bytes:
        """Send `parts`, and return the next line of its standard output, without the line end."""
        deadline = time.monotonic() + timeout
        if self._heard:
            raise _Broken(f"said {bytes(self._heard[:120])!r} unasked")
        left = [memoryview(part) for part in parts]
        with DefaultSelector() as selector:
            selector.register(self._in, EVENT_WRITE)
            selector.register(self._out, EVENT_READ)
            selector.register(self._err, EVENT_READ)
            while b"\n" not in self._heard:
                ready = selector.select(max(0.0, deadline - time.monotonic()))
                # A program that writes to standard error without end is always ready, so the clock is read too.
                if not ready or time.monotonic() > deadline:
                    raise _Broken(f"gave no answer in {timeout:g} s")
                for key, _ in ready:
                    if key.fd == self._in:
                        if not self._send(left):
                            selector.unregister(self._in)
                    elif key.fd == self._err:
                        if not self._note():
                            selector.unregister(self._err)
                    else:
                        self._hear()
        line, _, rest = self._heard.partition(b"\n")
        self._heard = rest
        if left:
            raise _Broken(f"answered {bytes(line[:120])!r} before it had read the image")
        return bytes(line)

    def _send(self, left: List[memoryview]) -> bool:
        """Write what the pipe takes; whether there is more to write."""
        try:
            left[0] = left[0][os.write(self._in, left[0]) :]
        except BrokenPipeError:
            # The other pipes show what it wrote last, and that it ended.
            return False
        if not left[0]:
            left.pop(0)
        return bool(left)

    def _hear(self) -> None:
        heard = os.read(self._out, LONGEST_ANSWER)
        if not heard:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(GRACE_S)
            while self._note():
                pass
            code = self._process.poll()
            raise _Broken("closed its standard output" if code is None else f"ended with exit code {code}")
        self._heard += heard
        if len(self._heard) > LONGEST_ANSWER:
            raise _Broken(f"said {bytes(self._heard[:120])!r} and no end of line")

    def _note(self) -> bool:
        """Keep and log what it writes to standard error; whether there may be more."""
        try:
            said = os.read(self._err, LONGEST_ANSWER)
        except BlockingIOError:
            return False
        if said:
            _LOG.info("%s", said.decode("utf-8", "replace").rstrip())
        self._errors = (self._errors + said)[-2000:]
        return bool(said)


def _end(process: subprocess.Popen, owner: int) -> None:
    """Close its input, wait a moment, then kill it."""
    if os.getpid() != owner:
        return
    if process.stdin is not None:
        with suppress(OSError):
            process.stdin.close()
    with suppress(subprocess.TimeoutExpired):
        process.wait(GRACE_S)
    with suppress(OSError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for pipe in (process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()
