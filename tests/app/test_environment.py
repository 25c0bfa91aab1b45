"""What the environment asks for: each variable that Textual reads, right and wrong."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
import textual
from textual.theme import BUILTIN_THEMES

from chat_console.app import environment
from chat_console.app.environment import EnvironmentProblem

RIGHT = [
    *(
        ("TEXTUAL_" + name, value)
        for name in ("DEBUG", "SHOW_RETURN", "SPEEDUPS")
        for value in ("", "0", "1")
    ),
    *(("TEXTUAL_FPS", value) for value in ("1", "60")),
    *(("TEXTUAL_ANIMATIONS", value) for value in ("none", "basic", "full", "NONE")),
    *(("TEXTUAL_COLOR_SYSTEM", value) for value in ("auto", "standard", "256", "truecolor")),
    *(("TEXTUAL_THEME", name) for name in BUILTIN_THEMES),
    *(("TEXTUAL_FILTERS", value) for value in ("", "dim", " Dim ")),
    *(("TEXTUAL_DIM_FACTOR", value) for value in ("0", "100")),
    *(("TEXTUAL_SCREENSHOT", value) for value in ("-1", "0", "5")),
    ("TEXTUAL_SCREENSHOT_LOCATION", "/tmp"),
    *(("TEXTUAL_PRESS", value) for value in ("", "a,enter", "a,wait:100,b")),
    *(
        ("TEXTUAL_DRIVER", f"textual.drivers.{value}")
        for value in ("web_driver:WebDriver", "linux_driver:LinuxDriver", "headless_driver:HeadlessDriver")
    ),
    ("TEXTUAL_LOG", "/dev/null"),
    ("TEXTUAL_DEVTOOLS_HOST", "anything"),
    ("TEXTUAL_NOSUCH", "anything"),
]

WRONG = [
    *(
        ("TEXTUAL_" + name, "yes")
        for name in ("DEBUG", "DISABLE_KITTY_KEY", "SHOW_RETURN", "SMOOTH_SCROLL", "SPEEDUPS")
    ),
    *(("TEXTUAL_FPS", value) for value in ("", "abc", "0", "-1", "1.5")),
    *(("TEXTUAL_ANIMATIONS", value) for value in ("", "x")),
    *(("TEXTUAL_COLOR_SYSTEM", value) for value in ("", "nosuch", "TRUECOLOR")),
    *(("TEXTUAL_THEME", value) for value in ("", "nosuch", "nord,dracula")),
    ("TEXTUAL_FILTERS", "nosuch"),
    *(("TEXTUAL_DIM_FACTOR", value) for value in ("x", "-1", "101")),
    *(("TEXTUAL_SLOW_THRESHOLD", value) for value in ("x", "99")),
    *(("TEXTUAL_DEVTOOLS_PORT", value) for value in ("x", "65536")),
    *(("TEXTUAL_SCREENSHOT", value) for value in ("x", "-2")),
    *(("TEXTUAL_SCREENSHOT_LOCATION", value) for value in ("", "/nosuch", "/dev/null")),
    *(("TEXTUAL_PRESS", value) for value in ("wait:", "a,wait:x", "wait:1:2")),
    *(
        ("TEXTUAL_DRIVER", value)
        for value in (
            "",
            "nosuch",
            "nosuch:Driver",
            "textual.drivers.web_driver:NoSuch",
            "textual.drivers.web_driver",
            "textual.driver:Driver",
            "textual.app:App",
            "os:path",
            "a..b:C",
        )
    ),
    *(("TEXTUAL_LOG", value) for value in ("/nosuch/log", "/", "a\0b")),
]


@pytest.mark.parametrize(("name", "value"), RIGHT)
def test_what_textual_can_use_is_left_alone(name: str, value: str) -> None:
    environment.check({name: value})


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_what_it_cannot_use_is_refused_with_what_to_set(name: str, value: str) -> None:
    with pytest.raises(EnvironmentProblem) as problem:
        environment.check({name: value})
    assert str(problem.value).startswith(f"{name}={value} is invalid: set it to ")
    assert str(problem.value).endswith(", or unset it")


def test_every_variable_that_textual_reads_is_known() -> None:
    read = {
        name
        for path in Path(os.path.dirname(textual.__file__)).glob("**/*.py")
        for name in re.findall(r"""["'](TEXTUAL_[A-Z_]+)["']""", path.read_text("utf-8"))
    }
    any_value_is_right = {"TEXTUAL_DEVTOOLS_HOST", "TEXTUAL_SCREENSHOT_FILENAME", "TEXTUAL_ALLOW_SIGNALS"}
    assert read - any_value_is_right == environment.VARIABLES.keys()


def test_nothing_is_wrong_where_nothing_is_set() -> None:
    environment.check({})
