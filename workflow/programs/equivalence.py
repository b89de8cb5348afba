"""Which calls have the same effect: the same workflow, whatever its revision, on the same target and the same thing.

A document says which inputs identify the thing (`x-switchgear.identifies`: an input → where the run finds what it
stands for, `$steps.find_vm.outputs.id`, or empty); without that, or where a new thing is given no name, all inputs
count. Values are compared without letter case and outer blanks, numbers as their text, what is empty as if it were left
out. Two spellings of one thing (its name, its id) are one effect as soon as a run has looked the thing up. Members that
hold secrets never count. Different workflows are different effects, whatever they do; but the very request of one
that may not be repeated is in the way of the same in any other (`effect_of_sending`), and one that is sent alone,
without a workflow, of all that is done so to the same thing (`effect_of_request`). Pure; called by the runtime.
"""

import hashlib
import json
import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Mapping

from workflow.documents.document import Json
from workflow.documents.path_queries import parted
from workflow.programs.program import Program
from workflow.programs.state import State
from workflow.requests.events import SendRequest

Identifies = Mapping[str, tuple[str, str]]
_OUTPUT = re.compile(r"\$steps\.([A-Za-z0-9_-]+)\.outputs\.([A-Za-z0-9_-]+)")


def read_identifies(written: Json, names: Collection[str], report: Callable[[str], object]) -> Identifies | None:
    """What a document says; None where it says nothing. `names`: its inputs. Tells `report` of each fault."""
    if written is None:
        return None
    if not isinstance(written, Mapping):
        report("identifies is an object: input → where a step finds what it stands for, or an empty text")
        return None
    found: dict[str, tuple[str, str]] = {}
    for name, place in written.items():
        at = _OUTPUT.fullmatch(place) if isinstance(place, str) else None
        if names and name not in names:
            report(f"identifies names {name!r}, which is no input")
        elif place != "" and at is None:
            report(f"identifies says of {name!r} what is neither an output of a step nor empty")
        found[name] = (at[1], at[2]) if at else ("", "")
    return found


def effect_of(program: Program, target: str, inputs: Mapping[str, Json], secrets: Iterable[str] = ()) -> str:
    """The effect of a call with these inputs, as a hash."""
    return _hashed(program, target, _identity(program, inputs), secrets)


def effect_found(program: Program, target: str, state: State, secrets: Iterable[str] = ()) -> str | None:
    """The same with what the run has found out about the thing; None where that says nothing else."""
    main = state.frames[0] if state.frames else None
    if main is None or not program.identifies:
        return None
    found = _identity(program, main.inputs)
    for name, (step, output) in program.identifies.items():
        value = main.outputs.get(step, {}).get(output)
        if isinstance(value, str | int) and value != "":
            found[name] = value
    return _hashed(program, target, found, secrets)


def effect_of_request(api: str, target: str, command: SendRequest, secrets: Iterable[str] = ()) -> str:
    """Of one request, whichever workflow sends it: what it does to the thing in its path, or, where that names none,
    what it says."""
    return _of_command("request", api, target, command, secrets, is_whole="{" not in command.path_template)


def effect_of_sending(api: str, target: str, command: SendRequest, secrets: Iterable[str] = ()) -> str:
    """Of the very same request once more, with all that it says."""
    return _of_command("sending", api, target, command, secrets, is_whole=True)


def _of_command(
    kind: str, api: str, target: str, command: SendRequest, secrets: Iterable[str], *, is_whole: bool
) -> str:
    said = _plain(command.body, frozenset(name.lower() for name in secrets)) if is_whole else None
    asked = [list(each) for each in command.query] if is_whole and command.query else None
    path = command.path + parted(command.path_template)[1]
    about = [kind, api, target, command.method, path, said, *([asked] if asked else [])]
    return hashlib.sha256(json.dumps(about, sort_keys=True, ensure_ascii=True).encode()).hexdigest()


def _identity(program: Program, inputs: Mapping[str, Json]) -> dict[str, Json]:
    if program.identifies is None:
        return dict(inputs)
    names = [name for name, (step, _) in program.identifies.items() if not step]
    if names and all(inputs.get(name) in ("", None) for name in names):
        return dict(inputs)  # a new thing to which nobody gave a name
    return {name: inputs.get(name) for name in program.identifies}


def _hashed(program: Program, target: str, identity: Mapping[str, Json], secrets: Iterable[str]) -> str:
    hidden = frozenset(name.lower() for name in secrets)
    told = {name: _plain(value, hidden) for name, value in identity.items() if name.lower() not in hidden}
    said = {name: value for name, value in told.items() if value not in ("", None)}
    about = [program.api, program.workflow_id, target, said]
    return hashlib.sha256(json.dumps(about, sort_keys=True, ensure_ascii=True).encode()).hexdigest()


def _plain(value: Json, hidden: frozenset[str]) -> Json:
    """The value as it is compared."""
    if isinstance(value, str):
        return " ".join(unicodedata.normalize("NFKC", value).casefold().split())
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int | float):
        return str(int(value)) if value == int(value) else repr(value)
    if isinstance(value, Mapping):
        return {key: _plain(item, hidden) for key, item in value.items() if key.lower() not in hidden}
    return [_plain(item, hidden) for item in value]
