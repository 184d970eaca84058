"""The demo ends: nothing waits, the library is whole, the processes stop, and the log holds no secret and no error."""

import re
import signal

from office_node.rehearsal.demo.stage import Stage
from office_node.rehearsal.demo.tally import Tally


def afterwards(stage: Stage, tally: Tally) -> None:
    for arguments, expected in (
        (("outbox", "list"), "nothing waits"),
        (("library", "verify"), "every file is what the catalogue says"),
        (("timeline", "verify"), "every entry is what was written, and every checkpoint is there"),
    ):
        told = stage.run(*arguments)
        good = told.returncode == 0 and told.stdout.strip() == expected
        tally.step(f"office-node {' '.join(arguments)}", good, told.stdout.strip() or told.stderr.strip())
        told = stage.second.run(*arguments)
        good = told.returncode == 0 and told.stdout.strip() == expected
        tally.step(
            f"the second office: office-node {' '.join(arguments)}", good, told.stdout.strip() or told.stderr.strip()
        )
    for process in reversed(stage.processes):
        process.send_signal(signal.SIGTERM)
        code = process.wait(timeout=60)
        tally.step("SIGTERM", code == 0, f"process ended with {code}")
    log = stage.log_file.read_text(errors="replace")
    leaked = [secret for secret in stage.secrets if secret and secret in log]
    coded = re.findall(r'"(?:dasAccessCode|access_code)": ?"(?!\[cut)[^"]*"', log)
    tally.step(
        "no token, assertion, access code or link in the log", not leaked and not coded, f"{len(log)} bytes searched"
    )
    errors = [line for line in log.splitlines() if '"level": "error"' in line]
    tally.step("no error in the log", not errors, errors[0] if errors else f"{len(log.splitlines())} lines")
