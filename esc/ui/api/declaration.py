"""Declaration of the endpoints in the app."""

from __future__ import annotations

import gradio as gr
from gradio.components import Component

from esc.audio.channels import MEAN
from esc.config import PRESETS
from esc.ui.api.endpoints import Endpoints
from esc.ui.api.matrix_endpoints import SURFACE_COLUMNS
from esc.ui.tabs.base import NETWORK
from esc.ui.tabs.saliency import SaliencyTab


def declare_endpoints(endpoints: Endpoints) -> None:
    """Declare the endpoints inside a gr.Blocks; they show nothing on the page."""

    def declare(name: str, inputs: list[Component], outputs: list[Component], limit: int, queue: str) -> None:
        function = getattr(endpoints, name)
        gr.Button().click(function, [*inputs, *reading], outputs, api_name=name, concurrency_limit=limit, concurrency_id=queue)

    # not in the layout, since the browser would fetch what draws them; a container would bring forms around them
    with gr.Row(render=False) as row:
        sound = gr.File(type="filepath", label="sound")
        preset = gr.Dropdown(list(PRESETS), value="librosa", label="preset", container=False)
        changes = gr.JSON(label="changes")
        channel = gr.Textbox(value=MEAN, label="channel", container=False)
        reading = [gr.Number(value=1.0, label=label, container=False) for label in ("full_scale", "time_expansion")]
        rate = gr.Number(value=None, label="sample_rate", container=False)
        matrix, classes = gr.File(label="matrix"), gr.Label(num_top_classes=6, label="classes")
        for name in ("mel", "stft", "mfcc"):
            declare(name, [sound, preset, changes, channel], [gr.JSON(label=name), matrix], 2, "matrices")
        columns = gr.Number(value=SURFACE_COLUMNS, label="columns", container=False)
        declare("surface", [sound, preset, changes, columns, channel], [gr.JSON(label="surface"), matrix], 2, "matrices")
        declare("waveform", [sound, rate, channel], [gr.JSON(label="facts"), matrix], 2, "matrices")
        label = gr.Textbox(value=None, label="label", container=False)
        start, end = gr.Number(value=None, label="start", container=False), gr.Number(value=None, label="end", container=False)
        declare("classify", [sound, channel, start, end], [classes], NETWORK.limit, NETWORK.name)
        declare(
            "explain",
            [sound, label, start, channel, end],
            [gr.JSON(label="explanation"), matrix],
            SaliencyTab.queue.limit,
            SaliencyTab.queue.name,
        )
        hop = gr.Number(value=None, label="hop_seconds", container=False)
        declare("timeline", [sound, hop, channel], [gr.JSON(label="timeline")], 8, "api_timelines")
    for component in row.children:
        component.visible = False  # Gradio's page waits for all visible ones before its first event
