"""The 3D view: each text in English and in Russian."""

from types import MappingProxyType

WORDS = MappingProxyType(
    {
        "empty_surface": (
            "Your sound appears here as a landscape to turn.",
            "Здесь появится ваш звук: рельеф, который можно вращать.",
        ),
        "light": ("Light", "Свет"),
        "light_soft": ("soft", "мягкий"),
        "light_glossy": ("glossy", "с блеском"),
        "light_flat": ("none", "без"),
        "height": ("Height", "Высота"),
        "camera_corner": ("corner", "с угла"),
        "camera_above": ("above", "сверху"),
        "camera_side": ("side", "сбоку"),
        "camera_waterfall": ("waterfall", "водопад"),
        "surface_hint": (
            "Drag to turn, wheel to come closer, right button to move. The time shown is the other tabs'.",
            "Тяните, чтобы вращать; колесо приближает, правая кнопка сдвигает. Время — как в других вкладках.",
        ),
    }
)
