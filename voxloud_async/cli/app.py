"""The root of the console, and how a run of it ends."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from io import TextIOWrapper
from typing import TextIO

from cyclopts import App, CycloptsError, Parameter, UnknownOptionError, UnusedCliTokensError

from .._version import __version__
from ..errors import ArgumentTypeError, VoxloudError
from .ending import stopped_by_signals
from .failure import DONE, INTERRUPTED, NOT_ALL, PIPE_CLOSED, SIGNALLED, USAGE, as_typed, judge
from .speech import complain, warnings_in_one_line
from .streams import replace_closed_streams
from .terminal import PipedConsole

_EPILOGUE = """\
The API key is read from VOXLOUD_API_KEY; with --sandbox a command needs none.

Exit codes: 0 done, 1 not all of it done, 2 wrong usage, 3 key refused, 4 not found, 5 request refused, \
6 service not available, 7 outcome unknown, 8 answer not understood, 129 ended by SIGHUP, 130 interrupted, \
141 the reader of the output has left, 143 ended by SIGTERM.
"""

app = App(
    name="voxloud",
    help="Voxloud from the command line: contacts, call records, click-to-call and webhooks.",
    help_epilogue=_EPILOGUE,
    help_format="plaintext",
    version=__version__,
    console=PipedConsole(),
    default_parameter=Parameter(negative=()),
    suppress_keyboard_interrupt=False,
)

# Named and not imported: `voxloud --help` shall load neither the client nor the sandbox.
_GROUPS = {
    "demo": ("demo:demo", "Show the main job, against a sandbox in bad weather."),
    "sandbox": ("sandbox:sandbox", "Run a Voxloud of your own until Ctrl-C."),
    "auth": ("auth:app", "Check the API key."),
    "contacts": ("contacts:app", "Search, read, write and import contacts."),
    "events": ("events:app", "List and export call records, and those that are new; download recordings."),
    "users": ("users:app", "List the users of the PBX."),
    "click-to-call": ("click_to_call:app", "Manage click-to-calls and ring through them."),
    "webhooks": ("webhooks:app", "Show live calls, manage subscriptions, and what a receiver gave up."),
}
_IMPORT = ["contacts", "import"]
for _place, (_name, (_target, _help)) in enumerate(_GROUPS.items()):
    app.command(f"voxloud_async.cli.{_target}", name=_name, help=_help, sort_key=_place)
app.register_install_completion_command(help="Install completion for bash, zsh, fish or PowerShell.")


def run(tokens: Sequence[str] | None = None) -> int:
    """Run a command line, by default that of the process, and return its exit code."""
    typed = sys.argv[1:] if tokens is None else tokens
    replace_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        _speak_plainly(stream)
    with stopped_by_signals() as received:
        code = _ended(typed)
    return SIGNALLED + received[0] if code and received else code


def _ended(tokens: Sequence[str]) -> int:
    """The exit code of a command line, whose error is reported."""
    try:
        code = _called(tokens)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        for stream in (sys.stdout, sys.stderr):
            _give_up(stream)
        return PIPE_CLOSED
    except (CycloptsError, VoxloudError, ValueError, ArgumentTypeError, OSError) as error:
        code, line = _told(error, tokens)
        complain(line)
    return code or DONE


def _called(tokens: Sequence[str]) -> int | None:
    """The exit code of a command, whose output has been flushed."""
    with warnings_in_one_line():
        code: int | None = app(
            _with_stdin(tokens), result_action="return_value", print_error=False, exit_on_error=False
        )
    sys.stdout.flush()
    return code


def _with_stdin(tokens: Sequence[str]) -> Sequence[str]:
    """Let "-" be the file of an import: Cyclopts takes it for an option, but not "./-", which is the same path."""
    return ["./-" if each == "-" else each for each in tokens] if [*tokens[:2]] == _IMPORT else tokens


def _told(error: Exception, typed: Sequence[str]) -> tuple[int, str]:
    """The exit code and the line for an error that is no bug."""
    match error:
        case VoxloudError():
            return judge(error)
        case UnknownOptionError():
            return USAGE, f"unknown option {_suggested(error)}{_see_help(error)}"
        case UnusedCliTokensError():
            return USAGE, f"too many arguments{_see_help(error)}"
        case CycloptsError():
            return USAGE, f"{error}{_see_help(error)}"
        case OSError():
            reason = error.strerror or str(error)
            return NOT_ALL, f"{reason}: {error.filename}" if error.filename else reason
        case _:
            return USAGE, as_typed(error, typed)


def _suggested(error: UnknownOptionError) -> str:
    """The option and the one that is spelt nearly so, without what follows it, which might be a key."""
    typed = error.token.keyword or error.token.value
    option = typed.partition("=")[0] if typed.startswith("--") else typed[:2]
    known = [name for each in error.argument_collection if each.parse for name in each.names]
    near = get_close_matches(option, known, 1)
    return f"{option}: did you mean {near[0]}?" if near else option


def _see_help(error: CycloptsError) -> str:
    """Where to read on: the help of the command, as far as it was one."""
    return f" (see {' '.join(('voxloud', *(error.command_chain or ())))} --help)"


def _speak_plainly(stream: object) -> None:
    """Let no character be too strange to print, and files hold UTF-8 on every system."""
    if isinstance(stream, TextIOWrapper):
        stream.reconfigure(encoding=stream.encoding if stream.isatty() else "utf-8", errors="backslashreplace")


def _give_up(stream: TextIO) -> None:
    try:
        stream.flush()
    except BrokenPipeError:
        # What is still buffered has nowhere to go; the interpreter would complain of that at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
