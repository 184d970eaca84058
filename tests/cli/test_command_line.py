"""What scripts rely on: the names of the verbs, the exit codes, and one line on standard error for a failure."""

import importlib
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from office_node import __version__
from office_node.cli import main
from tests import command_line
from tests.databases import on_sqlite
from tests.office import ROOT, SHIPPED_SETTINGS, Office, pdf

ONE_LINE = re.compile(r"N\d{3} [^\n]+; hint: [^\n]+\n")


def every_verb() -> dict[str, click.Command]:
    """`noun verb` (or a noun that is its own verb) to its command."""
    context = click.Context(main)
    nouns = {noun: main.get_command(context, noun) for noun in main.list_commands(context)}
    verbs: dict[str, click.Command] = {}
    for noun, command in nouns.items():
        assert command
        inner = command.commands if isinstance(command, click.Group) else {"": command}
        verbs |= {f"{noun} {verb}".strip(): found for verb, found in inner.items()}
    return verbs


def test_help_lists_every_noun_with_what_it_is_for() -> None:
    shown = command_line.run(SHIPPED_SETTINGS, "--help")
    assert (shown.exit_code, shown.stderr) == (0, "")
    listed = dict(re.findall(r"^  ([a-z]+) {2,}(\w.+)$", shown.stdout.partition("Commands:")[2], re.MULTILINE))
    commands: set[str | None] = set()
    for file in (ROOT / "office_node" / "cli").glob("[a-z]*.py"):
        module = importlib.import_module(f"office_node.cli.{file.stem}")
        made_here = [found for found in vars(module).values() if isinstance(found, click.Command)]
        inner = {id(verb) for group in made_here if isinstance(group, click.Group) for verb in group.commands.values()}
        commands |= {command.name for command in made_here if id(command) not in inner}
    assert set(listed) == commands
    assert set(listed) == {verb.split()[0] for verb in every_verb()}
    assert command_line.run(SHIPPED_SETTINGS, "-h").stdout == shown.stdout


@pytest.mark.parametrize("verb", every_verb())
def test_every_verb_says_what_it_does(verb: str) -> None:
    shown = command_line.run(Path("no such file"), *verb.split(), "--help")
    assert (shown.exit_code, shown.stderr) == (0, "")
    assert shown.stdout.startswith(f"Usage: main {verb} " if verb.split()[1:] else f"Usage: main {verb}")
    help_text = every_verb()[verb].help
    assert help_text
    assert help_text.split("\n")[0] in " ".join(shown.stdout.split())


def test_the_version_is_told() -> None:
    shown = command_line.run(SHIPPED_SETTINGS, "--version")
    assert (shown.exit_code, shown.stdout) == (0, f"main, version {__version__}\n")


@pytest.mark.parametrize(
    "command",
    [[sys.executable, "-m", "office_node"], [str(Path(sys.executable).with_name("office-node"))]],
    ids=["module", "script"],
)
def test_both_ways_to_start_it_work_from_anywhere(tmp_path: Path, command: list[str]) -> None:
    shown = subprocess.run(
        [*command, "--version"], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
    )
    assert (shown.returncode, shown.stdout, shown.stderr) == (0, f"office-node, version {__version__}\n", "")


@pytest.mark.parametrize(
    "arguments",
    [
        ["unknown"],
        ["library"],
        ["library", "unknown"],
        ["library", "find", "--unknown"],
        ["library", "find", "surplus"],
        ["library", "find", "--kind", "novel"],
        ["library", "add"],
        ["library", "add", "no such file"],
        ["library", "add", str(SHIPPED_SETTINGS), "--kind", "patent"],
        [
            "library",
            "add",
            str(SHIPPED_SETTINGS),
            "--kind",
            "patent",
            "--number",
            "1",
            "--date",
            "1",
            "--access-code",
            "1",
        ],
        ["outbox", "retry"],
        ["db", "upgrade", "head"],
    ],
    ids=" ".join,
)
def test_wrong_usage_ends_with_2_and_changes_nothing(tmp_path: Path, arguments: list[str]) -> None:
    file = tmp_path / "office.toml"
    file.write_bytes(SHIPPED_SETTINGS.read_bytes())
    ran = command_line.run(file, *arguments)
    assert (ran.exit_code, ran.stdout) == (2, "")
    assert "Usage: main" in ran.stderr
    assert "Traceback" not in ran.stderr
    assert [*tmp_path.iterdir()] == [file]


@on_sqlite
def test_a_failure_ends_with_1_and_one_line_that_says_what_to_do(office: Office) -> None:
    document = office.folder / "document.pdf"
    document.write_bytes(pdf(100))
    text = office.folder / "text.pdf"
    text.write_text("text")
    names = ["--kind", "patent", "--date", "2023-11-02", "--access-code", "AB21"]
    failures = {
        "N301": ["library", "add", str(document), *names[:-1], "AB2", "--number", "US 98/012,357"],
        "N303": ["library", "add", str(text), *names, "--number", "US 98/012,357"],
        "N309": ["library", "find"],
        "N310": ["library", "add", str(document), *names, "--number", "US 1"],
    }
    for number, arguments in failures.items():
        ran = command_line.run(office.settings_file, *arguments)
        assert (ran.exit_code, ran.stdout) == (1, "")
        assert ONE_LINE.fullmatch(ran.stderr), ran.stderr
        assert ran.stderr.startswith(number)


@on_sqlite
def test_a_failure_of_a_real_process_shows_no_trace(office: Office) -> None:
    (office.folder / "keys" / "access_codes.key").unlink()
    ran = office.run("library", "find")
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ONE_LINE.fullmatch(ran.stderr), ran.stderr
    assert ran.stderr.startswith(f"N101 {office.folder}/keys/access_codes.key: No such file or directory; hint: ")


@on_sqlite
def test_the_settings_may_be_named_by_the_environment(office: Office) -> None:
    command = [sys.executable, "-m", "office_node", "config", "show", "--json"]
    environment = {"OFFICE_NODE_CONFIG": str(office.settings_file), "PATH": ""}
    ran = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert ran.returncode == 0, ran.stderr
    assert str(office.settings().library.store) in ran.stdout


def test_settings_that_are_not_there_are_told_by_name(tmp_path: Path) -> None:
    ran = command_line.run(tmp_path / "none.toml", "config", "show")
    assert (ran.exit_code, ran.stdout) == (1, "")
    assert ran.stderr.startswith(f"N001 none.toml file: {tmp_path}/none.toml: No such file or directory; hint: ")
    assert ONE_LINE.fullmatch(ran.stderr)
