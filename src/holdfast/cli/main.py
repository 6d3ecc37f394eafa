"""`holdfast`: commands are loaded when they are called, so that help and completion stay quick."""

import gc
import importlib
import io
import os
import sys

import click

from holdfast import __version__

_PIPE_CLOSED = 141  # what a shell reports for a program that SIGPIPE ended

COMMANDS = {
    "scan": "Find what is vulnerable, secret, malicious or badly set up in an image or folder.",
    "vet": "Decide by a policy whether something may be built or run.",
    "scan-registry": "Scan all images of a registry, or a list of images.",
    "inspect": "Show what an image is made of: manifest, layers, history, attachments.",
    "pull": "Fetch an image from a registry into a folder.",
    "sbom": "Write the software bill of materials of a target.",
    "db": "Update, inspect and carry the advisory database.",
    "findings": "List what was found, and accept or reopen it.",
    "trend": "Show how a target's findings changed from scan to scan.",
    "diff": "Say what is new and what is gone between two scans.",
    "rescan": "Match stored inventories against new advisories, without a pull.",
    "base": "Register the images that yours are built on.",
    "explain": "Say what a rule or an advisory means.",
    "coverage": "Show which NIST SP 800-190 countermeasures are served.",
    "demo": "Build a small vulnerable image and scan it.",
}


class _LazyGroup(click.Group):
    """A group that imports `holdfast.cli.<command>` only when that command is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"holdfast.cli.{cmd_name.replace('-', '_')}")
        command = module.command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "-V", "--version", message="holdfast %(version)s")
def holdfast() -> None:
    """Container security from the Dockerfile to the running process.

    \b
    Exit codes, the first that applies:
      4  could not run: unreadable target, missing privilege
      2  wrong usage
      3  incomplete: a damaged target, advisory data missing
      1  findings at or above --fail-on
      0  otherwise
    """


def _make_writable() -> None:
    """Names in images are anything: a stream that cannot show a character shows its escape, a closed one nothing."""
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: SIM115, PTH123
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: SIM115, PTH123
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def run() -> None:
    """The entry point: errors become one clear line and an exit code, never a traceback."""
    # A command lives for a second or two and makes little that refers to itself: collecting that often costs a tenth.
    gc.set_threshold(100_000, 50, 1000)
    _make_writable()
    try:
        sys.exit(holdfast.main(standalone_mode=False, prog_name="holdfast"))
    except click.UsageError as error:
        error.show()
        sys.exit(2)
    except click.ClickException as error:
        error.show()
        sys.exit(4)
    except (click.Abort, KeyboardInterrupt):
        click.echo("holdfast: interrupted", err=True)
        sys.exit(130)
    except SystemExit:
        # click turns a closed pipe into exit 1, which here means findings.
        if type(sys.stdout).__name__ == "_PacifyFlushWrapper":
            sys.exit(_PIPE_CLOSED)
        raise
    except BrokenPipeError:
        # Whoever read our output has had enough of it; nothing more can be said there.
        sys.stderr.close()
        sys.exit(_PIPE_CLOSED)
    except Exception as error:
        from holdfast.cli.failure import say

        sys.exit(say(error))
