"""office-node outbox ..."""

import click

from office_node.cli.context import echo_json, load_settings, plain, ready_database
from office_node.outbox.outbox import NotParked, Outbox
from office_node.storage import schema
from office_node.wiring.rows import build_outbox


@click.group()
def outbox() -> None:
    """What is still to be done and told."""


@outbox.command("list")
@click.option("--parked", is_flag=True, help="Only what waits for a human.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_context
def list_messages(ctx: click.Context, parked: bool, as_json: bool) -> None:
    """Every message that is not settled, oldest first."""
    messages = _outbox(ctx).messages(parked_only=parked)
    if as_json:
        echo_json([plain(message) for message in messages])
        return
    for message in messages:
        due = message.due_at.isoformat(timespec="seconds")
        cause = f", {message.last_cause}" if message.last_cause else ""
        click.echo(
            f"{message.message_id} {message.state.value} {message.kind} for {message.acknowledgement_id},"
            f" {message.attempts} tries, due {due}{cause}"
        )
    if not messages:
        click.echo("nothing parked" if parked else "nothing waits")


@outbox.command()
@click.argument("message_ids", nargs=-1)
@click.option("--all-parked", is_flag=True, help="Everything that is parked.")
@click.option("--dry-run", is_flag=True, help="Tell what would be retried, change nothing.")
@click.pass_context
def retry(ctx: click.Context, message_ids: tuple[str, ...], all_parked: bool, dry_run: bool) -> None:
    """Make parked messages due at once."""
    if bool(message_ids) == all_parked:
        raise click.UsageError("name message ids, or --all-parked")
    waiting = _outbox(ctx)
    parked = [message.message_id for message in waiting.messages(parked_only=True)]
    chosen = parked if all_parked else [*message_ids]
    if strangers := set(chosen).difference(parked):
        raise NotParked(f"message {', '.join(sorted(strangers))} is not parked")
    if not dry_run:
        waiting.retry(chosen)
    for message_id in chosen:
        click.echo(f"{'would retry' if dry_run else 'due again'}: {message_id}")
    if not chosen:
        click.echo("nothing parked")


def _outbox(ctx: click.Context) -> Outbox:
    database = ready_database(ctx)
    schema.check(database)
    return build_outbox(load_settings(ctx), database)
