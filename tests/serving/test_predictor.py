"""What goes into a session."""

import numpy as np
import pytest

from serving.errors import ServingError
from serving.predictor import Predictor, as_tensor
from serving.signature import STRING, TensorInfo

TEXT = TensorInfo("x", "x:0", STRING, (-1,))


@pytest.mark.parametrize("value", [[b"a\0", b""], ("a\0", ""), np.array([b"a\0", b""], object)])
def test_a_text_keeps_its_zero_bytes(value):
    """A serialized tf.Example whose last integer is 0 ends in one."""
    assert as_tensor(value, TEXT).tolist() == [b"a\0", b""]


@pytest.mark.parametrize("value", [[1], [None], [b"a", 2.0], [[b"a"], b"b"]])
def test_what_is_no_text_is_refused(value):
    with pytest.raises(ServingError, match=r"a string tensor takes str or bytes"):
        as_tensor(value, TEXT)


@pytest.mark.parametrize(("timeout_s", "ends"), [(0.001, False), (0, True), (None, True)])
def test_a_run_without_a_limit_goes_on_to_its_end(zoo_model, timeout_s, ends):
    predictor = Predictor(zoo_model / "1", timeout_s=timeout_s)
    try:
        if ends:
            assert predictor.predict({"x": [5e3]}, "spin")["y"] == 5e3
        else:
            with pytest.raises(ServingError) as refused:
                predictor.predict({"x": [5e3]}, "spin")
            assert refused.value.code == "DEADLINE_EXCEEDED"
    finally:
        predictor.close()
