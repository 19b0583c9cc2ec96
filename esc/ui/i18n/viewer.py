"""The viewers of the sound and their toolbar: each text in English and in Russian."""

from types import MappingProxyType

WORDS = MappingProxyType(
    {
        "empty_mel": ("The mel spectrogram of your sound appears here.", "Здесь появится мел-спектрограмма вашего звука."),
        "empty_stft": (
            "The short-time Fourier transform of your sound appears here.",
            "Здесь появится оконное преобразование Фурье вашего звука.",
        ),
        "empty_mfcc": (
            "The mel-frequency cepstral coefficients of your sound appear here.",
            "Здесь появятся мел-кепстральные коэффициенты вашего звука.",
        ),
        "empty_wave": ("The waveform of your sound appears here.", "Здесь появится волна вашего звука."),
        "empty_hint": (
            "Drop in a file, record one, or choose an example above.",
            "Перетащите файл, запишите звук или выберите пример выше.",
        ),
        "empty_hint_touch": (
            "Choose a file, record a sound, or take an example above.",
            "Выберите файл, запишите звук или возьмите пример выше.",
        ),
        "viewer_label": (
            "Click to seek, wheel or + and - to zoom, arrows to move, 0 for all, space to play, ? for all keys.",
            "Щелчок: перейти; колесо или + и -: масштаб; стрелки: сдвиг; 0: всё; пробел: играть; ?: все клавиши.",
        ),
        "axis_mel": ("mel", "мел"),
        "axis_linear": ("linear", "линейная"),
        "axis_log": ("log", "логарифм"),
        "axis_bark": ("bark", "барк"),
        "amplitude": ("ampl.", "ампл."),
        "coefficient": ("coefficient", "коэффициент"),
        "row_number": ("no.", "№"),
        "wave_key": (
            "Light: least and greatest sample; dark: RMS. Full scale is 1.",
            "Светлое: наименьший и наибольший отсчёт; тёмное: RMS. Полная шкала: 1.",
        ),
        "point_at_touch": ("Tap the picture to read it.", "Коснитесь картинки, чтобы прочесть её."),
        "point_at": (
            "Point at the picture, or tap it, to read time, frequency and level.",
            "Наведите на картинку или коснитесь её, чтобы прочесть время, частоту и уровень.",
        ),
    }
)
