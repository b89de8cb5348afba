"""Real descriptions, unedited: every operation is kept, quickly, and the IR holds its invariants.

The vendors' own files; skipped where they are missing. What loading costs is
processor time, with a wide reserve: the figures are those of `bench/work.py`.
"""

import time
from dataclasses import dataclass
from functools import cache

import pytest

from compiler.frontend import Loaded, load_api
from compiler.ir.model import Severity
from compiler.ir.verifier import verify
from tests.needs import VENDOR_FILES, VENDOR_FOLDER
from tests.waiting import MOST_CPU_S

SPECS = VENDOR_FOLDER / "specs"
pytestmark = [pytest.mark.slow, VENDOR_FILES.mark]


@dataclass(frozen=True)
class Real:
    file: str
    operations: int
    base_path: str
    root: str = ""


REAL = (
    Real("hypercore/openapi.json", 150, "/rest/v1"),
    Real("idrac/openapi.yaml", 714, ""),
    Real("idrac/openapi.yaml", 714, "", root="idrac"),
    Real("idrac/openapi.yaml", 714, "", root="idrac/redfish-schemas"),
    Real("redfish-small/openapi.yaml", 480, ""),
    Real("odd/powerstore-swagger20.json", 600, "/api/rest"),
    Real("odd/powerscale.json", 950, ""),
    Real("odd/keycloak-dangling-ref.json", 316, "/admin/realms"),
    Real("odd/openstack-image-31.yaml", 76, ""),
)


@cache
def loaded(file: str, root: str = "") -> tuple[Loaded, float]:
    started = time.process_time()
    result = load_api(SPECS / file, root=SPECS / root if root else None)
    return result, time.process_time() - started


@pytest.mark.parametrize("real", REAL, ids=lambda real: f"{real.file} {real.root}".strip())
def test_every_operation_of_a_real_description_is_kept(real: Real) -> None:
    result, cpu_s = loaded(real.file, real.root)

    verify(result.api)
    assert len(result.api.operations) == real.operations
    assert result.api.base_path == real.base_path
    assert cpu_s < MOST_CPU_S
    assert [d for d in result.diagnostics if d.severity is Severity.ERROR] == []


def test_the_root_may_be_given_or_not_and_the_api_is_the_same() -> None:
    digests = {loaded("idrac/openapi.yaml", root)[0].api.digest for root in ("", "idrac", "idrac/redfish-schemas")}

    assert len(digests) == 1


def test_redfish_wrappers_lead_to_the_versioned_schema() -> None:
    api = loaded("redfish-small/openapi.yaml")[0].api
    wrapper = api.schemas["ComputerSystem"]

    assert {"$ref": "#/components/schemas/ComputerSystem_v1_5_1"} in wrapper["anyOf"]
    assert "PowerState" in api.schemas["ComputerSystem_v1_5_1"]["properties"]


def test_an_absolute_address_leads_to_the_local_file() -> None:
    system = loaded("idrac/openapi.yaml")[0].api.schemas["ComputerSystem_v1_25_0_ComputerSystem"]

    assert "PowerState" in system["properties"]


def test_a_missing_file_is_reported_once_with_the_operations_that_it_touches() -> None:
    found = [d for d in loaded("idrac/openapi.yaml")[0].diagnostics if d.code == "file-missing"]

    assert len({d.pointer for d in found}) == len(found) > 100
    assert all("kept with any value" in d.message for d in found)


def test_text_in_the_place_of_tags_and_a_missing_operation_id_are_noted() -> None:
    codes = [d.code for d in loaded("idrac/openapi.yaml")[0].diagnostics]

    assert codes.count("tags-text") == 1
    assert codes.count("operation-id-missing") == 1


def test_a_dangling_pointer_is_reported_and_its_operations_are_kept() -> None:
    (found,) = (d for d in loaded("odd/keycloak-dangling-ref.json")[0].diagnostics if d.code == "pointer-dangling")

    assert "oas_any_type_not_mapped" in found.message
    assert "5 operations are kept" in found.message


def test_185_operation_ids_that_stand_twice_are_noted() -> None:
    codes = [d.code for d in loaded("odd/powerscale.json")[0].diagnostics]

    assert codes.count("operation-id-twice") == 185
    assert codes.count("path-ambiguous") == 11


def test_recursive_definitions_stay_references() -> None:
    api = loaded("odd/powerstore-swagger20.json")[0].api

    assert len(api.schemas) > 600
    assert all(operation.digest.startswith("sha256:") for operation in api.operations)
