"""APIs and their profiles: kept by digest, checked when read."""

from collections.abc import Callable

import pytest

from governance.audit.log import AuditLog
from governance.errors import InvalidError, NotFoundError, TamperedError
from governance.registry.apis import ApiStore
from governance.storage.database import Database
from workflow.errors import ProfileError
from workflow.profiles.profile import Profile, parse_profile

OLD = Profile(api="hypercore", title="old")
NEW = Profile(api="hypercore", title="new")


@pytest.fixture
def apis(database: Database) -> ApiStore:
    return ApiStore(database)


async def _put(apis: ApiStore, profile: Profile) -> None:
    await apis.put_api("hypercore", "HyperCore", "1", "sha256:s", profile.model_dump(mode="json"), profile.digest)


async def test_an_api_comes_back_with_its_profile(apis: ApiStore) -> None:
    await _put(apis, OLD)
    api = await apis.get_api("hypercore")
    assert (api.title, api.version, api.spec_digest, api.profile_digest) == ("HyperCore", "1", "sha256:s", OLD.digest)
    assert parse_profile(api.profile, "database") == OLD


async def test_a_profile_may_be_given_as_its_author_wrote_it(apis: ApiStore) -> None:
    await apis.put_api("hypercore", "t", "1", "sha256:s", {"api": "hypercore", "title": "old"}, OLD.digest)
    assert parse_profile((await apis.get_api("hypercore")).profile, "") == OLD


async def test_an_older_profile_remains_under_its_digest(apis: ApiStore) -> None:
    await _put(apis, OLD)
    await _put(apis, NEW)
    assert parse_profile((await apis.get_api("hypercore")).profile, "") == NEW
    assert parse_profile(await apis.get_profile(OLD.digest), "") == OLD
    assert [api.name for api in await apis.list_apis()] == ["hypercore"]


async def test_an_api_without_a_profile_is_fine(apis: ApiStore) -> None:
    await apis.put_api("plain", "Plain", "1", "sha256:s", None, None)
    assert (await apis.get_api("plain")).profile is None


async def test_storing_the_same_again_changes_nothing(database: Database, apis: ApiStore) -> None:
    await _put(apis, OLD)
    before = await apis.get_api("hypercore")
    await _put(apis, OLD)
    assert await apis.get_api("hypercore") == before
    assert [row.action for row in await AuditLog(database).find()] == ["api.stored"]


async def test_a_digest_that_is_not_the_profiles_is_refused(apis: ApiStore) -> None:
    with pytest.raises(InvalidError):
        await apis.put_api("hypercore", "t", "1", "s", OLD.model_dump(mode="json"), NEW.digest)
    with pytest.raises(ProfileError):
        await apis.put_api("hypercore", "t", "1", "s", {"api": "hypercore", "colour": 1}, NEW.digest)


async def test_what_is_not_there_is_not_found(apis: ApiStore) -> None:
    with pytest.raises(NotFoundError):
        await apis.get_api("hypercore")
    with pytest.raises(NotFoundError):
        await apis.get_profile(OLD.digest)


async def test_a_changed_profile_is_refused(apis: ApiStore, behind: Callable[..., None]) -> None:
    await _put(apis, OLD)
    behind("UPDATE profiles SET body = replace(body, 'old', 'odd')")
    with pytest.raises(TamperedError):
        await apis.get_api("hypercore")
    with pytest.raises(TamperedError):
        await apis.get_profile(OLD.digest)
