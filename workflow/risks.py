"""The four classes of risk, in their order: from what only reads to what destroys.

The one owner of their names; `compiler/passes/risk` judges which class an operation is in. A workflow is in the gravest
class of its steps. Here never lives a rule about them.
"""

from typing import Literal, get_args

RiskName = Literal["read", "change", "disrupt", "destroy"]
RISKS: tuple[RiskName, ...] = get_args(RiskName)
