"""Joining concurrent requests: same answers, each one's own errors, and TensorFlow Serving's rules when asked for."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from serving import batching_options
from serving.batching import Batcher, Job
from serving.batching_options import BatchingOptions
from serving.errors import ServingError


@pytest.fixture(scope="module")
def servable(zoo_model):
    from serving.predictor import Predictor
    from serving.servable import Servable

    servable = Servable("zoo", 1, Predictor(zoo_model / "1"))
    yield servable
    servable.predictor.close()


@pytest.fixture
def ask(servable):
    """Submit jobs at once while the one thread is kept busy, so that they meet in one batch; returns the results."""
    batchers = []

    def run(signature: str, inputs: list[dict], options: BatchingOptions):
        servable.queues.clear()
        batcher = Batcher(options, deliver, threads=1)
        batchers.append(batcher)
        results = [None] * len(inputs)
        finished, gate = threading.Semaphore(0), threading.Event()

        def done_with(number):
            def done(outputs, error):
                results[number] = error or outputs
                finished.release()

            return done

        found = servable.predictor.signatures[signature]
        total = servable.predictor.signatures["total"]
        blocker = Job(servable, total, rows(1), lambda *_: gate.wait())
        batcher._tasks.put((0.0, blocker))
        submitted = 0
        for number, given in enumerate(inputs):
            try:
                batcher.submit(Job(servable, found, given, done_with(number)))
                submitted += 1
            except ServingError as error:
                results[number] = error
        gate.set()
        for _ in range(submitted):
            assert finished.acquire(timeout=20)
        return results, batcher

    yield run
    for batcher in batchers:
        batcher.stop()


def deliver(finished):
    for job, outputs, error in finished:
        job.done(outputs, error)


def rows(*values):
    return {"x": np.array(values, np.float32)}


ONE = BatchingOptions(num_batch_threads=1)


def test_concurrent_requests_become_one_batch_with_the_same_answers(ask):
    results, batcher = ask("log", [rows(1), rows(2, 3), rows(4)], ONE)
    assert [list(np.exp(r["y"]).round(4)) for r in results] == [[1], [2, 3], [4]]
    assert (batcher.batches, batcher.joined_rows) == (1, 4)


def test_a_bad_row_fails_its_own_request_only(ask):
    good, bad, other = ask("picky", [rows(4), rows(9, -1), rows(16)], ONE)[0]
    assert list(good["y"]) == [2]
    assert list(other["y"]) == [4]
    assert (bad.code, "a negative row" in bad.message) == ("INVALID_ARGUMENT", True)


def test_other_shapes_go_in_other_batches(ask):
    results, batcher = ask(
        "serving_default", [rows([1.0]), rows([1.0], [2.0]), {"x": np.ones([1, 2], np.float32)}], ONE
    )
    assert [r["y"].shape for r in results] == [(1, 1), (2, 1), (1, 2)]
    assert batcher.batches == 2


@pytest.mark.parametrize("signature", ["total", "uneven", "longer"])
def test_outputs_that_are_no_batch_are_never_joined_wrongly(ask, signature, servable):
    results, _ = ask(signature, [rows(1), rows(2)], ONE)
    for value, result in zip((1, 2), results, strict=True):
        alone = servable.predictor.predict(rows(value), signature)
        assert {n: a.tolist() for n, a in result.items()} == {n: a.tolist() for n, a in alone.items()}


def test_shapes_that_clients_make_up_do_not_pile_up(ask, servable):
    many = [{"x": np.ones([1, n], np.float32)} for n in range(600)]
    results, _ = ask("serving_default", many, ONE)
    assert [r["y"].shape for r in results] == [(1, n) for n in range(600)]
    assert len(servable.queues) <= 257


def test_a_batch_is_no_larger_than_allowed(ask):
    _, batcher = ask("log", [rows(1)] * 5, BatchingOptions(num_batch_threads=1, max_batch_size=2))
    assert (batcher.batches, batcher.joined_rows) == (3, 5)


def strict(**changes):
    return BatchingOptions(strict=True, num_batch_threads=1, **changes)


STRICT = [
    ("total", rows(1), {}, "FAILED_PRECONDITION", "Batched output tensor has 0 dimensions"),
    ("longer", rows(1), {}, "FAILED_PRECONDITION", "0th dimension does not equal the sum"),
    ("echo_float32", {"x": np.float32(1).reshape(())}, {}, "INVALID_ARGUMENT", "must have at least one dimension"),
    ("pair", {"a": np.ones(2, np.float32), "b": np.ones(1, np.int64)}, {}, "INVALID_ARGUMENT", "equal 0th-dimension"),
    ("log", rows(1, 2, 3), {"max_batch_size": 2}, "INVALID_ARGUMENT", "larger than maximum input batch size 2"),
]


@pytest.mark.parametrize(("signature", "inputs", "changes", "code", "text"), STRICT)
def test_asked_for_batching_has_the_real_servers_rules(ask, signature, inputs, changes, code, text):
    (error,), _ = ask(signature, [inputs], strict(**changes))
    assert (error.code, text in error.message) == (code, True), error


def test_a_full_queue_is_unavailable(ask):
    results, _ = ask("log", [rows(1)] * 5, strict(max_batch_size=1, max_enqueued_batches=3))
    assert [getattr(r, "code", "OK") for r in results] == ["OK"] * 3 + ["UNAVAILABLE"] * 2


def test_a_large_request_is_split_when_allowed(ask):
    options = strict(max_batch_size=4, enable_large_batch_splitting=True, max_execution_batch_size=2)
    (result,), _ = ask("log", [rows(1, 2, 3, 4, 5)], options)
    assert np.exp(result["y"]).round().tolist() == [1, 2, 3, 4, 5]


def test_padding_is_not_seen(ask):
    results, _ = ask("log", [rows(1), rows(2, 3)], strict(max_batch_size=8, allowed_batch_sizes=(4, 8)))
    assert [np.exp(r["y"]).round().tolist() for r in results] == [[1], [2, 3]]


def test_the_parameters_file_is_read(tmp_path):
    file = tmp_path / "batching.config"
    file.write_text(
        "max_batch_size { value: 64 } batch_timeout_micros { value: 1500 } max_enqueued_batches { value: 7 } "
        "num_batch_threads { value: 3 } allowed_batch_sizes: 32 allowed_batch_sizes: 64 "
        "thread_pool_name { value: 'x' } "
        "pad_variable_length_inputs: true enable_large_batch_splitting { value: true }"
    )
    options = batching_options.read(file)
    assert (options.max_batch_size, options.batch_timeout_s, options.max_enqueued_batches) == (64, 0.0015, 7)
    assert (options.num_batch_threads, options.allowed_batch_sizes) == (3, (32, 64))
    assert (options.strict, options.enable_large_batch_splitting) == (True, True)
    for wrong in ("allowed_batch_sizes: 5", "max_batch_size { value: 0 }", "nonsense: 1", "max_batch_size: 3"):
        file.write_text(wrong)
        with pytest.raises(ServingError):
            batching_options.read(file)
    with pytest.raises(ServingError, match="NOT_FOUND"):
        batching_options.read(tmp_path / "none")


def test_a_crowd_gets_each_its_own_answer(zoo):
    def one(n):
        answer = zoo.rest.predict({"instances": [float(n)]})
        return answer.status, answer.json["predictions"][0]

    with ThreadPoolExecutor(16) as pool:
        got = list(pool.map(one, range(400)))
    assert got == [(200, n / 2 + 2) for n in range(400)]


def test_a_slow_request_holds_up_no_other(zoo):
    slow = threading.Thread(target=zoo.rest.predict, args=({"signature_name": "spin", "inputs": [2e5]},))
    slow.start()
    for _ in range(20):
        assert zoo.rest.predict({"signature_name": "spin", "inputs": [3.0]}).status == 200
    assert slow.is_alive()
    slow.join()
