"""What tests of the whole database have in common: proofs of inputs cost nothing here."""

import pytest

from workflow.json.canonical import digest


@pytest.fixture(autouse=True)
def cheap_prints(monkeypatch: pytest.MonkeyPatch) -> None:
    """Proofs of inputs are slow on purpose, and here hundreds are asked for."""
    for module in ("runs.plans", "runs.open_runs"):
        monkeypatch.setattr(f"governance.{module}.print_of", lambda *asked: digest(list(asked)))
