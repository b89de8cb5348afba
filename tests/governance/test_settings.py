"""Settings come from the environment, and `.env.example` names them all."""

from pathlib import Path

import pytest

from governance.errors import InvalidError
from governance.settings import Settings, default_database_url, example

ROOT = Path(__file__).parents[2]


def test_the_example_file_lists_every_setting_with_its_meaning_and_default() -> None:
    assert (ROOT / ".env.example").read_text() == example(), "write it anew: see governance.settings.example"


def test_without_an_environment_everything_has_its_default() -> None:
    settings = Settings.read({})
    assert settings == Settings()
    assert settings.host == "127.0.0.1"
    assert settings.database == default_database_url()
    assert settings.database.startswith("sqlite+aiosqlite:////")


def test_a_user_without_a_home_is_told_to_name_a_database(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("pwd.getpwuid", lambda _: (_ for _ in ()).throw(KeyError()))
    with pytest.raises(InvalidError, match="no home folder") as refused:
        _ = Settings.read({}).database
    assert "SWITCHGEAR_DATABASE_URL" in refused.value.remedy
    assert Settings.read({"SWITCHGEAR_DATABASE_URL": "sqlite+aiosqlite:///x.db"}).database


def test_the_environment_wins_and_empty_means_default() -> None:
    given = {"SWITCHGEAR_PORT": "9000", "SWITCHGEAR_HOST": "", "SWITCHGEAR_DEBUG": "yes", "PORT": "1"}
    settings = Settings.read(given | {"SWITCHGEAR_DATABASE_URL": "sqlite+aiosqlite:///x.db"})
    assert (settings.port, settings.host, settings.debug) == (9000, "127.0.0.1", True)
    assert settings.database == "sqlite+aiosqlite:///x.db"


@pytest.mark.parametrize("port", ["x", "-1", "80.5", "70000", "٣"])
def test_a_value_that_does_not_fit_is_refused_by_name(port: str) -> None:
    with pytest.raises(InvalidError, match="SWITCHGEAR_PORT"):
        Settings.read({"SWITCHGEAR_PORT": port})


def test_the_token_is_not_shown() -> None:
    assert "swg_x" not in repr(Settings.read({"SWITCHGEAR_TOKEN": "swg_x"}))


def test_a_word_that_is_none_of_the_choices_is_refused_by_name() -> None:
    assert Settings.read({"SWITCHGEAR_CATALOG": "all"}).catalog == "all"
    with pytest.raises(InvalidError, match="SWITCHGEAR_CATALOG"):
        Settings.read({"SWITCHGEAR_CATALOG": "some"})
