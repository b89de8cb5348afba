"""The command `switchgear runs replay`: whether a run that has ended would go the same way now.

It stands in the group of `runs` (`switchgear.main`), in a file of its own because it interprets documents, which
takes many imports. Here never lives a rule or a statement.
"""

import click

from governance.commands import shown
from governance.commands.options import common, with_database
from governance.commands.runs import RUN
from governance.runs.recordings import Recordings


@click.command("replay")
@RUN
@common
def replay_command(run_id: str, db: str | None, as_json: bool) -> int:
    """Replay an ended run offline from its journal; ends with 1 when it would go otherwise now."""
    replay = with_database(db, lambda d: Recordings(d).replay(run_id))
    if as_json:
        shown.as_json(replay.to_json())
    else:
        found = len(replay.differences)
        click.echo(f"{replay.turns} turns replayed, {found or 'no'} difference{'' if found == 1 else 's'}")
        for each in replay.differences:
            shown.fields({"turn": each.number, "step": each.step_id, "recorded": each.recorded, "now": each.now})
    return 1 if replay.differences else 0
