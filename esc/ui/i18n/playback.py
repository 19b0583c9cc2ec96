"""The ways of playing: each text in English and in Russian."""

from types import MappingProxyType

WORDS = MappingProxyType(
    {
        "play_selection": ("Selection", "Выделенное"),
        "play_selection_hint": ("Play only the selection", "Играть только выделенное"),
        "speed": ("Speed", "Скорость"),
        "speed_100": ("Normal speed", "Обычная скорость"),
        "speed_50": ("Half speed", "Вдвое медленнее"),
        "speed_25": ("Quarter speed", "Вчетверо медленнее"),
        "keep_pitch": ("Keep pitch", "Сохранять тон"),
        "keep_pitch_hint": (
            "Slower at the same pitch; off: the pitch falls with the speed, so that very high sounds can be heard",
            "Медленнее, но в том же тоне; выключено: тон падает вместе со скоростью, и слышны очень высокие звуки",
        ),
        "only_band": ("Selected band only", "Только полоса"),
        "only_band_hint": (
            "Hear only the selected frequencies: draw a selection with a lower and an upper edge",
            "Слышать только выделенные частоты: обведите область с нижней и верхней границей",
        ),
        "key_loop": ("Loop on or off", "По кругу: включить или выключить"),
        "key_speed": ("Next speed: normal, half, quarter", "Следующая скорость: обычная, 1/2, 1/4"),
        "key_pitch": ("Keep the pitch when slow, or let it fall", "Медленно: сохранять тон или дать ему упасть"),
        "heard_all": ("Playing all", "Звучит всё"),
        "heard_selection": ("Selection {start}–{end} s", "Выделенное {start}–{end} с"),
        "heard_band": ("{low}–{high} Hz only", "только {low}–{high} Гц"),
        "heard_no_band": ("no frequencies selected: all are heard", "частоты не выделены: слышны все"),
        "heard_falls": ("{speed}, pitch falls", "{speed}, тон ниже"),
        "heard_loop": ("loop", "по кругу"),
    }
)
