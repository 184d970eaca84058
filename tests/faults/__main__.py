"""`make faults`: all that kills, cuts, fills and lies, and what is too long for `make test`; then a table by row."""

import sys
from collections import Counter, defaultdict

import pytest

from tests.faults.rows import LACKING, ROWS, row_of


class Table:
    """Chooses what is run, and writes down what came of each row."""

    def __init__(self) -> None:
        self._outcomes: defaultdict[int, Counter[str]] = defaultdict(Counter)
        self._figures: defaultdict[int, list[str]] = defaultdict(list)
        self._seconds: Counter[int] = Counter()

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        chosen = [item for item in items if _is_ours(item)]
        config.hook.pytest_deselected(items=[item for item in items if not _is_ours(item)])
        items[:] = chosen

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        row = row_of(report.location[2].split(".")[-1].partition("[")[0])
        if row is None or (report.when != "call" and report.outcome == "passed"):
            return
        self._outcomes[row][report.outcome] += 1
        self._seconds[row] += round(report.duration)
        self._figures[row] += [str(value) for name, value in report.user_properties if name == "figure"]

    def told(self) -> str:
        """The table."""
        lines = ["", f"{'row':>3}  {'held':<20} {'s':>5}  what was done; figures"]
        for row, what in ROWS.items():
            counted = ", ".join(f"{count} {outcome}" for outcome, count in sorted(self._outcomes[row].items()))
            figures = "; ".join(dict.fromkeys(self._figures[row]))
            told = f"{what}: {figures}" if figures else what
            lines.append(f"{row:>3}  {counted or 'not run':<20} {self._seconds[row]:>5}  {told}")
            if row in LACKING:
                lines.append(f"{'':>33}not produced: {LACKING[row]}")
        return "\n".join(lines)


def _is_ours(item: pytest.Item) -> bool:
    name = getattr(item, "originalname", item.name)
    return row_of(name) is not None or any(item.get_closest_marker(mark) for mark in ("long", "fault"))


def main(arguments: list[str]) -> int:
    """Run it, with pytest's own `arguments`; the exit code is pytest's."""
    table = Table()
    code = pytest.main(["-m", "", *(arguments or ["tests"])], plugins=[table])
    sys.stdout.write(table.told() + "\n")
    return int(code)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
