"""What a caller may reach at most: APIs, classes of risk, workflows, targets. A role says what may be done; this, to
what.

A scope is data on a token. What it does not name it does not limit; what it names must fit, all of it. What does not
fit is answered like what does not exist, by all who ask here: the catalog's views, the routes, the stores' queries.
Here never lives a role, a database or a protocol.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace

from governance.errors import InvalidError
from governance.registry.targets import Target
from governance.storage.identifiers import Json
from workflow.risks import RISKS


@dataclass(frozen=True, slots=True)
class AccessScope:
    """Each member: what it is limited to; empty: not limited.

    A workflow that ends with `*` stands for all that begin so; `labels` are pairs, and a target needs all of them.
    """

    apis: tuple[str, ...] = ()
    risks: tuple[str, ...] = ()
    workflows: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    labels: tuple[tuple[str, str], ...] = ()

    @property
    def is_whole(self) -> bool:
        return self == WHOLE

    @property
    def limits_targets(self) -> bool:
        return bool(self.targets or self.labels)

    def admits(self, api: str, risk: str, workflow_id: str) -> bool:
        """Whether workflows such as this are in it."""
        if (self.apis and api not in self.apis) or (self.risks and risk not in self.risks):
            return False
        return not self.workflows or any(_fits(workflow_id, name) for name in self.workflows)

    def admits_api(self, api: str) -> bool:
        """Whether anything of this API is in it."""
        return not self.apis or api in self.apis

    def admits_target(self, target: Target) -> bool:
        is_named = not self.targets or target.name in self.targets
        return is_named and target.has_labels(self.labels) and (not self.apis or target.api in self.apis)

    def on(self, targets: Iterable[Target]) -> "AccessScope":
        """The same with labels resolved: limited to those of `targets` that fit, and to their APIs."""
        if not self.limits_targets:
            return self
        fitting = [target for target in targets if self.admits_target(target)]
        names = tuple(sorted(target.name for target in fitting)) or ("",)  # nobody's name: nothing fits
        apis = tuple(sorted({target.api for target in fitting})) or ("",)
        return replace(self, apis=apis, targets=names, labels=())

    def to_json(self) -> dict[str, Json]:
        told = {each.name: getattr(self, each.name) for each in fields(self)}
        return {name: dict(value) if name == "labels" else list(value) for name, value in told.items() if value}

    @classmethod
    def from_json(cls, data: Json) -> "AccessScope":
        """Raises InvalidError for what is no scope: what is not understood must not be read as unlimited."""
        known = {each.name for each in fields(cls)}
        if not isinstance(data, dict) or not data.keys() <= known:
            raise InvalidError("this is no scope", f"name any of {', '.join(sorted(known))}")
        values = {name: _texts(name, value) for name, value in data.items() if name != "labels"}
        labels = data.get("labels", {})
        if not isinstance(labels, dict) or not all(isinstance(value, str) for value in labels.values()):
            raise InvalidError("the labels of a scope are pairs of texts", "give NAME=VALUE")
        if not set(values.get("risks", ())) <= set(RISKS):
            raise InvalidError("a scope names a class of risk that there is not", f"take {', '.join(RISKS)}")
        return cls(**values, labels=tuple(sorted(labels.items())))


def _fits(workflow_id: str, name: str) -> bool:
    return workflow_id.startswith(name[:-1]) if name.endswith("*") else workflow_id == name


def _texts(name: str, value: Json) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not all(isinstance(each, str) and each for each in value):
        raise InvalidError(f"{name} of a scope is a list of names", "see `switchgear tokens create --help`")
    return tuple(sorted(set(value)))


WHOLE = AccessScope()
