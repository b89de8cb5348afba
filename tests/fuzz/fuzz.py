"""Coverage-guided fuzzing of whatever reads bytes that somebody else wrote: `fuzz.py FOLDER [libFuzzer options]`.

A script, run by `test_fuzz.py`. FOLDER has a folder for each reader, with its `seeds` and, afterwards, its `log`. Each
search is a fork, since libFuzzer ends its process and the instrumented imports cost more than a search. Prints the exit
codes as one JSON object. Each reader takes any bytes and may raise the errors
that it promises and no other; where what was read has a second form, writing and reading it again must change nothing.
Here never lives a list of known crashes: what is found is mended, and becomes a case of that reader's tests.
"""

import atexit
import contextlib
import json
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["compiler.frontend", "workflow", "governance.bundles", "runtime.signatures"]):
    from compiler.errors import CompilerError, SpecError
    from compiler.frontend import load_api
    from compiler.frontend.documents.limits import DEFAULT_LIMITS
    from compiler.frontend.documents.parse import parse_document
    from compiler.ir.verifier import verify
    from governance.bundles.archive import pack, unpack
    from governance.bundles.envelope import read_envelope
    from governance.bundles.keys import read_public_key
    from governance.errors import GovernanceError
    from runtime.signatures import is_signed
    from workflow.checking.checks import check
    from workflow.documents.conditions import parse_condition
    from workflow.documents.expressions import parse_expression
    from workflow.documents.reader import read_document
    from workflow.documents.selectors import compile_selection
    from workflow.documents.writer import write_document
    from workflow.errors import WorkflowError
    from workflow.profiles.profile import read_profile

_FOLDER = tempfile.TemporaryDirectory(prefix="switchgear-fuzz-")
atexit.register(_FOLDER.cleanup)


def description(data: bytes) -> None:
    with contextlib.suppress(CompilerError):
        verify(load_api(_file(data, "api.yaml")).api)


def profile(data: bytes) -> None:
    with contextlib.suppress(WorkflowError):
        path = _file(data, "profile.yaml")
        assert read_profile(path).digest == read_profile(path).digest


def document(data: bytes) -> None:
    with contextlib.suppress(SpecError, WorkflowError):
        read = read_document(parse_document(data, "flow.yaml", DEFAULT_LIMITS).data, "flow.yaml")
        list(check(read))
        written = write_document(read)
        assert write_document(read_document(written, "again")) == written


def language(data: bytes) -> None:
    """Expressions, conditions and selectors: the small languages inside a document."""
    text = data.decode("utf-8", "surrogateescape")
    for read in (
        parse_expression,
        parse_condition,
        lambda said: compile_selection("jsonpath", said),
        lambda said: compile_selection("jsonpointer", said),
    ):
        with contextlib.suppress(WorkflowError):
            read(text)


def bundle(data: bytes) -> None:
    with contextlib.suppress(GovernanceError):
        members = unpack(data)
        assert pack(members) == data
        read_envelope(members["envelope.json"])
    with contextlib.suppress(GovernanceError):
        assert read_envelope(data).to_bytes() == data
    with contextlib.suppress(GovernanceError):
        read_public_key(_file(data, "key.pub"))


def signature(data: bytes) -> None:
    """No message that nobody signed passes, whatever stands in its headers."""
    secret = "whsec_" + "c3dpdGNoZ2VhciBmdXp6aW5nIHNlY3JldCE="
    headers = [part.decode("latin-1") for part in data.split(b"\n", 3)[:3]]
    message_id, timestamp, signatures = [*headers, "", "", ""][:3]
    assert not is_signed(secret, message_id, timestamp, signatures, data, now_s=1_700_000_000.0)


READERS: dict[str, Callable[[bytes], None]] = {
    one.__name__: one for one in (description, profile, document, language, bundle, signature)
}


def _file(data: bytes, name: str) -> Path:
    path = Path(_FOLDER.name) / name
    path.write_bytes(data)
    return path


def search(name: str, place: Path, options: list[str]) -> int:
    """The exit code of one search."""
    child = os.fork()
    if child == 0:
        with (place / "log").open("wb") as log:
            os.dup2(log.fileno(), 1)
            os.dup2(log.fileno(), 2)
        atheris.Setup([sys.argv[0], *options, f"-artifact_prefix={place}/", str(place / "seeds")], READERS[name])
        atheris.Fuzz()
        os._exit(1)  # libFuzzer has ended the process before
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def main() -> None:
    folder, *options = sys.argv[1:]
    wanted = [name for name in READERS if (Path(folder) / name).is_dir()]
    print(json.dumps({name: search(name, Path(folder) / name, options) for name in wanted}))


if __name__ == "__main__":
    main()
