"""The four classes of risk, in their order: from what only reads to what destroys.

The one owner of their names and of which is graver; `compiler/passes/risk` judges which class an operation is in. A
workflow is in the gravest class of its steps. Here never lives a rule about them.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Literal, get_args

RiskName = Literal["read", "change", "disrupt", "destroy"]  # for signatures and models: an enum cannot be made of it
RISKS: tuple[RiskName, ...] = get_args(RiskName)


class Risk(StrEnum):
    """The same names as values, in rising order; `GRAVITY` gives the order as numbers."""

    READ = "read"
    CHANGE = "change"
    DISRUPT = "disrupt"
    DESTROY = "destroy"


GRAVITY: Mapping[Risk, int] = {risk: number for number, risk in enumerate(Risk)}


def worst(risks: Iterable[Risk]) -> Risk:
    """The gravest of the classes; READ where there are none."""
    return max(risks, key=GRAVITY.__getitem__, default=Risk.READ)
