"""Which tests share a process when the gate runs them in two.

Each file stays whole, for its fixtures' sake. All that starts a Ray stays together: two clusters at once on
a small machine would slow each other down, and would be told apart by nothing but their ports.
"""

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Give every test the group that pytest-xdist keeps in one process."""
    if not config.pluginmanager.hasplugin("xdist"):
        return
    for item in items:
        group = "ray" if item.get_closest_marker("ray") else item.path.name
        item.add_marker(pytest.mark.xdist_group(group))
