import sys

import pytest


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Torch's threads wait for each other on a busy machine, and tensors this small need one."""
    torch = sys.modules.get("torch")
    if torch is None:
        yield
        return
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
