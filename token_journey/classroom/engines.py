"""Who grades: one judge from here, or Dask's workers, on this machine or on many."""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from typing import Any

from token_journey.classroom.judging import Judged, JudgeTask, WarmJudge
from token_journey.errors import ClassError

Engine = Callable[[Iterable[JudgeTask]], Iterator[Judged]]

# Orders that wait at the scheduler, for each worker: it is never idle, and memory stays flat.
_WAITING = 3
_SECONDS_TO_ANSWER = 20


def engine(workers: int | None, scheduler: str | None) -> Engine:
    """workers: on this machine; one a core if not said. scheduler: where a cluster is asked."""
    count = workers or len(os.sched_getaffinity(0))
    if scheduler or count > 1:
        import distributed  # noqa: F401  (said before anything is written, where it is missing)
    if scheduler:
        return _if_any(lambda tasks: _on_cluster(tasks, scheduler))
    return _if_any(_alone if count == 1 else lambda tasks: _on_this_machine(tasks, count))


def _if_any(engine: Engine) -> Engine:
    """One that is not started for nothing."""

    def grade(tasks: Iterable[JudgeTask]) -> Iterator[Judged]:
        waiting = iter(tasks)
        for first in waiting:
            yield from engine(chain((first,), waiting))

    return grade


def _alone(tasks: Iterable[JudgeTask]) -> Iterator[Judged]:
    with WarmJudge() as judge:
        yield from map(judge.grade, tasks)


def _on_this_machine(tasks: Iterable[JudgeTask], workers: int) -> Iterator[Judged]:
    import dask
    import distributed

    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what is wrong we say ourselves
    with (
        tempfile.TemporaryDirectory(prefix="token-journey-") as scratch,
        dask.config.set({"distributed.comm.timeouts.connect": "60s"}),
        distributed.LocalCluster(  # type: ignore[no-untyped-call]
            n_workers=workers,
            threads_per_worker=1,  # a judge answers one question at a time
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
            local_directory=scratch,
            memory_limit=0,  # a worker holds next to nothing, its judge is another process
        ) as cluster,
    ):
        yield from _on_cluster(tasks, cluster.scheduler_address)


def _on_cluster(tasks: Iterable[JudgeTask], address: str) -> Iterator[Judged]:
    import distributed

    try:
        client: Any = distributed.Client(address, timeout=_SECONDS_TO_ANSWER)  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        raise ClassError(
            f"No scheduler answers at {address} ({type(error).__name__}): start one with `dask "
            "scheduler`, or leave out --scheduler."
        ) from None
    with client:
        workers = len(client.scheduler_info(n_workers=-1)["workers"])
        if not workers:
            raise ClassError(
                f"The scheduler at {address} has no workers: start some with `dask worker {address}"
                " --nthreads 1`."
            )
        waiting = iter(tasks)
        keys: dict[Any, str] = {}

        def submit(count: int) -> list[Any]:
            futures = []
            for task in islice(waiting, count):
                futures.append(client.submit(_grade, task, pure=False, retries=1))
                keys[futures[-1].key] = task.hand_in
            return futures

        completed: Any = distributed.as_completed(  # type: ignore[no-untyped-call]
            submit(_WAITING * workers)
        )
        for future in completed:
            yield _judged(future, keys.pop(future.key))
            for fresh in submit(1):
                completed.add(fresh)


def _judged(future: Any, hand_in: str) -> Judged:
    """Raises what is every hand-in's trouble; what is one's own is said of it alone."""
    if future.status == "cancelled":
        raise ClassError("The scheduler was lost: start it again, and go on with --resume.")
    error = future.exception()
    if error is None:
        found: Judged = future.result()
        return found
    if isinstance(error, ClassError):
        raise error
    why = f"the workers that graded this were lost ({type(error).__name__}): look at it by hand"
    return Judged(hand_in, lost=why)


_judge: WarmJudge | None = None


def _grade(task: JudgeTask) -> Judged:
    """On a worker: its judge is another process, and nothing is forked."""
    global _judge
    if _judge is None:
        _judge = WarmJudge()
    return _judge.grade(task)
