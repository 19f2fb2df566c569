"""What the command ``streamops`` does: a demo, and a server that plays or records streams."""

from __future__ import annotations

import argparse
import importlib.util
import os
import sys
import threading
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path

from streamops import __version__
from streamops.errors import StreamopsError
from streamops.modes import Mode

_EXTRA = ("rich", "starlette", "uvicorn")

_EXAMPLES = """\
examples:
  streamops demo                      watch a meeting's notes become an object
  streamops demo --fast | tail -1     the final object as JSON
  streamops record answer.sse         save what OpenAI streams to a program of yours
  streamops replay answer.sse         play it to the program again, offline

With OPENAI_API_KEY (and perhaps OPENAI_BASE_URL) set, the demo asks the real API.
"""


def run(argv: Sequence[str] | None) -> int:
    """Run the command that arguments ask for and return its exit status."""
    arguments = _parser().parse_args(argv)

    if any(importlib.util.find_spec(name) is None for name in _EXTRA):
        sys.stderr.write("The command line needs: pip install 'streamops[cli]'\n")
        return 1

    try:
        status: int = arguments.run(arguments)
    except BrokenPipeError:
        # What is still in the buffer has nowhere to go when Python flushes it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except StreamopsError as error:
        from streamops.demo_failures import explain

        return _fail(explain(error))

    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="streamops",
        description="Turn LLM token streams into something useful while they arrive.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"streamops {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    _describe_demo(
        commands.add_parser("demo", help="extract a conference from meeting notes, live")
    )
    _describe_replay(commands.add_parser("replay", help="serve recorded streams like a provider"))
    _describe_record(
        commands.add_parser("record", help="pass requests on and save what a provider streams")
    )
    return parser


def _describe_demo(demo: argparse.ArgumentParser) -> None:
    demo.set_defaults(run=_demo)
    demo.description = (
        "Extract a conference from meeting notes. On a terminal the object fills in live; "
        "elsewhere each distinct snapshot is a line of JSON, the last one final. Without "
        "OPENAI_API_KEY a recorded answer is played by an embedded server."
    )
    demo.add_argument(
        "--api", choices=("chat", "responses"), default="chat", help="which API (default: chat)"
    )
    demo.add_argument(
        "--model", default="gpt-4o-mini", help="the real API's model (default: gpt-4o-mini)"
    )
    demo.add_argument(
        "--offline", action="store_true", help="play the recording even if OPENAI_API_KEY is set"
    )
    demo.add_argument(
        "--fast", action="store_true", help="play the recording as fast as it can be read"
    )


def _describe_replay(replay: argparse.ArgumentParser) -> None:
    replay.set_defaults(run=_replay)
    replay.description = (
        "Serve recorded streams like an OpenAI-compatible provider, until Ctrl-C. The request's "
        "model picks the file of that name; otherwise the files take turns."
    )
    replay.add_argument("file", nargs="+", type=Path, help="an .sse file, or a folder with some")
    replay.add_argument(
        "--pace",
        type=_pace,
        default="recorded",
        help="recorded (default), fast, or a number of events per second",
    )
    replay.add_argument("--port", type=_port, default=0, help="the port (default: a free one)")
    replay.add_argument(
        "--mode",
        choices=[str(mode) for mode in Mode],
        help="refuse every request that is not what this mode sends",
    )


def _describe_record(record: argparse.ArgumentParser) -> None:
    record.set_defaults(run=_record)
    record.description = (
        "Pass requests on to a provider, until Ctrl-C, and save what it streams: the first answer "
        "as FILE, the next ones beside it with -2, -3 and so on in their names. No key is saved."
    )
    record.add_argument("file", type=Path, help="where to save, such as answer.sse")
    record.add_argument(
        "--upstream",
        default="https://api.openai.com/v1",
        help="the provider's base URL (default: https://api.openai.com/v1)",
    )
    record.add_argument("--port", type=_port, default=0, help="the port (default: a free one)")
    record.add_argument("--overwrite", action="store_true", help="replace files that exist")


def _demo(arguments: argparse.Namespace) -> int:
    from streamops.demo import Figures, ask, extract, real_client, recorded_client
    from streamops.demo_display import print_lines, show_live
    from streamops.sinks.generators import to_generator

    api_key = "" if arguments.offline else os.environ.get("OPENAI_API_KEY", "")

    try:
        opened = (
            real_client(api_key) if api_key else recorded_client(arguments.api, fast=arguments.fast)
        )
    except ValueError as error:
        return _fail(str(error))

    with opened as client:
        figures = Figures()
        answer = ask(client, api=arguments.api, model=arguments.model)
        asked = f"{arguments.model} at {client.base_url}".rstrip("/")
        title = f"Conference extraction: {asked if api_key else 'a recorded answer'}"

        with closing(to_generator(extract(answer, figures))) as updates:
            if sys.stdout.isatty():
                show_live(updates, figures, title=title)
            else:
                print_lines(updates)

    return 0


def _replay(arguments: argparse.Namespace) -> int:
    from streamops.replay import replay

    pace = None if arguments.pace == "fast" else arguments.pace

    try:
        with replay(
            *arguments.file, pace=pace, port=arguments.port, mode=arguments.mode
        ) as base_url:
            _say(f"Playing at {base_url} until Ctrl-C. Use it with:")
            _say(f"  OPENAI_BASE_URL={base_url} OPENAI_API_KEY=any streamops demo")

            with suppress(KeyboardInterrupt):
                threading.Event().wait()
    except (OSError, ValueError) as error:
        return _fail(_reason(error))

    return 0


def _record(arguments: argparse.Namespace) -> int:
    from streamops.replay import record

    try:
        with record(
            arguments.file,
            arguments.upstream,
            port=arguments.port,
            overwrite=arguments.overwrite,
            on_saved=lambda path: _say(f"Saved {path}"),
        ) as base_url:
            _say(f"Recording {arguments.upstream} at {base_url} until Ctrl-C. Use it with:")
            _say(f"  OPENAI_BASE_URL={base_url} OPENAI_API_KEY=... streamops demo")

            with suppress(KeyboardInterrupt):
                threading.Event().wait()
    except FileExistsError:
        return _fail(f"{arguments.file} exists: name another file, or replace it with --overwrite")
    except (OSError, ValueError) as error:
        return _fail(_reason(error))

    return 0


def _pace(text: str) -> float | str:
    if text in ("recorded", "fast"):
        return text

    try:
        pace = float(text)
    except ValueError:
        pace = 0.0

    if not 0 < pace < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not recorded, fast or a positive number")

    return pace


def _port(text: str) -> int:
    if not (text.isdecimal() and int(text) < 2**16):
        raise argparse.ArgumentTypeError(f"{text!r} is no port")

    return int(text)


def _reason(error: OSError | ValueError) -> str:
    if not isinstance(error, OSError) or error.strerror is None:
        return str(error)

    return f"{error.filename}: {error.strerror}" if error.filename else error.strerror


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _fail(message: str) -> int:
    from rich.console import Console
    from rich.text import Text

    console = Console(stderr=True)
    line = Text(" ".join(message.split()), style="red")
    console.print(line, soft_wrap=not console.is_terminal)
    return 1
