"""``pvtpp COMMAND ...``: one file per command, imported only when it is asked for."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from typing import List, Optional

import pvtpp
from pvtpp.errors import InputError

COMMANDS = {
    "demo": "the main job on a generated clip: how good is a tracker when the world does not wait?",
    "track": "follow a target in a video file, a folder of images or a camera, live",
    "eval": "run a tracker over a data set at given speeds and score it online",
    "run": "run a tracker and write event logs, without scoring",
    "score": "score event logs",
    "replay": "score published result files online, as if their tracker had a given speed; or replay event logs",
    "train": "train a predictor on your own annotated boxes",
    "export": "export a tracker's network to ONNX, proven to track the same",
    "bench": "time every stage of a tracker and a predictor on this machine",
    "check": "check that a tracker keeps the contract, on a generated sequence",
    "datasets": "list the data sets that can be read, or check a copy of one",
    "weights": "list, download or locate tracker weights",
}


def main(argv: Optional[List[str]] = None) -> int:
    """Run one command; returns the exit status: 0 done, 1 it found problems, 2 bad input, 130 interrupted."""
    arguments = sys.argv[1:] if argv is None else argv
    parser = argparse.ArgumentParser(prog="pvtpp", description=pvtpp.__doc__)
    parser.add_argument("--version", action="version", version=f"pvtpp {pvtpp.__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    asked = next((word for word in arguments if not word.startswith("-")), None)
    for name, summary in COMMANDS.items():
        command = commands.add_parser(name, help=summary, description=summary)
        if name == asked:
            module = import_module(f"pvtpp.cli.{name}")
            command.description = module.__doc__
            command.formatter_class = argparse.RawDescriptionHelpFormatter
            module.add_arguments(command)
            command.set_defaults(run=module.run)
    options = parser.parse_args(arguments)
    try:
        return options.run(options) or 0
    except InputError as error:
        print(f"pvtpp {options.command}: error: {error}", file=sys.stderr)
        return 2
    except SystemExit as error:
        # No command ends so.
        print(
            f"pvtpp {options.command}: error: code that it loaded, such as a tracker's, exited ({error!r})",
            file=sys.stderr,
        )
        return 1
    except KeyboardInterrupt:
        print(
            f"\npvtpp {options.command}: interrupted; finished runs are kept, the same command goes on from there",
            file=sys.stderr,
        )
        return 130
    except BrokenPipeError:
        # Whoever read the table has seen enough; what is left must not be flushed into the closed pipe.
        sys.stdout = open("/dev/null", "w", encoding="ascii")
        return 0


if __name__ == "__main__":
    sys.exit(main())
