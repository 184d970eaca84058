"""`library add` takes in what is sound, and leaves nothing of what is not."""

from tests import command_line
from tests.databases import on_sqlite
from tests.library.documents import arguments, incoming, kept_files
from tests.library.inspection.packages import CORE, PDF, ST26, archive, member
from tests.office import Office

BAD = archive(member("core.pdf", PDF[:-100]), member("index.xml", b"<a>"), member("../up", b"text"))


@on_sqlite
def test_an_unsound_package_is_refused_with_every_finding_and_leaves_nothing(office: Office) -> None:
    file = office.folder / "package.zip"
    file.write_bytes(BAD)
    ran = command_line.run(office.settings_file, *arguments(file))
    assert (ran.exit_code, ran.stdout) == (1, "")
    assert [line[:4] for line in ran.stderr.splitlines()] == ["N320", "N328", "N324", "N338"]
    assert all("; hint: " in line for line in ran.stderr.splitlines())
    assert kept_files(office) == {}
    assert incoming(office) == []
    assert command_line.run(office.settings_file, "library", "find").exit_code == 1


@on_sqlite
def test_a_process_of_its_own_refuses_it_too_and_ends(office: Office) -> None:
    file = office.folder / "package.zip"
    file.write_bytes(BAD)
    ran = office.run(*arguments(file))
    assert (ran.returncode, [line[:4] for line in ran.stderr.splitlines()]) == (1, ["N320", "N328", "N324", "N338"])


@on_sqlite
def test_a_package_with_a_sequence_listing_is_taken_in(office: Office) -> None:
    file = office.folder / "package.zip"
    file.write_bytes(content := archive(CORE, member("listing.xml", ST26)))
    ran = office.run(*arguments(file))
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.startswith("added: ")
    assert [*kept_files(office).values()] == [content]
