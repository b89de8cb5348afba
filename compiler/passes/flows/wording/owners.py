"""Which thing is meant, in the words of a workflow's text: one of its kind, how it is found, and whose it is.

Called by `intents`, which puts these beside what is done.
"""

from compiler.ir.model import Resource
from compiler.passes.flows.builder import Builder
from compiler.passes.flows.context import Context
from compiler.passes.flows.wording import texts
from compiler.passes.identity import is_a_name, takes_name, word_of_id
from compiler.passes.names import words
from compiler.passes.names.paths import is_below, parent, segments, shape
from compiler.passes.names.roots import is_root


def one(resource: Resource) -> str:
    """`a server`, and `the clock` where there is one."""
    return texts.an(resource.name) if resource.id_parameter else f"the {resource.name}"


def found_by(builder: Builder, resource: Resource) -> str:
    """`found by name or id`, by the id alone where nothing is looked up, "" where there is none."""
    context = builder.context
    if resource.id_parameter and takes_name(context.operations[resource.read], resource.id_parameter):
        return "found by name or id"
    if not resource.id_parameter or not resource.source:
        return ""
    own = "name" if is_a_name(resource.id_parameter) else word_of_id(resource)
    given = (value for step in builder.steps for name, _, value in step.parameters if name == resource.id_parameter)
    if not any(str(value).startswith("$steps.") for value in given):
        return f"found by {own}"
    keys = [words.spoken(key) for key in resource.natural_keys]
    keys += ["name"] if resource.inner_name else []
    keys += [own] if resource.id_field not in resource.natural_keys else []
    return f"found by {' or '.join(dict.fromkeys(keys))}"


def whose(context: Context, resource: Resource) -> str:
    """` of container` behind a single word for what is no item of its own (`stats`, `elevation`), in a title."""
    owner = context.by_address.get(resource.parent)
    is_own = bool(resource.id_parameter) or " " in resource.name or resource.name.isupper()
    place = shape(resource.collection or resource.item)
    is_below_it = owner is not None and is_below(place, shape(owner.item)) and _is_above(owner, resource)
    if is_own or owner is None or not owner.id_parameter or not is_below_it:
        return ""
    return "" if resource.name in owner.name else f" of {owner.name}"


def _is_above(owner: Resource, resource: Resource) -> bool:
    """Whether the owner's address begins as the resource's does: not `/{pki}/config` and `/{aws}/config/{name}`."""
    mine = segments(resource.collection or resource.item)
    first = next((part for part in segments(owner.item) if "{" in part), "")
    if first and is_root(parent(owner.item)):  # `/v1/{name}` is any thing, and `/v1/{parent}/tables` is of another one
        return first in mine
    return not first or first in mine[: len(segments(owner.item))] or segments(owner.item)[0] == mine[0]


def of_owner(context: Context, resource: Resource) -> str:
    """` of a server` where the owner is one of several things of its kind and not in the name anyway."""
    owner = context.by_address.get(resource.parent)
    if owner is None or not owner.id_parameter or owner.name in resource.name or not _is_above(owner, resource):
        return ""
    if shape(resource.collection or resource.item).startswith(f"{shape(owner.collection)}/") and not shape(
        resource.collection or resource.item
    ).startswith(f"{shape(owner.item)}/"):
        return ""  # `/datasets/events` are of all of them
    return f" of {texts.an(owner.name)}"
