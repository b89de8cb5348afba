"""How a caller wants a workflow carried out: planned only, by a plan that was seen, or at once.

A value, and its reading from the arguments of a tool. Here never lives what follows from it (`planning`).
"""

from dataclasses import dataclass
from typing import Any

from runtime.errors import BadInput

Json = Any


@dataclass(frozen=True, slots=True)
class CallOptions:
    """`is_plan`: only look, and say what would be done. `plan_id`: the plan that the caller has seen and says yes to.

    `is_confirmed`: whoever calls has asked somebody already, and goes without a plan.
    """

    is_plan: bool = False
    plan_id: str = ""
    is_confirmed: bool = False


PLAIN = CallOptions()


def manner_of(arguments: dict[str, Json], plan: str, plan_id: str) -> CallOptions:
    """What the arguments called `plan` and `plan_id` say, which are taken out of `arguments`. Raises BadInput."""
    wants, chosen = arguments.pop(plan, False), arguments.pop(plan_id, "")
    if not isinstance(wants, bool):
        raise BadInput(f"{plan} is true or false", f"/{plan}", "give true to see what would be done")
    if not isinstance(chosen, str) or len(chosen) > 64:
        raise BadInput(f"{plan_id} is the id of a plan", f"/{plan_id}", "give the id that the plan has, as text")
    if wants and chosen:
        raise BadInput(f"{plan} and {plan_id} are two wishes", f"/{plan}", f"give {plan} to look, {plan_id} to apply")
    return CallOptions(wants, chosen)
