"""The host's kernel, for tests that compare ours with it."""

from __future__ import annotations

import pytest
from two_kernels import Linux


@pytest.fixture(scope="session")
def linux(tmp_path_factory):
    linux = Linux(tmp_path_factory.mktemp("linux"))
    yield linux
    linux.close()
