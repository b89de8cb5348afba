"""The inventory as a file: what is written is read back, all of it is applied or none, secrets are not taken."""

from pathlib import Path

import pytest

from governance.audit.log import AuditLog
from governance.errors import InvalidError
from governance.registry.inventory import read_inventory, written
from governance.registry.targets import Target, TargetLimits, TargetStore
from governance.storage.database import Database

FILE = """
targets:
  - name: one
    api: idrac
    address: https://10.0.0.1
    auth: {username: env:U, password: file:/run/secrets/p}
    labels: {site: oslo, rack: "7"}
    limits: {connections: 2, requests_per_s: 0.5}
    responses: refuse
  - {name: two, api: idrac, address: "https://10.0.0.2", auth: {token: "keyring:bmc/two"}, default: true}
"""


@pytest.fixture
def targets(database: Database) -> TargetStore:
    return TargetStore(database)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "targets.yaml"
    path.write_text(FILE)
    return path


def rewrite(file: Path, text: str) -> None:
    file.write_text(text)


async def test_what_is_exported_is_what_was_applied(targets: TargetStore, file: Path) -> None:
    assert await targets.apply(read_inventory(file)) == {"one": "added", "two": "added"}
    stored = await targets.list_targets()
    rewrite(file, written(stored))
    assert read_inventory(file) == stored
    assert (stored[0].labels, stored[0].limits) == ((("rack", "7"), ("site", "oslo")), TargetLimits(2, 0.5))
    assert [(each.is_default, each.responses) for each in stored] == [(False, "refuse"), (True, "")]


async def test_applying_the_same_file_again_changes_nothing(
    database: Database, targets: TargetStore, file: Path
) -> None:
    await targets.apply(read_inventory(file))
    before = await AuditLog(database).last()
    assert await targets.apply(read_inventory(file)) == {"one": "unchanged", "two": "unchanged"}
    assert await AuditLog(database).last() == before


async def test_a_changed_target_is_changed_and_others_stay_unless_pruned(targets: TargetStore, file: Path) -> None:
    await targets.add(Target("old", "idrac", "https://10.0.0.9", "live"))
    await targets.apply(read_inventory(file))
    rewrite(file, FILE.replace("10.0.0.1", "10.0.0.11"))
    assert await targets.apply(read_inventory(file)) == {"one": "changed", "two": "unchanged"}
    assert (await targets.get("one")).base_url == "https://10.0.0.11"
    assert await targets.apply(read_inventory(file), prune=True) == {
        "old": "removed", "one": "unchanged", "two": "unchanged",
    }  # fmt: skip
    assert [each.name for each in await targets.list_targets()] == ["one", "two"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("file:/run/secrets/p", "hunter2"),
        ("10.0.0.1", "10.0.0.1/?x=1"),
        ("connections: 2", "connections: 0"),
        ("connections: 2", "connection: 2"),
        ("site: oslo", "'a site': oslo"),
        ("name: two", "name: one"),
        ("targets:", "tragets:"),
        ("name: one", "name: [one"),
    ],
)
async def test_a_file_with_a_fault_is_applied_in_no_part(targets: TargetStore, file: Path, old: str, new: str) -> None:
    assert old in FILE
    rewrite(file, FILE.replace(old, new))
    with pytest.raises(InvalidError) as refused:
        await targets.apply(read_inventory(file))
    assert "hunter2" not in str(refused.value) + refused.value.remedy
    assert await targets.list_targets() == ()


async def test_targets_are_chosen_by_their_labels(targets: TargetStore, file: Path) -> None:
    await targets.apply(read_inventory(file))
    one, two = await targets.list_targets()
    assert one.has_labels([("site", "oslo")])
    assert not one.has_labels([("site", "oslo"), ("rack", "8")])
    assert not two.has_labels([("site", "oslo")])
    assert two.has_labels([])
