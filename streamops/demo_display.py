"""What the demo shows: a live table on a terminal, lines of JSON anywhere else."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from pydantic import BaseModel
from rich import box
from rich.console import Console, ConsoleOptions, Group, RenderResult
from rich.constrain import Constrain
from rich.live import Live
from rich.pretty import Pretty
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from streamops.demo import PARTICIPANTS, Figures, MeetingInfo, Update, User
from streamops.display.visible import place_of
from streamops.partial import state_of
from streamops.progress import Progress

_WIDTH = 96
_MARGIN = 3  # for the ^C that a terminal echoes: it must not begin a new line
_REFRESHES = 20  # per second


def print_lines(updates: Iterable[Update]) -> None:
    """Print the meeting so far as a line of JSON whenever there is more of it."""
    printed = ""

    for update in updates:
        if isinstance(update, User):
            continue

        # What has not arrived is left out: as null it would change its type later on.
        line = update.value.model_dump_json(exclude_unset=True)

        # The validated meeting reads like the last partial if only the end was missing.
        if line != printed:
            sys.stdout.write(f"{line}\n")
            sys.stdout.flush()
            printed = line


def show_live(updates: Iterable[Update], figures: Figures, *, title: str) -> None:
    """Show the meeting while it arrives, then as the validated object with some figures.

    If the updates end in an error, or by Ctrl-C, the last state stays on the screen.
    """
    console = Console()
    display = MeetingDisplay(title, figures)

    with Live(display, console=console, refresh_per_second=_REFRESHES, transient=True) as live:
        for update in updates:
            display.show(update)
            # From now on there is something that is worth keeping.
            live.transient = False

    if display.progress is not None:
        console.print(Pretty(display.progress.value, indent_size=2))
        console.print(_figures(figures, total=figures.elapsed))


class MeetingDisplay:
    """The meeting so far: what is finished stands firm, what is still arriving is faint."""

    def __init__(self, title: str, figures: Figures) -> None:
        self.progress: Progress[MeetingInfo] | None = None
        self._title = title
        self._figures = figures
        self._users: list[User] = []
        self._spinner = Spinner("dots", Text("waiting for the first token", style="dim"))

    def show(self, update: Update) -> None:
        """Take what came, to be seen at the next refresh."""
        if isinstance(update, User):
            self._users.append(update)
        else:
            self.progress = update

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        progress = self.progress
        meeting = None if progress is None else progress.value
        parts = Group(
            Text(self._title, style="bold", no_wrap=True, overflow="ellipsis"),
            self._users_table(meeting),
            _fields_table(meeting),
            self._spinner if progress is None else self._progress_line(progress),
        )
        yield Constrain(parts, min(_WIDTH, options.max_width - _MARGIN))

    def _users_table(self, meeting: MeetingInfo | None) -> Table:
        table = Table(box=box.ROUNDED, border_style="dim", expand=True)
        table.add_column("", width=1)

        for field in User.model_fields:
            table.add_column(field.capitalize(), ratio=1, overflow="fold")

        for user in self._users:
            table.add_row(_CLOSED, *_cells(user))

        arrived = meeting.users if meeting and meeting.users else []
        for user in arrived[len(self._users) :]:
            table.add_row("", *_cells(user), style="dim")

        for _ in range(table.row_count, PARTICIPANTS):
            table.add_row()

        return table

    def _progress_line(self, progress: Progress[MeetingInfo]) -> Table:
        line = Table.grid(padding=(0, 1), expand=True)
        line.add_column(width=5, justify="right")
        line.add_column(ratio=1)
        line.add_column(width=17)
        line.add_column(width=7, justify="right")
        line.add_row(
            f"{progress.percent:.0f}%",
            ProgressBar(total=100, completed=progress.percent),
            Text(place_of(progress.current), style="dim"),
            f"{self._figures.elapsed:.1f} s",
        )
        return line


_CLOSED = Text("✓", style="green")


def _cells(user: User) -> list[Text]:
    # Text, because rich would read markup in what a model wrote.
    return [Text(getattr(user, name) or "") for name in User.model_fields]


def _fields_table(meeting: MeetingInfo | None) -> Table:
    table = Table.grid(padding=(0, 1))
    table.add_column(width=2, justify="right")
    table.add_column(width=8, style="bold")
    table.add_column(overflow="fold")

    for name in MeetingInfo.model_fields:
        if name == "users":
            continue

        value = getattr(meeting, name, None)
        closed = meeting is not None and _is_closed(meeting, name)
        shown = "" if value is None else f"${value:,}" if isinstance(value, int) else value
        table.add_row(
            _CLOSED if closed else "", name.capitalize(), Text(shown, style="" if closed else "dim")
        )

    return table


def _is_closed(meeting: BaseModel, name: str) -> bool:
    return state_of(meeting).is_complete((name,))


def _figures(figures: Figures, *, total: float) -> Table:
    columns = {
        "chunks": str(figures.chunks),
        "snapshots": str(figures.snapshots),
        "distinct snapshots": str(figures.distinct),
        "first field": _seconds(figures.first_field),
        "first item": _seconds(figures.first_item),
        "total": _seconds(total),
    }
    table = Table(box=None, header_style="dim", pad_edge=False, padding=(0, 2, 0, 0))

    # Where there is too little room, "distinct snapshots" becomes two lines.
    for name in columns:
        table.add_column(name, justify="right", min_width=max(map(len, name.split())))

    table.add_row(*columns.values())
    return table


def _seconds(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds:.2f} s"
