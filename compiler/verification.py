"""A compile from its request to verified workflows: read, understand, ask for names, plan, verify, ask for the rest.

The steps in their order alone; what each does is in `pipeline`, `proposing` and `verifying`. Called by
`compiler.commands.compiling`; stores nothing (see `submission`) and prints nothing.
"""

from collections.abc import Sequence
from dataclasses import replace

from compiler.compiled import Compiled
from compiler.frontend import load_api
from compiler.pipeline import CompileRequest, find_profile, understand
from compiler.profile_fit import refuse_another
from compiler.proofs.verifying import verify_flows
from compiler.proposals.asked import Apis, AskOutcome, understand_sentence
from compiler.proposer import Record, open_asker
from compiler.proposer.proposer import ProposerOptions
from compiler.proposing import improved, named, recorded_in
from compiler.stages import Progress, silent

_NOBODY = ProposerOptions()


def compile_spec(
    request: CompileRequest, asking: ProposerOptions = _NOBODY, progress: Progress = silent
) -> tuple[Compiled, Record]:
    """The description, compiled: every workflow checked and proved on the twin; and what was asked and said.

    Raises as `load_api` and `open_asker` do.
    """
    profile = find_profile(request)
    progress("read", 0, 1)
    loaded = load_api(request.spec, root=request.root, profile=profile, overlay=request.overlay)
    refuse_another(loaded.api, profile, request)
    understood = understand(loaded.api, profile)
    with open_asker(asking, loaded.api.digest, progress) as asker:
        progress("plan", 0, 1)
        proposed = named(understood.api, understood.profile, asker)
        found = (*loaded.diagnostics, *understood.diagnostics, *proposed.diagnostics)
        compiled = verify_flows(proposed.api, understood.profile, found, progress, plays_all=request.plays_all)
        return improved(compiled, asker, proposed.entries)


def ask_for(
    requests: Sequence[CompileRequest], sentence: str, asking: ProposerOptions, progress: Progress = silent
) -> tuple[AskOutcome, Record]:
    """What becomes of an operator's sentence, over one or several APIs; and all that was asked and said, with what the
    lock has already. A model is asked about the sentence alone.

    Raises as `compile_spec` does.
    """
    lock = asking.lock if len(requests) == 1 else None
    made = [compile_spec(one, ProposerOptions(lock=lock), progress) for one in requests]
    compiled, before = [one for one, _ in made], made[0][1]
    with open_asker(asking, before.spec, progress) as asker:
        outcome = understand_sentence(sentence, Apis(compiled), asker)
        kept = recorded_in(asker.record, before, outcome)
        return replace(outcome, diagnostics=asker.diagnostics(kept)), kept
