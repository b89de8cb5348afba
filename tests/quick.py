"""`--quick`: a first answer in about a minute, from every room. A plugin of pytest, loaded by conftest.py.

Of each test that has many cases the first is run, on SQLite; what is marked `slow` or `long` is left out. It finds what
is plainly broken; that the other cases hold too is for the default run to say.
"""

import pytest

from tests.left_out import leave_out


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--quick", action="store_true", help="of each test one case, and none that takes seconds")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--quick"):
        return
    seen: set[str] = set()
    left: list[pytest.Item] = []
    for item in list(items):
        name = item.nodeid.partition("[")[0]
        needs_a_server = "postgres_server" in getattr(item, "fixturenames", ())
        if name in seen or needs_a_server or any(item.get_closest_marker(mark) for mark in ("slow", "long")):
            left.append(item)
        else:
            seen.add(name)
    leave_out(items, left)
