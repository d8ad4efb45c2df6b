"""The data set of which everything is known, and small settings for it."""

import pytest

from ltc_edge.evaluation.descent.outcome import Settings
from ltc_edge.evaluation.descent.sources import white_noise
from ltc_edge.evaluation.descent.subject import make_subject


@pytest.fixture(scope="session")
def noise():
    return make_subject("white-noise", white_noise(6), 6)


@pytest.fixture(scope="session")
def features():
    """Settings of random features over so many windows."""
    return lambda windows: Settings("random-features", windows, 0, 0.0, 0)
