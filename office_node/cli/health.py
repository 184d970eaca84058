"""office-node health"""

import sys

import click

from office_node.cli.context import echo_json, load_settings, plain, ready_database


@click.command()
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_context
def health(ctx: click.Context, as_json: bool) -> None:
    """Whether the node can do its work now: database, disk, keys, worker, clock. Exit code 0 only if all are well."""
    from office_node.readiness import Readiness
    from office_node.wiring.calls_out import build_peers
    from office_node.wiring.rows import build_headroom

    settings, database = load_settings(ctx), ready_database(ctx)
    readiness = Readiness(settings, database, build_headroom(settings, database), build_peers(settings, database))
    checks = list(readiness.checks())
    if as_json:
        echo_json([plain(check) for check in checks])
    else:
        for check in checks:
            told = "well" if check.is_well else f"{check.code} {check.reason}; hint: {check.hint}"
            click.echo(f"{check.what}: {told}")
    sys.exit(0 if all(check.is_well for check in checks) else 1)
