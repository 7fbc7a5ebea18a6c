"""What every test may use: pytester, and how long hypothesis looks.

pytest                                  2 000 calls in lockstep and more
pytest --hypothesis-profile=long        a hundred times that
"""

from hypothesis import HealthCheck, settings

pytest_plugins = ["pytester"]

_COMMON = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("normal", max_examples=100, **_COMMON)
settings.register_profile("long", max_examples=10_000, **_COMMON)
settings.load_profile("normal")


def pytest_addoption(parser):
    parser.addoption("--golden", action="store_true", help="write the golden files anew")
