"""Join concurrent requests into one run of the graph, and share the outputs out again.

A queue belongs to one signature of one version, one set of element shapes and one choice of outputs. While a batch is
being computed the next one gathers. A batch waits for a moment if more requests than it has were under way lately, and
starts when they are there: a client that is alone never waits. A batch that fails is run again request by request: a
bad row fails only its own.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from queue import SimpleQueue
from typing import Any

import numpy as np

from serving.batching_options import BatchingOptions
from serving.errors import ServingError, from_exception, invalid
from serving.servable import Servable
from serving.signature import Signature

log = logging.getLogger(__name__)
Outputs = dict[str, np.ndarray]
_MOST_QUEUES = 256  # per version; clients choose the shapes
_LATE_S = 0.002  # a batch that is computed longer than this no longer holds up the next one
_FORGOTTEN = 0.1  # the share of a crowd that each batch without it forgets


@dataclass(eq=False)
class Job:
    """One request to run.

    Attributes:
        inputs: arrays by input name.
        wanted: outputs to compute; None computes all.
        done: told the outputs, or the error; on whatever thread `deliver` chooses.
        rows: dimension 0 that all inputs share; -1 when they do not.
    """

    servable: Servable
    signature: Signature
    inputs: dict[str, np.ndarray]
    done: Callable[[Outputs | None, ServingError | None], None]
    wanted: tuple[str, ...] | None = None
    rows: int = field(default=-1, init=False)
    arrived: float = field(default_factory=time.monotonic, init=False)

    def __post_init__(self) -> None:
        sizes = {array.shape[0] if array.ndim else -1 for array in self.inputs.values()}
        self.rows = sizes.pop() if len(sizes) == 1 else -1


Finished = tuple[Job, Outputs | None, ServingError | None]


class _Queue:
    def __init__(self) -> None:
        self.lock = threading.Condition(threading.Lock())
        self.pending: deque[Job] = deque()
        self.rows = 0
        self.under_way = 0  # requests, from submitted to computed
        self.crowd = 1.0  # as many requests as were under way at once, lately
        self.running = 0
        self.late = False
        self.joins = True

    def full(self, options: BatchingOptions) -> bool:
        """Whether there is nothing to wait for."""
        crowded = not options.strict and len(self.pending) >= int(self.crowd)
        return crowded or self.rows >= options.max_batch_size or not self.joins


class Batcher:
    """Threads that run jobs.

    Args:
        options: limits.
        deliver: told what has finished, a batch at a time, on a thread of the batcher.
        threads: how many runs may be under way, joined or not.
        soon: calls a function a little later, when the requests that have already arrived have been submitted too.
    """

    def __init__(
        self,
        options: BatchingOptions,
        deliver: Callable[[list[Finished]], None],
        threads: int,
        soon: Callable[[Callable[[], None]], None] = lambda call: call(),
    ) -> None:
        self.options = options
        self.batches = 0
        self.joined_rows = 0
        self._deliver, self._soon = deliver, soon
        self._tasks: SimpleQueue[tuple[float, _Queue | Job] | None] = SimpleQueue()
        count = max(threads, options.num_batch_threads)
        self._threads = [threading.Thread(target=self._work, name=f"run-{i}", daemon=True) for i in range(count)]
        for thread in self._threads:
            thread.start()

    def submit(self, job: Job) -> None:
        """Run a job some time soon.

        Raises:
            ServingError: in strict mode, a request that cannot be joined, or a full queue.
        """
        if self.options.strict:
            _check(job, self.options)
        elif not _may_join(job, self.options):
            self._tasks.put((0.0, job))
            return
        queue = self._queue(job)
        with queue.lock:
            full = self.options.max_enqueued_batches * self.options.max_batch_size
            if self.options.strict and queue.rows + job.rows > full:
                raise ServingError("UNAVAILABLE", "The batch scheduling queue to which this task was submitted is full")
            queue.pending.append(job)
            queue.rows += job.rows
            queue.under_way += 1
            queue.crowd = max(queue.crowd, queue.under_way)
            if queue.running == 0:
                queue.running = 1
                task = (0.0, queue)
            elif not queue.late and queue.running < self.options.num_batch_threads:
                queue.late = True
                task = (job.arrived + self.options.batch_timeout_s + _LATE_S, queue)
            else:
                task = None
            if queue.full(self.options):
                queue.lock.notify_all()
        if task is None:
            return
        self._soon(partial(self._tasks.put, task))

    def stop(self) -> None:
        """Finish what was submitted, then end the threads."""
        for _ in self._threads:
            self._tasks.put(None)
        for thread in self._threads:
            thread.join()

    def _queue(self, job: Job) -> _Queue:
        shapes = tuple([(array.shape[1:], array.dtype.char) for array in job.inputs.values()])
        key = (job.signature.name, tuple(job.inputs), shapes, job.wanted)
        queues: dict[Any, _Queue] = job.servable.queues
        queue = queues.get(key)
        if queue is None:
            if len(queues) >= _MOST_QUEUES:
                queues.clear()  # a queue at work goes on without its place here
            queue = queues.setdefault(key, _Queue())
        return queue

    def _work(self) -> None:
        while (task := self._tasks.get()) is not None:
            due, queue = task
            if isinstance(queue, Job):
                self._deliver([_alone(queue, self.options)])
                continue
            if due:
                time.sleep(max(0.0, due - time.monotonic()))
                with queue.lock:
                    queue.late = False
                    if not queue.pending or queue.running >= self.options.num_batch_threads:
                        continue
                    queue.running += 1
            while jobs := self._take(queue):
                self.batches += 1
                self.joined_rows += sum(job.rows for job in jobs)
                finished = _run(queue, jobs, self.options)
                with queue.lock:
                    queue.under_way -= len(jobs)
                self._deliver(finished)

    def _take(self, queue: _Queue) -> list[Job]:
        """The next batch; when there is none, this thread no longer counts as running."""
        options = self.options
        with queue.lock:
            if queue.pending and options.batch_timeout_s:
                wait = queue.pending[0].arrived + options.batch_timeout_s - time.monotonic()
                queue.lock.wait_for(lambda: queue.full(options), max(0.0, wait))
                queue.crowd = max(queue.under_way, queue.crowd * (1 - _FORGOTTEN))
            jobs: list[Job] = []
            rows = 0
            while queue.pending and (not jobs or rows + queue.pending[0].rows <= options.piece_size):
                job = queue.pending.popleft()
                jobs.append(job)
                rows += job.rows
                if not queue.joins:
                    break
            queue.rows -= rows
            if not jobs:
                queue.running -= 1
            return jobs


def _may_join(job: Job, options: BatchingOptions) -> bool:
    """Whether joining cannot be noticed: the signature itself says that dimension 0 is the batch, everywhere."""
    if job.rows < 0 or job.rows >= options.max_batch_size:
        return False
    joins = job.servable.queues.get(job.signature.name)
    if joins is None:
        infos = (*job.signature.inputs.values(), *job.signature.outputs.values())
        joins = bool(job.signature.inputs) and all(info.shape and info.shape[0] == -1 for info in infos)
        job.servable.queues[job.signature.name] = joins
    return bool(joins) and len(job.inputs) == len(job.signature.inputs)


def _check(job: Job, options: BatchingOptions) -> None:
    """TensorFlow Serving's conditions. Source: batching/batching_session.cc."""
    if not job.inputs:
        raise invalid("Batching session Run() must have at least one input tensor")
    if any(array.ndim == 0 for array in job.inputs.values()):
        raise invalid("Batching session Run() input tensors must have at least one dimension")
    if job.rows < 0:
        raise invalid("Batching session Run() input tensors must have equal 0th-dimension size")
    if job.rows > options.max_batch_size and not options.enable_large_batch_splitting:
        raise invalid(f"Task size {job.rows} is larger than maximum input batch size {options.max_batch_size}")


