"""What the pictures of the README promise."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from xml.etree.ElementTree import fromstring

import pytest

from pictures.film import animated_svg
from pictures.terminal import Frame, Run, record

PICTURES = Path(__file__).parents[1] / "pictures"
SVG = "{http://www.w3.org/2000/svg}"


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def shown(frame: Frame) -> list[str]:
    return ["".join(run.text for run in line) for line in frame.lines]


def line(text: str) -> tuple[Run, ...]:
    return (Run(column=0, text=text, color="default", bold=False, italic=False),)


def test_the_last_frame_is_what_the_command_left_on_the_screen() -> None:
    frames = record(python(r"print('one\ntwo\x1b[1A\rthr')"), columns=20, rows=4)

    assert shown(frames[0]) == ["", "", "", ""]
    assert shown(frames[-1]) == ["thr", "two", "", ""]


def test_colors_and_weights_are_told_apart() -> None:
    code = r"print('\x1b[2mfaint\x1b[0m \x1b[1;32mgood\x1b[0m \x1b[38;2;1;2;255mblue\x1b[0m')"

    (*_, last) = record(python(code), columns=40, rows=2)

    assert last.lines[0] == (
        Run(0, "faint", "faint", bold=False, italic=False),
        Run(6, "good", "green", bold=True, italic=False),
        Run(11, "blue", "0102ff", bold=False, italic=False),
    )


def test_a_command_has_a_terminal_of_the_size_that_was_asked_for() -> None:
    code = "import os, sys; print(sys.stdout.isatty(), *os.get_terminal_size())"

    assert shown(record(python(code), columns=33, rows=3)[-1])[0] == "True 33 3"


def test_what_is_recorded_is_given_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    code = "import os; print('OPENAI_API_KEY' in os.environ)"

    assert shown(record(python(code), columns=20, rows=2)[-1])[0] == "False"


def test_a_command_that_fails_is_an_error_with_what_it_showed() -> None:
    with pytest.raises(subprocess.CalledProcessError) as raised:
        record(python("print('before'); raise SystemExit(3)"), columns=20, rows=2)

    assert raised.value.returncode == 3
    assert "before" in raised.value.output


def test_a_film_shows_every_frame_and_draws_each_line_once() -> None:
    frames = [Frame(0.0, (line("a"), ())), Frame(0.5, (line("a"), line("b")))]

    svg = fromstring(animated_svg(frames, title="t", columns=10, rows=2))

    drawn = [text.text for text in svg.iter(f"{SVG}text")]
    assert drawn == ["a", "b", "t"]
    assert len(list(svg.iter(f"{SVG}use"))) == 3
    style = next(svg.iter(f"{SVG}style")).text
    assert style is not None
    assert style.count("translateY(-0px)") == 1
    assert "9.091%{transform:translateY(-34px)}" in style


def test_what_a_command_wrote_is_text_in_a_film() -> None:
    written = "<script>alert(1)</script>&\"'"
    frames = [Frame(0.0, (line(written),))]

    film = animated_svg(frames, title="<b>", columns=40, rows=1)

    svg = fromstring(film)
    assert "<script" not in film
    assert "<b>" not in film
    assert [text.text for text in svg.iter(f"{SVG}text")] == [written, "<b>"]


@pytest.mark.parametrize("path", sorted(PICTURES.glob("*.svg")), ids=lambda path: path.name)
def test_pictures_of_the_readme_stand_alone(path: Path) -> None:
    text = path.read_text(encoding="utf-8")

    svg = fromstring(text)

    assert svg.tag == f"{SVG}svg"
    assert "http" not in text.replace("http://www.w3.org/", "")
    assert not [
        *svg.iter(f"{SVG}script"),
        *svg.iter(f"{SVG}image"),
        *svg.iter(f"{SVG}foreignObject"),
    ]
