"""A model of pictures behind a real server: base64 in, the class out; a broken picture fails its own request."""

import json
import threading
from base64 import b64encode

import numpy as np
import pytest
import tensorflow as tf

from serving import pictures, server
from serving.client import Client, GrpcClient, ServerError, over_http
from serving.predictor import Predictor
from tests.pictures import SIZE, encoded, split


@pytest.fixture(scope="module")
def rows(picture_examples):
    return split(picture_examples, "eval")


@pytest.fixture(scope="module")
def running(picture_head, tmp_path_factory):
    base = tmp_path_factory.mktemp("served") / "stripes"
    base.mkdir()
    (base / "1").symlink_to(picture_head.model)
    with server.running(server.for_model("stripes", base)) as running:
        yield running


@pytest.fixture
def rest(running):
    return f"http://127.0.0.1:{running.rest_port}"


def test_a_post_of_base64_answers_the_class(rest, rows):
    instances = [{"image": {"b64": b64encode(row["image"]).decode()}} for row in rows]
    body = json.dumps({"instances": instances}).encode()
    status, answer = over_http(rest)("POST", "/v1/models/stripes:predict", body)
    assert status == 200
    found = json.loads(answer)["predictions"]
    assert np.mean([got["label"] == row["label"] for got, row in zip(found, rows, strict=True)]) > 0.9


def test_rest_and_grpc_give_the_same_answer(running, rest, rows):
    images = [row["image"] for row in rows]
    over_rest = Client(rest).predict_columns("stripes", {"image": images})
    grpc = GrpcClient(f"127.0.0.1:{running.grpc_port}")
    over_grpc = grpc.predict("stripes", {"image": np.array(images, object)})
    grpc.close()
    np.testing.assert_allclose(over_rest["probabilities"], over_grpc["probabilities"], atol=1e-6)


def test_a_broken_picture_fails_its_own_request_and_no_other_one(rest, rows):
    answers = {}

    def ask(number):
        data = rows[number]["image"] if number % 4 else b"no picture"
        try:
            answers[number] = Client(rest).predict("stripes", [{"image": data + bytes([0xFF] * (not number % 4))}])
        except ServerError as error:
            answers[number] = error

    threads = [threading.Thread(target=ask, args=[number]) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number, answer in answers.items():
        if number % 4:
            assert answer[0]["label"] in ("across", "down", "plain")
        else:
            assert answer.status == 400
            assert "Unknown image file format" in answer.message


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("kind", "levels"), [("PNG", 2), ("JPEG", 3)])
def test_pixels_without_tensorflow_are_those_of_the_graph(channels, kind, levels):
    from models._pictures import Picture
    from models._pictures import pixels as in_graph

    random = np.random.default_rng(1)
    small = random.integers(0, 255, (12, 9, 3), np.uint8)
    files = [encoded(np.kron(small, np.ones((6, 7, 1), np.uint8)), kind), encoded(small[..., 0], kind)]
    expected = in_graph(tf.constant(files), Picture("image", 12, 10, channels)).numpy()
    got = pictures.pixels(files, 12, 10, channels)
    assert got.shape == expected.shape
    assert got.dtype == expected.dtype
    assert np.abs(got - expected).max() <= levels


def test_a_png_of_the_wanted_size_is_the_same_to_the_bit():
    pixels = np.random.default_rng(1).integers(0, 255, SIZE[:2], np.uint8)
    np.testing.assert_array_equal(pictures.pixels([encoded(pixels)], *SIZE)[0, ..., 0], pixels)


def test_what_is_no_picture_is_named_by_its_row():
    good = encoded(np.zeros(SIZE[:2], np.uint8))
    with pytest.raises(ValueError, match=r"^row 2: no picture, got "):
        pictures.pixels([good, good[:40]], *SIZE)


def test_the_warm_up_file_replays(picture_head):
    from serving import warmup

    predictor = Predictor(picture_head.model)
    assert warmup.run(predictor, picture_head.model) > 0
    predictor.close()