def _run(queue: _Queue, jobs: list[Job], options: BatchingOptions) -> list[Finished]:
    if len(jobs) == 1:
        return [_alone(jobs[0], options)]
    first, rows = jobs[0], sum(job.rows for job in jobs)
    try:
        joined = {name: np.concatenate([job.inputs[name] for job in jobs]) for name in first.inputs}
        outputs = _execute(first, joined, rows, options)
        if all(array.ndim and len(array) == rows for array in outputs.values()):
            return _share(jobs, outputs)
        queue.joins = False  # dimension 0 is not the batch after all
    except Exception as error:  # noqa: BLE001  (whose fault it is, each one's own run will tell)
        log.debug("a batch of %d failed and is run one by one: %s", len(jobs), error)
    return [_alone(job, options) for job in jobs]


def _share(jobs: Sequence[Job], outputs: Outputs) -> list[Finished]:
    finished: list[Finished] = []
    start = 0
    for job in jobs:
        end = start + job.rows
        finished.append((job, {name: array[start:end] for name, array in outputs.items()}, None))
        start = end
    return finished


def _alone(job: Job, options: BatchingOptions) -> Finished:
    try:
        if not options.strict:
            return job, job.servable.predictor.run(job.signature, job.inputs, job.wanted), None
        pieces = []
        for start in range(0, max(1, job.rows), options.piece_size):
            part = {name: array[start : start + options.piece_size] for name, array in job.inputs.items()}
            rows = min(options.piece_size, job.rows - start)
            pieces.append(_execute(job, part, rows, options))
            _check_outputs(pieces[-1], rows)
        if len(pieces) == 1:
            return job, pieces[0], None
        return job, {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}, None
    except Exception as error:  # noqa: BLE001  (the client is told)
        return job, None, from_exception(error)


def _execute(job: Job, inputs: dict[str, np.ndarray], rows: int, options: BatchingOptions) -> Outputs:
    """Run, padded with copies of row 0 to an allowed size; the padding is cut off again."""
    size = next((size for size in options.allowed_batch_sizes if size >= rows), rows)
    if size > rows > 0:
        inputs = {name: np.concatenate([a, np.repeat(a[:1], size - rows, axis=0)]) for name, a in inputs.items()}
    outputs = job.servable.predictor.run(job.signature, inputs, job.wanted)
    if size > rows > 0:
        outputs = {name: a[:rows] if a.ndim and len(a) == size else a for name, a in outputs.items()}
    return outputs


def _check_outputs(outputs: Outputs, rows: int) -> None:
    for array in outputs.values():
        if array.ndim == 0:
            raise ServingError("FAILED_PRECONDITION", "Batched output tensor has 0 dimensions")
        if len(array) != rows:
            what = (
                "Batched output tensor's 0th dimension does not equal the sum of the 0th dimension sizes of the input"
            )
            raise ServingError("FAILED_PRECONDITION", f"{what} tensors")
