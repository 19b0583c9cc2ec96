"""Base of the tabs: a component over a browser module, its server functions and event."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from esc.example_sounds import example_sounds
from esc.ui.inference.taught_networks import TaughtNetworks
from esc.ui.inference.timeline_runs import TimelineRuns
from esc.ui.server.error_replies import RequestLog, error_reply
from esc.ui.server.handlers import Handlers
from esc.ui.server.public.files import script_url
from esc.ui.server.public.scripts import script_of
from esc.ui.server.requests import PageRequest, SoundRequest, checked
from esc.ui.sessions.fair_turns import FairTurns
from esc.ui.sessions.sound import Session, Sound
from esc.ui.sessions.sound_store import SoundStore
from esc.ui.sessions.uploaded_files import UploadedFiles


@dataclass(frozen=True)
class Services:
    """The objects that all parts of one app share."""

    store: SoundStore
    handlers: Handlers
    uploads: UploadedFiles
    turns: FairTurns
    runs: TimelineRuns
    checkpoint: Path  # a folder; it is read only when something is classified
    examples: UploadedFiles  # of classes to teach
    taught: TaughtNetworks

    @classmethod
    def create(cls, folder: Path, upload_folder: Path, checkpoint: Path) -> Services:
        """Return the services of an app; `folder` is its own, `upload_folder` the server's."""
        store, uploads = SoundStore(folder / "samples", folder / "playable"), UploadedFiles(folder / "uploads")
        examples = UploadedFiles(folder / "taught-examples")
        handlers = Handlers(store, upload_folder, example_sounds(), (uploads, examples))
        turns = FairTurns()
        return cls(
            store,
            handlers,
            uploads,
            turns,
            TimelineRuns(store, checkpoint, turns),
            checkpoint,
            examples,
            TaughtNetworks(folder, folder / "playable"),
        )

    def delete_old(self) -> None:
        """Drop idle sessions, and delete old uploads and saved selections."""
        self.store.drop_idle()
        self.handlers.delete_old()


@dataclass(frozen=True)
class Queue:
    """The Gradio queue in which an event's requests wait."""

    name: str
    limit: int = 8  # of requests at a time; at the network they take turns


NETWORK = Queue("network")


class Tab:
    """A component of the page.

    A subclass names its browser module and, where it has one, its event. The event brings a dict from the page; the method of
    that name returns the reply, or yields several, and they arrive in the component's value. `functions` are methods that the
    module calls outside Gradio's queue.
    """

    module: str  # below assets/js
    elem_id: str
    template: str
    event: str = ""
    queue = NETWORK
    functions: tuple[str, ...] = ()

    def __init__(self, services: Services) -> None:
        self.services, self.store, self.checkpoint = services, services.store, services.checkpoint

    def props(self) -> dict[str, Any]:
        """Return what the module finds in its `props`."""
        return {}

    def server_functions(self) -> list[Callable[[Any], dict]]:
        """Return what the module finds in its `server`."""
        return self.services.handlers.wrap(*(getattr(self, name) for name in self.functions))

    def component(self) -> gr.HTML:
        """Place the component, with its event."""
        component = gr.HTML(
            html_template=self.template,
            js_on_load=mount_script(self.module, self.event),
            server_functions=self.server_functions(),
            apply_default_css=False,
            elem_id=self.elem_id,
            **self.props(),
        )
        if self.event:
            getattr(component, self.event)(
                self._replies if inspect.isgeneratorfunction(getattr(self, self.event)) else self._reply,
                None,
                component,
                api_visibility="private",
                show_progress="hidden",
                trigger_mode="multiple",  # "always_last" repeats the data of the request before: see tabs/newest_only.js
                concurrency_limit=self.queue.limit,
                concurrency_id=self.queue.name,
            )
        return component

    def _reply(self, event: gr.EventData) -> dict:
        (reply,) = self.replies(event._data)  # read to its end: the log has the outcome
        return reply

    def _replies(self, event: gr.EventData) -> Iterator[dict]:
        yield from self.replies(event._data)

    def replies(self, request: object) -> Iterator[dict]:
        """Yield the replies to the event, each with its sound, turn and number.

        Errors become replies as well. `request` comes from a browser and is checked by the model of the event's method.
        """
        request = request if isinstance(request, dict) else {}
        about = {name: request[name] for name in ("sound", "turn", "number") if name in request}
        language, method = "en", getattr(self, self.event)
        with RequestLog(self.event) as record:
            try:
                # the session itself is not kept: the page may be closed in the middle of a long run
                language = self.store.session(request.get("token")).language
                answer = method(checked(method, request))
                for reply in [answer] if isinstance(answer, dict) else answer:
                    yield about | reply
            except Exception as error:
                yield about | error_reply(record.failure(error), language)

    def session(self, request: PageRequest) -> Session:
        """Return the session of a request, by its `token`."""
        return self.store.session(request.token)

    def checkpoints_of(self, request: PageRequest) -> tuple[Path, ...]:
        """Return the checkpoints in use, one or two, see `TaughtNetworks.checkpoints`."""
        return self.services.taught.checkpoints(self.session(request), self.checkpoint)

    def checkpoint_of(self, request: PageRequest) -> Path:
        """Return the first of the checkpoints in use."""
        return self.checkpoints_of(request)[0]

    def sound(self, request: SoundRequest) -> Sound:
        """Return the `sound` of a request, by its id."""
        return self.store.sound(request.token, request.sound)


def mount_script(module: str, event: str) -> str:
    """Return the script that mounts a browser module on its component.

    `mountModule` is in the page's head. Gradio finds a component's own event by its quoted name in the script.
    """
    return f"""
        const event = {event!r};
        const url = new URL('{script_url(script_of(module))}', document.baseURI).href;
        mountModule(url, '{module}', {{ element, server, upload, watch, trigger, props }});
    """
