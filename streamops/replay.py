"""Serve recorded streams like an OpenAI-compatible provider, and record real ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from streamops.modes import Mode
from streamops.recording import Pace, Recording, read_recording

LOOPBACK = ("localhost", "127.0.0.1", "::1")
"""This machine, which no proxy of the environment can reach."""


def replay(
    *paths: str | Path,
    pace: Pace = None,
    port: int = 0,
    mode: Mode | str | None = None,
    on_request: Callable[[Mapping[str, Any]], object] | None = None,
) -> AbstractContextManager[str]:
    """Serve recorded streams on this machine; the context is the ``base_url`` for a client.

    ``POST /chat/completions`` and ``/responses`` answer with a recording, byte for byte, an HTTP
    chunk per event: the one whose file name without suffix is the request's ``model``, else those
    of that API in turn. A folder stands for all ``.sse`` files in it. Without a ``pace`` they are
    sent as fast as possible; ``"recorded"`` keeps the recorded times where the file has them. A
    recording that is marked as incomplete breaks the connection off at its end. A request that asks
    for no stream gets at once the whole answer that the recording adds up to; a recorded error is
    an HTTP error then.

    A request whose names, schemas, tools or messages OpenAI's published rules refuse is refused
    here as well, with status 400 and the reason. With a ``mode`` of ``extract`` so is every request
    that is not what that mode sends. ``on_request`` is called in the server's thread with the
    decoded body of every request, also of those that are refused; if it raises, the answer is an
    error 500 that says what.

    Files are read now: a missing one raises FileNotFoundError, one without a single event a
    ValueError, as does a ``port``, ``pace`` or ``mode`` that cannot be. ImportError if the
    ``server`` extra is not installed.
    """
    from streamops.replay_server import Player, serve

    _check_port(port)

    if isinstance(pace, bool):
        raise TypeError("pace must be 'recorded', events per second or None, not a bool")

    if isinstance(pace, str) and pace != "recorded":
        raise ValueError(f"pace must be 'recorded', events per second or None, not {pace!r}")

    if not isinstance(pace, str) and pace is not None and not pace > 0:
        raise ValueError(f"pace must be positive, not {pace!r}; None is as fast as possible")

    insisted = _mode(mode)
    return serve(Player(_read_all(paths), pace, insisted, on_request), port)


def record(
    path: str | Path,
    upstream: str = "https://api.openai.com/v1",
    *,
    port: int = 0,
    overwrite: bool = False,
    on_saved: Callable[[Path], object] | None = None,
) -> AbstractContextManager[str]:
    """Pass requests on to ``upstream`` and save the streamed answers, with their times.

    The context is the ``base_url`` for a client. Requests and answers pass unchanged and without
    delay, also those that are not streams. The first stream is saved at ``path``, the next ones
    beside it as ``name-2.sse`` and so on, each when it has ended. If the client leaves early or
    the upstream breaks off, what arrived is saved and marked as incomplete. Only the answer's body
    is saved: no header, no key, no request. ``on_saved`` is called in the server's thread with the
    path of each stream that was saved.

    FileExistsError if ``path`` exists, unless ``overwrite`` is set; the numbered names that exist
    are then overwritten too, and passed over otherwise. ValueError if ``upstream`` is no ``http://``
    or ``https://`` URL, or the ``port`` cannot be. ImportError if the ``server`` extra is not
    installed.
    """
    from streamops.replay_recorder import Recorder
    from streamops.replay_server import serve

    _check_port(port)

    if not upstream.startswith(("http://", "https://")):
        raise ValueError(f"The upstream must begin with http:// or https://, not {upstream!r}")

    target = Path(path)

    if target.exists() and not overwrite:
        raise FileExistsError(f"{target} exists; pass overwrite=True to replace it")

    if not target.parent.is_dir():
        raise FileNotFoundError(f"There is no folder {target.parent} to save {target.name} in")

    return serve(Recorder(target, upstream, overwrite=overwrite, on_saved=on_saved), port)


def _mode(mode: Mode | str | None) -> Mode | None:
    try:
        return None if mode is None else Mode(mode)
    except ValueError:
        raise ValueError(f"mode must be one of {', '.join(Mode)} or None, not {mode!r}") from None


def _check_port(port: object) -> None:
    if not isinstance(port, int) or isinstance(port, bool):
        raise TypeError(f"port must be a number, not {port!r}")

    if not 0 <= port < 2**16:
        raise ValueError(f"port must be from 0 (any free one) to 65535, not {port}")


def _read_all(paths: tuple[str | Path, ...]) -> dict[str, list[Recording]]:
    """Read every recording; files of the same name in different folders share a key."""
    recordings: dict[str, list[Recording]] = {}

    for path in map(Path, paths):
        files = sorted(path.rglob("*.sse")) if path.is_dir() else [path]

        for file in files:
            recording = read_recording(file.read_bytes())

            # One that was broken off may have been so before its first event.
            if recording.complete and not recording.has_data:
                raise ValueError(f"{file} is no recorded stream: no line of it begins with 'data:'")

            recordings.setdefault(file.stem, []).append(recording)

    if not recordings:
        raise ValueError("replay needs at least one recorded .sse file, or a folder with some")

    return recordings
