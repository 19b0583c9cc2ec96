"""The 3D view: each text in English and in Russian."""

from types import MappingProxyType

WORDS = MappingProxyType(
    {
        "empty_surface": (
            "Your sound appears here as a landscape to turn.",
            "Здесь появится ваш звук: рельеф, который можно вращать.",
        ),
        "no_webgl": ("This browser does not draw in 3D.", "Этот браузер не рисует в 3D."),
        "no_webgl_hint": (
            "It has no WebGL, or it is switched off: allow hardware acceleration in its settings. All other tabs work without.",
            "В нём нет WebGL, или он выключен: разрешите аппаратное ускорение в настройках. Остальным вкладкам оно не нужно.",
        ),
        "surface_of": ("What stands up", "Что показано"),
        "of_mel": ("mel", "мел"),
        "of_stft": ("STFT", "STFT"),
        "light": ("Light", "Свет"),
        "light_soft": ("soft", "мягкий"),
        "light_glossy": ("glossy", "с блеском"),
        "light_flat": ("none", "без"),
        "height": ("Height", "Высота"),
        "cameras": ("Point of view", "Точка обзора"),
        "camera_corner": ("Corner", "С угла"),
        "camera_above": ("Above", "Сверху"),
        "camera_side": ("Side", "Сбоку"),
        "camera_waterfall": ("Waterfall", "Водопад"),
        "surface_hint": (
            "Drag to turn, wheel to come closer, click to play from there. The time shown is the other tabs'.",
            "Тяните, чтобы вращать; колесо приближает, щелчок переносит указатель звука. Время — как в других вкладках.",
        ),
        "surface_hint_touch": (
            "Drag to turn, pinch to come closer, tap to play from there. The time shown is the other tabs'.",
            "Тяните, чтобы вращать; сведите или разведите пальцы: масштаб; касание переносит указатель звука.",
        ),
        "surface_label": (
            "Drag or use A, D, W, S to turn, Q and E to come closer, space to play.",
            "Вращать: тяните или A, D, W, S; ближе и дальше: Q и E; пробел: играть.",
        ),
        "save_png": ("Save as a picture (PNG)", "Сохранить картинку (PNG)"),
        "save_html": ("Save as a page to turn (HTML)", "Сохранить страницу, которую можно вращать (HTML)"),
        "saved_page": (
            "Drag to turn, wheel to come closer. Made with Soundglass.",
            "Тяните, чтобы вращать; колесо приближает. Сделано в Soundglass.",
        ),
        "drawing": ("Drawing …", "Рисую …"),
        "turn_left": ("Turn left", "Повернуть влево"),
        "turn_right": ("Turn right", "Повернуть вправо"),
        "turn_up": ("Look from higher up", "Смотреть выше"),
        "turn_down": ("Look from lower down", "Смотреть ниже"),
        "come_closer": ("Come closer", "Подойти ближе"),
        "step_back": ("Step back", "Отойти дальше"),
        "gesture_drag": ("Drag", "Протянуть"),
        "gesture_right_drag": ("Drag, right button", "Протянуть правой кнопкой"),
        "gesture_turn": ("Turn", "Повернуть"),
        "gesture_shift": ("Move", "Сдвинуть"),
        "gesture_closer": ("Come closer or step back", "Подойти ближе или отойти"),
    }
)
