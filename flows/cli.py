"""``warranty``: every command of the plugin.

Rules:

1. A command that needs no orchestrated run imports no Prefect (only ``demo`` and ``enforce`` do, and ``doctor`` where it
   asks a Prefect server); a test holds that. Bodies are imported inside the commands.
2. A command ends with a code of ``flows.exit_codes`` and, when it says no, one clear block on stderr.
3. With ``--json`` stdout holds exactly one JSON document.
"""

from __future__ import annotations

import gc
import io
import json
import logging
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from flows import exit_codes
from flows.exit_codes import Exit
from flows.refusal import Refusal

_EPILOG = "\b\nExit codes:\n" + exit_codes.table()


class _Group(click.Group):
    """Commands in the order they are written, which is the order a newcomer meets them in."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(self.commands)


@click.group(
    cls=_Group, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120}
)
@click.version_option(package_name="warranty-flows", prog_name="warranty")
def cli() -> None:
    """Prove that warranty support was given in time: verdicts from issue history, written back to Jira and GitLab.

    Dry is the default: only `apply`, `enforce` (without --dry) and `demo` (on its own sandbox) write anything.
    """


Command = Callable[..., Exit]


def _site(command: Command) -> Command:
    return click.option(
        "--site",
        required=True,
        envvar="WARRANTY_SITE",
        show_envvar=True,
        metavar="SITE",
        help="A site file, or the name of a shipped one (sandbox).",
    )(command)


def _now(command: Command) -> Command:
    return click.option(
        "--now", metavar="INSTANT", help="Judge as of this instant (ISO with offset) instead of the present one."
    )(command)


def _json(command: Command) -> Command:
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of tables.")(command)


@cli.command()
@_site
@_now
@_json
def plan(site: str, now: str | None, as_json: bool) -> Exit:
    """Read the trackers, judge, and print what `apply` would write. Writes nothing."""
    from flows import direct, instant

    return direct.plan(site, instant.read(now), as_json=as_json)


@cli.command()
@_site
@_now
@_json
@click.option("--expect", metavar="DIGEST", help="Refuse unless the plan, made anew, has this digest.")
def apply(site: str, now: str | None, as_json: bool, expect: str | None) -> Exit:
    """Plan again on live data and write the changes, each with a receipt."""
    from flows import direct, instant

    return direct.apply(site, instant.read(now), expect=expect, as_json=as_json)


@cli.command()
@click.argument("key")
@_site
@_now
@_json
@click.option(
    "--replay",
    "kind",
    type=click.Choice(("as-judged", "as-then", "as-if")),
    help="Tell it as the ledger has it, by the versions in force then, or as a candidate would judge it.",
)
@click.option("--pack", metavar="PACK", help="With --replay as-if: the candidate, by name or path.")
@click.option("--at", metavar="INSTANT", help="With --replay: the instant (ISO with offset) to tell it at.")
def explain(
    key: str, site: str, now: str | None, kind: str | None, pack: str | None, at: str | None, as_json: bool
) -> Exit:
    """Show the timeline of one issue: events, working time, pauses, due instant, and why."""
    from flows import explain as body
    from flows import instant

    if kind is not None:
        from flows import replay
        from policies.replay import ReplayKind

        then = instant.read(at, "--at") if at else None
        return replay.replay(key, site, ReplayKind(kind), pack, then, instant.read(now), as_json=as_json)
    if pack or at:
        raise click.UsageError("--pack and --at go with --replay")
    return body.explain(key, site, instant.read(now), as_json=as_json)


@cli.command()
@_site
@_now
@_json
def radar(site: str, now: str | None, as_json: bool) -> Exit:
    """Show the contracts that end within 90, 60 and 30 days, with their open covered issues. Writes nothing."""
    from flows import instant
    from flows import radar as body

    return body.show(site, instant.read(now), as_json=as_json)


@cli.group(cls=_Group)
def contracts() -> None:
    """The register of contracts that a site names."""


@contracts.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--zone", default="UTC", show_default=True, metavar="ZONE", help="The zone whose days the contracts mean."
)
@_json
def import_(file: Path, zone: str, as_json: bool) -> Exit:
    """Print the register file that a table (CSV) of contracts makes; every mistake is told with line and column."""
    from flows import contracts as body

    return body.from_table(file, zone, as_json=as_json)


@cli.command()
@_site
@_now
@_json
def doctor(site: str, now: str | None, as_json: bool) -> Exit:
    """Find now what would fail later: credentials, rights, projects, words, pack, packages."""
    from flows import doctor as body
    from flows import instant

    return body.doctor(site, instant.read(now), as_json=as_json)


@cli.command()
@click.option("--port", type=click.IntRange(0, 65535), default=8790, show_default=True, help="0 takes a free one.")
@click.option("--scenario", default="warranty", show_default=True, help="The shipped scenario to start from.")
@click.option(
    "--load",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Raw Jira REST issues, one a line (plain or .gz), instead of a scenario.",
)
@click.option(
    "--write-site",
    type=click.Path(dir_okay=False, path_type=Path),
    help="With --load: where to write a site file over it (default .warranty/sandbox-load.yaml).",
)
@_json
def sandbox(port: int, scenario: str, load: Path | None, write_site: Path | None, as_json: bool) -> Exit:
    """Serve a Jira Cloud, a Jira Data Center and a GitLab of its own on loopback, until Ctrl-C."""
    from flows import playground

    return playground.serve(port, scenario, load, site_file=write_site, as_json=as_json)


@cli.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@_json
def cases(file: Path, as_json: bool) -> Exit:
    """Run neutral business-time cases (one JSON object a line) and compare with what they expect."""
    from flows import cases as body

    return body.neutral(file, as_json=as_json)


@cli.command()
@click.argument("pack")
@_json
def check(pack: str, as_json: bool) -> Exit:
    """Load a pack (by name, path, or folder of versions) and run the cases beside it."""
    from flows import cases as body

    return body.check(pack, as_json=as_json)


@cli.command()
@click.argument("pack")
@click.option("--site", metavar="SITE", help="Also hold the pack against the words, tiers and labels of a site.")
@_now
@click.option("--through", metavar="DATE", help="The last day on which issues will be opened (default: 90 days ahead).")
@_json
def lint(pack: str, site: str | None, now: str | None, through: str | None, as_json: bool) -> Exit:
    """Find what a pack (by name, path, or folder of versions) can not mean.

    Promises that contradict each other, parts without effect, words that no tracker of a site ever says.
    """
    from flows import instant
    from flows import lint as body

    return body.run(pack, site, instant.read(now), through, as_json=as_json)


@cli.command()
@click.option(
    "--of",
    type=click.Choice(("pack", "site", "contracts", "cases", "calendar")),
    default="pack",
    show_default=True,
    help="Which file.",
)
@click.option("--markdown", is_flag=True, help="Print the reference page instead.")
@_json
def schema(of: str, markdown: bool, as_json: bool) -> Exit:
    """Print the JSON Schema of a file that people write, for editors that complete and check it."""
    from flows import shapes

    return shapes.show(of, markdown=markdown, as_json=as_json)


@cli.command(
    epilog="\b\nExit codes:\n   0  every incident was judged, whatever the verdicts\n"
    "   2  a mistake in the file, the map, the pack or the calendar; nothing was judged"
)
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--map",
    "map_file",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="What the file's words mean, and its zone (see docs/incident-histories.md).",
)
@click.option("--pack", required=True, metavar="PACK", help="A shipped pack's name, or a path to one.")
@click.option(
    "--calendar",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Count on this calendar in place of the pack's of the same id (for the holidays of past years).",
)
@click.option("--now", metavar="INSTANT", help="Judge as of this instant (ISO with offset) instead of the file's last.")
@click.option(
    "--worst", type=click.IntRange(min=0), default=10, show_default=True, help="How many of the worst to list."
)
@_json
def judge(
    file: Path, map_file: Path, pack: str, calendar: Path | None, now: str | None, worst: int, as_json: bool
) -> Exit:
    """Judge exported incident histories (one JSON incident a line, plain or .gz) without any tracker."""
    from flows import instant
    from flows import judge as body

    at = instant.read(now) if now else None
    return body.run(file, map_file, pack, at, calendar, worst=worst, as_json=as_json)


@cli.group()
def calendars() -> None:
    """Working calendars that deadlines are counted on."""


@calendars.command(
    epilog="\b\nExit codes:\n   0  written\n   2  usage, an unknown country, or a first year that is not known whole yet"
)
@click.argument("country")
@click.argument("years")
@click.option("--hours", default="09:00-12:00,13:00-18:00", show_default=True, help="Of each working day.")
@click.option("--zone", help="IANA zone of the contract (default for CN: Asia/Shanghai).")
@click.option("--id", "id_", metavar="ID", help="What packs call it (default: COUNTRY-office).")
@click.option("--known-through", type=int, metavar="YEAR", help="Take the years up to this one as complete.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="The file to write (default: stdout).")
@_json
def freeze(
    country: str,
    years: str,
    hours: str,
    zone: str | None,
    id_: str | None,
    known_through: int | None,
    out: Path | None,
    as_json: bool,
) -> Exit:
    """Freeze the public holidays of COUNTRY (CN, DE-BY) in YEARS (2024-2027) into a calendar file."""
    from flows import calendars as body
    from flows import instant

    return body.freeze(
        country,
        years,
        hours=hours,
        zone=zone,
        id_=id_,
        known_through=known_through,
        today=instant.now().date(),
        out=out,
        as_json=as_json,
    )


@cli.command()
@_json
@click.option(
    "--save-svg", type=click.Path(dir_okay=False, path_type=Path), help="Also save what was shown as a picture."
)
def demo(as_json: bool, save_svg: Path | None) -> Exit:
    """Run the whole job through Prefect on an embedded sandbox, twice: the second run writes nothing."""
    from flows import demo as body

    return body.demo(as_json=as_json, save_svg=save_svg)


@cli.command()
@_site
@_now
@_json
@click.option("--dry", is_flag=True, help="Stop after the plan: write nothing.")
@click.option("--expect", metavar="DIGEST", help="Refuse unless the plan has this digest.")
def enforce(site: str, now: str | None, as_json: bool, dry: bool, expect: str | None) -> Exit:
    """Run the whole job as a Prefect flow (on PREFECT_API_URL, or on a temporary server of its own)."""
    from flows import instant, orchestrated

    return orchestrated.enforce(site, instant.read(now) if now else None, dry=dry, expect=expect, as_json=as_json)


# ------------------------------------------------------------------------------------------------------------- running


def run(arguments: list[str]) -> Exit:
    """Carry out one command line; every way it can say no ends here, as one block and a code."""
    as_json = "--json" in arguments
    # Libraries that warn (of a retry, say) would be printed between our tables where nobody has set up logging.
    logging.getLogger().addHandler(logging.NullHandler())
    try:
        ended: Any = cli.main(arguments, prog_name="warranty", standalone_mode=False)
        # Else what can not be written is found out by the interpreter, after the exit code is settled.
        sys.stdout.flush()
    except click.ClickException as refused:
        refused.show()
        return _say_no("", Exit.BAD_INPUT, refused.format_message(), as_json=as_json)
    except (click.Abort, KeyboardInterrupt):
        return _say_no("interrupted", Exit.INTERRUPTED, as_json=as_json)
    except BrokenPipeError:
        # `warranty plan | head` is no error; what is left to flush has nowhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.FINE
    except OSError as failure:
        if os.environ.get("WARRANTY_TRACEBACK"):
            raise
        text, code = _of_this_machine(failure)
        return _say_no(text, code, as_json=as_json)
    except Exception as failure:
        if os.environ.get("WARRANTY_TRACEBACK"):
            raise
        text, code = _told(failure)
        return _say_no(text, code, as_json=as_json)
    return Exit(ended) if isinstance(ended, int) else Exit.FINE


def _of_this_machine(failure: OSError) -> tuple[str, Exit]:
    """What to say where a file cannot be used, or the output cannot be written; the latter may come after the work."""
    why = failure.strerror or type(failure).__name__
    if failure.filename is not None:
        return f"{failure.filename}: {why}\n  choose a file or folder that can be read and written", Exit.BAD_INPUT
    # What is left to flush would fail again.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return f"the output cannot be written: {why}\n  what the command did is done; run it again to see", Exit.PARTLY


def _told(failure: Exception) -> tuple[str, Exit]:
    """What to say of a failure, and the code to end with."""
    from connectors.ledger import LeaseLost, LedgerBusy, LedgerError, RunInProgress
    from connectors.tracker import TrackerError
    from policies.problem import InputError

    if isinstance(failure, Refusal):
        return str(failure), failure.exit
    if isinstance(failure, InputError):
        return str(failure), Exit.BAD_INPUT
    if isinstance(failure, (RunInProgress, LeaseLost, LedgerBusy)):
        return str(failure), Exit.BUSY
    if isinstance(failure, LedgerError):
        return str(failure), Exit.BAD_INPUT
    if isinstance(failure, TrackerError):
        return str(failure), Exit.TRACKER
    told = f"a defect of this program: {type(failure).__name__}\n  WARRANTY_TRACEBACK=1 shows where"
    return told, Exit.DEFECT


def _say_no(text: str, code: Exit, detail: str = "", *, as_json: bool) -> Exit:
    if text:
        from flows.grid import neutral

        click.echo(f"error: {neutral(text)}", err=True)
    if as_json:
        click.echo(json.dumps({"error": text or detail, "exit": int(code)}, ensure_ascii=False))
    return code


def _ready_streams() -> None:
    """Streams that are there even where the caller closed them, and print any character on any terminal."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            nowhere = Path(os.devnull).open(mode, encoding="utf-8")  # noqa: SIM115 - a stream of the process, as long as it lives
            setattr(sys, name, nowhere)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _end_like_ctrl_c() -> None:
    """Where a service manager, a container or a closed terminal ends the program, it still tidies up.

    The lease is given back, and Prefect's temporary server does not stay behind.
    """

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        # One that is ignored (nohup) stays so.
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, interrupted)


def main() -> None:
    """The console script."""
    _ready_streams()
    _end_like_ctrl_c()
    # What is read lives until the run ends, and of a hundred things not two are garbage that only looking for it would
    # find: to look as often as is usual takes a tenth of the time.
    gc.set_threshold(1_000_000, 20, 100)
    code = run(sys.argv[1:])
    # What is left goes back to the system as it is: the interpreter would look through all of it once more.
    gc.freeze()
    sys.exit(code)


if __name__ == "__main__":
    main()
