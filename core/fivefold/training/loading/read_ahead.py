"""Reading batches in threads, ahead of whoever takes them, in their order and never too far."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice

from torch import Tensor

from fivefold.data.dataset import Batch


class ReadAhead:
    """Threads that read batches; they live until `close`.

    Args:
        read: gives the batch of the indices, shape ``(B,)``; called in the threads.
        threads: how many call it at once.
        ahead: batches that are being read or wait to be taken, at most.
        close: makes calls of ``read`` that are under way end soon.
    """

    def __init__(
        self,
        read: Callable[[Tensor], Batch],
        *,
        threads: int,
        ahead: int,
        close: Callable[[], None] = lambda: None,
    ) -> None:
        self._read = read
        self._ahead = ahead
        self._close = close
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="fivefold-loader")

    def read(self, batches: Iterable[Tensor]) -> Generator[Batch]:
        """The batches, in that order; what ``read`` raises for one of them is raised in its turn."""
        waiting = iter(batches)
        queue: deque[Future[Batch]] = deque()
        try:
            queue.extend(self._pool.submit(self._read, indices) for indices in islice(waiting, self._ahead))
            while queue:
                batch = queue.popleft().result()
                for indices in islice(waiting, 1):
                    queue.append(self._pool.submit(self._read, indices))
                yield batch
        finally:
            for future in queue:
                future.cancel()

    def close(self) -> None:
        """End the threads; what is being read is finished first, what waits is not begun."""
        self._close()
        self._pool.shutdown(wait=True, cancel_futures=True)
