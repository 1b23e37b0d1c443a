"""``pvtpp COMMAND ...``: one file per command, imported only when it is asked for."""

from __future__ import annotations

import argparse
import re
import sys
from importlib import import_module
from typing import List, NoReturn, Optional, Sequence

import pvtpp
from pvtpp import opencv
from pvtpp.cli.signals import EndRequest, end_requests
from pvtpp.cli.streams import forgiving
from pvtpp.errors import InputError

COMMANDS = {
    "demo": "the main job on a generated clip: how good is a tracker when the world does not wait?",
    "track": "follow a target in a video, a camera or a stream, live",
    "serve": "the live tracker as a page for a browser: draw the target on a phone, see it followed",
    "stamp-offset": "measure the delay of a camera's capture times, by a blinking light or a turning gyro",
    "eval": "run a tracker over a data set at given speeds and score it online",
    "run": "run a tracker and write event logs, without scoring",
    "score": "score event logs",
    "report": "one page of results: tables, curves, paired differences; also as CSV, LaTeX, SVG and PDF",
    "replay": "score published result files online, as if their tracker had a given speed; or replay event logs",
    "convert": "result files from one toolkit's format to another's, and event logs to theirs",
    "log": "what event logs hold, parts of them, and exports: mcap (Foxglove), csv, mot, mp4",
    "train": "train a predictor on your own annotated boxes",
    "export": "export a tracker's network to ONNX, proven to track the same",
    "bench": "time every stage of a tracker and a predictor on this machine",
    "which": "which tracker, at which rate, holds an accuracy on a board? from results and a profile of the board",
    "check": "check that a tracker keeps the contract, on a generated sequence",
    "datasets": "list the data sets that can be read, or check a copy of one",
    "weights": "list, download or locate tracker weights",
    "doctor": "what this machine has of what pvtpp can use, and what to install",
}
FIRST_STEPS = """\
pvtpp: where is the target now? First steps:

  pvtpp demo                                    a generated clip: table, plot and video (half a minute)
  pvtpp track flight.mp4 --box 300,180,40,30    follow a target in a video; `pvtpp track 0` in a camera
  pvtpp serve 0                                 the same as a page: draw the target in a browser
  pvtpp check my_module:MyTracker               plug in a tracker of your own; then `pvtpp eval`
  pvtpp train motion --help                     train a predictor on your own boxes
  pvtpp doctor                                  what this machine has, and what to install

`pvtpp --help` lists all commands. `pvtpp COMMAND --help` has an example of each."""
RESUMING = ("eval", "run", "demo", "replay")
"""Commands that keep their event logs, and do not make finished runs anew."""
IMAGES_NEEDED = ("demo", "track", "serve", "stamp-offset", "eval", "run", "bench", "check")
"""Commands that cannot do without OpenCV. It is asked for first, before a tracker fails for want of it."""
_NEGATIVE = re.compile(r"-([.\d]|nan\b|inf)", re.IGNORECASE)


def main(argv: Optional[List[str]] = None) -> int:
    """Run one command.

    Parameters
    ----------
    argv
        Its arguments; None: those of the process.

    Returns
    -------
    int
        The exit status: 0 done, 1 it found problems, 2 bad input; 130, 143 or 129 ended by SIGINT (Ctrl-C), SIGTERM or
        SIGHUP.
    """
    arguments = _joined(sys.argv[1:] if argv is None else argv)
    if not arguments:
        # Nothing was asked for, so nothing is wrong: whoever types the name alone wants to know how to begin.
        print(FIRST_STEPS)
        return 0
    with forgiving() as (out, err), end_requests(raising=True) as request:
        status = _run(arguments, request)
        out.flush()
        if out.error is not None:
            print(f"pvtpp: error: standard output cannot be written ({out.error.strerror})", file=err)
            status = status or 1
    return status


def _run(arguments: List[str], request: EndRequest) -> int:
    asked = next((word for word in arguments if not word.startswith("-")), "")
    name = f"pvtpp {asked}".rstrip()
    options = None
    try:
        options = _parser(asked).parse_args(arguments)
        if asked in IMAGES_NEEDED:
            opencv.require()
        status = options.run(options) or 0
        return request.status or status
    except InputError as error:
        print(f"{name}: error: {error}", file=sys.stderr)
        return request.status or 2
    except ImportError:
        problem = opencv.problem()
        if problem is None:
            raise
        print(f"{name}: error: {problem}", file=sys.stderr)
        return 2
    except SystemExit as error:
        if options is None:
            # The parser's: --help, or arguments that it refused.
            raise
        if request.signum is None:
            # No command ends so.
            print(f"{name}: error: code that it loaded, such as a tracker's, exited ({error!r})", file=sys.stderr)
            return 1
    except KeyboardInterrupt:
        pass
    except Exception:
        # Where the signal went to the workers too, their pool may have broken first.
        if request.signum is None:
            raise
    kept = "; finished runs are kept, the same command goes on from there" if asked in RESUMING else ""
    print(f"\n{name}: interrupted{kept}", file=sys.stderr)
    return request.status or 130


def _parser(asked: str) -> argparse.ArgumentParser:
    """Make the parser; of the commands only the one that is asked for is imported."""
    parser = _Parser(prog="pvtpp", description=pvtpp.__doc__)
    parser.add_argument("--version", action="version", version=f"pvtpp {pvtpp.__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, summary in COMMANDS.items():
        command = commands.add_parser(name, help=summary, description=summary)
        if name == asked:
            module = import_module(f"pvtpp.cli.{name.replace('-', '_')}")
            command.description = module.__doc__
            command.formatter_class = argparse.RawDescriptionHelpFormatter
            module.add_arguments(command)
            command.set_defaults(run=module.run)
    return parser


class _Parser(argparse.ArgumentParser):
    """Says in one line what is wrong with the arguments; the usage of these commands fills the screen."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: error: {' '.join(message.split())} (see {self.prog} --help)\n")


def _joined(arguments: Sequence[str]) -> List[str]:
    """Join an option and its value where that begins with a minus, ``--box=-5,90,20,20``.

    Otherwise argparse takes the value for an option.
    """
    joined: List[str] = []
    for word in arguments:
        if _NEGATIVE.match(word) and joined and re.fullmatch(r"--[^=\s]+", joined[-1]):
            joined[-1] += f"={word}"
        else:
            joined.append(word)
    return joined


if __name__ == "__main__":
    sys.exit(main())
