"""Events of the page: fairly queued, wrong inputs answered with a typed error."""

from __future__ import annotations

import random
from collections import Counter
from itertools import chain
from typing import Any

import gradio as gr
from gradio.queueing import Event, Queue

from esc.errors import PageError
from esc.ui.i18n.catalogue import error_message
from esc.ui.i18n.language_switch import visitor_language
from esc.ui.server.error_replies import RequestLog

MAX_EVENTS = 256  # that wait, of all sessions
MAX_EVENTS_OF_ONE = 32  # that wait or are at work, of a session
SHARE = 4  # a session has at most this part of a queue's events at work


class FairQueue(Queue):
    """The queue of an app: the session with the fewest events at work is next."""

    async def push(self, body: Any, request: Any, username: str | None) -> Any:
        """Add an event, or return why it is refused."""
        waiting = list(chain.from_iterable(one.queue for one in self.event_queue_per_concurrency_id.values()))
        own = sum(event.session_hash == body.session_hash for event in chain(waiting, self._at_work()))
        if len(waiting) >= MAX_EVENTS or (body.session_hash is not None and own >= MAX_EVENTS_OF_ONE):
            language = visitor_language(request.cookies, request.headers)
            return False, error_message(PageError("page.busy"), language), "queue_full"
        return await super().push(body, request, username)

    def get_events(self) -> tuple[list[Event], bool, str] | None:
        """Return the next event in a list, if any; none is processed in batches."""
        queues = list(self.event_queue_per_concurrency_id.items())
        random.shuffle(queues)
        for name, queue in queues:
            limit = queue.concurrency_limit
            if not queue.queue or (limit is not None and queue.current_concurrency >= limit):
                continue
            at_work = Counter(event.session_hash for event in self._at_work() if event.concurrency_id == name)
            event = min(queue.queue, key=lambda one: at_work[one.session_hash])  # of equal ones the oldest
            if limit is None or at_work[event.session_hash] < max(1, limit // SHARE):
                queue.queue.remove(event)
                return [event], False, name
        return None

    def compute_analytics_summary(self, records: Any) -> dict[str, Any]:
        """Return statistics of no events.

        Gradio computes them by pandas after every event, which takes 4 ms, for its monitoring, which is off.
        """
        return self.cached_event_analytics_summary

    def _at_work(self) -> chain[Event]:
        return chain.from_iterable(job for job in self.active_jobs if job)


class CheckedBlocks(gr.Blocks):
    """Blocks whose events wait in a fair queue and answer wrong inputs."""

    def queue(self, *args: Any, **options: Any) -> CheckedBlocks:
        """Set the queue up."""
        super().queue(*args, **options)
        self.api_open = False  # no request passes the queue by
        self._queue.__class__ = FairQueue
        return self

    async def preprocess_data(self, block_fn: Any, inputs: list[Any], *args: Any, **options: Any) -> Any:
        """Return an event's inputs as its function gets them; missing ones are defaults."""
        defaults = [getattr(one, "value", None) for one in block_fn.inputs[len(inputs) :]]
        try:
            return await super().preprocess_data(block_fn, [*inputs, *defaults], *args, **options)
        except gr.Error:
            raise
        except Exception as error:
            labels = ", ".join(str(getattr(one, "label", None)) for one in block_fn.inputs)
            raise PageError("page.request", reason=f"/{block_fn.api_name}: {labels}") from error

    async def process_api(self, *args: Any, **options: Any) -> dict[str, Any]:
        """Run an event."""
        try:
            return await super().process_api(*args, **options)
        except gr.Error as error:
            error.print_exception = False
            raise
        except Exception as error:
            request = options.get("request")
            language = visitor_language(request.cookies, request.headers) if isinstance(request, gr.Request) else "en"
            name = getattr(options.get("block_fn"), "api_name", None) or "event"
            with RequestLog(name) as record:
                typed = record.failure(error)
            raise gr.Error(error_message(typed, language), print_exception=False) from error
