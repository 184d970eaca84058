"""What processes take of memory, watched while they work."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import psutil


@dataclass
class Watch:
    """The most that each kind of process had, in bytes; processes are told apart by the verb they were started with."""

    most: dict[str, int] = field(default_factory=dict)

    def look(self, root: psutil.Process) -> None:
        """Note what the descendants of `root` have at this moment."""
        for process in root.children(recursive=True):
            with suppress(psutil.Error):
                role = _role(process.cmdline())
                self.most[role] = max(self.most.get(role, 0), process.memory_info().rss)

    def growth_since(self, before: "Watch") -> dict[str, int]:
        """How much more each kind had than then."""
        return {role: most - before.most[role] for role, most in self.most.items() if role in before.most}


@contextmanager
def watched(seconds: float = 0.05) -> Iterator[Watch]:
    """Watch every process that this one has started, for the length of the block."""
    watch, over, me = Watch(), threading.Event(), psutil.Process()

    def go_on() -> None:
        while not over.wait(seconds):
            watch.look(me)

    thread = threading.Thread(target=go_on)
    thread.start()
    try:
        yield watch
    finally:
        over.set()
        thread.join()


def _role(command: list[str]) -> str:
    if "--config" in command:
        return " ".join(command[command.index("--config") + 2 :][:2])
    return "inspection" if any("forkserver" in word for word in command) else "other"
