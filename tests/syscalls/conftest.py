"""The host's Linux, for tests that compare our kernel with it."""

from __future__ import annotations

import pytest
from memory_kernels import Linux
from two_filesystems import Both, build


@pytest.fixture(scope="session")
def linux(tmp_path_factory):
    """The host's kernel, which plays calls on memory."""
    linux = Linux(tmp_path_factory.mktemp("linux"))
    yield linux
    linux.close()


@pytest.fixture(scope="session")
def file_player(tmp_path_factory):
    """The program that plays calls on files on the host's Linux."""
    return build(tmp_path_factory.mktemp("player"))


@pytest.fixture
def both(file_player, tmp_path):
    return Both(file_player, tmp_path)
