"""What somebody may have meant by a name that there is not."""

import difflib
from typing import Any

import pytest

from workflow.nearest import MOST, did_you_mean, nearest

NAMES = ("api_start_vm", "api_shutdown_vm", "api_list_vms", "api_delete_vm", "api_create_vm_snapshot")


@pytest.mark.parametrize(
    ("word", "first"),
    [
        ("api_strat_vm", "api_start_vm"),
        ("API_START_VM", "api_start_vm"),
        ("start_vm", "api_start_vm"),
        ("start-vm", "api_start_vm"),
        ("create_snapshot", "api_create_vm_snapshot"),
    ],
)
def test_the_likest_comes_first_by_letters_or_by_the_words_it_has(word: str, first: str) -> None:
    assert nearest(word, NAMES)[0] == first
    assert did_you_mean(word, NAMES).startswith(f" Did you mean {first}")


def test_what_is_like_nothing_suggests_nothing() -> None:
    assert nearest("zzz", NAMES) == ()
    assert did_you_mean("", NAMES) == ""


def test_a_few_are_suggested_and_never_a_list() -> None:
    assert len(nearest("vm", [f"vm_{number}" for number in range(50)])) == MOST


def test_few_of_many_names_are_compared_by_letters(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks a server for what there is not, again and again, does not cost it a comparison with all names."""
    compared: list[int] = []
    usual = difflib.get_close_matches

    def counted(word: str, names: Any, **more: Any) -> list[str]:
        compared.append(len(names))
        return usual(word, names, **more)

    monkeypatch.setattr(difflib, "get_close_matches", counted)
    names = [f"api_update_thing_{number}" for number in range(5000)]
    assert "api_update_thing_77" in nearest("api_updat_thing_77", names)
    assert max(compared) <= 40
