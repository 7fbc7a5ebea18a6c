"""Linux and our kernel side by side, for tests of files."""

from __future__ import annotations

import pytest
from two_filesystems import Both, build


@pytest.fixture(scope="session")
def file_player(tmp_path_factory):
    """The program that plays calls on the host's Linux."""
    return build(tmp_path_factory.mktemp("player"))


@pytest.fixture
def both(file_player, tmp_path):
    return Both(file_player, tmp_path)
