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
        "viewer_label": (
            "Click to seek, wheel or + and - to zoom, arrows to move, 0 for all, space to play.",
            "Щелчок: перейти; колесо или + и -: масштаб; стрелки: сдвиг; 0: всё; пробел: играть.",
        ),
        "colours": ("Colours", "Цвета"),
        "axis": ("Frequency axis", "Ось частот"),
        "axis_mel": ("mel", "мел"),
        "axis_linear": ("linear", "линейная"),
        "axis_log": ("log", "логарифм"),
        "axis_bark": ("bark", "барк"),
        "range": ("Shown levels", "Показанные уровни"),
        "range_low": ("darkest, dB", "самый тёмный, дБ"),
        "range_high": ("brightest, dB", "самый яркий, дБ"),
        "zoom_in": ("Zoom in", "Ближе"),
        "zoom_out": ("Zoom out", "Дальше"),
        "zoom_all": ("Show all", "Показать всё"),
        "key_head_left": ("Play head back", "Назад по звуку"),
        "key_head_right": ("Play head forward", "Вперёд по звуку"),
        "key_pan_left": ("Move the picture left", "Сдвинуть картинку влево"),
        "key_pan_right": ("Move the picture right", "Сдвинуть картинку вправо"),
        "key_begin": ("To the beginning", "В начало"),
        "key_end": ("To the end", "В конец"),
        "key_play": ("Play or pause", "Играть или пауза"),
        "amplitude": ("ampl.", "ампл."),
        "coefficient": ("coefficient", "коэффициент"),
        "row_number": ("no.", "№"),
        "wave_key": (
            "Light: least and greatest sample; dark: RMS. Full scale is 1.",
            "Светлое: наименьший и наибольший отсчёт; тёмное: RMS. Полная шкала: 1.",
        ),
        "point_at": (
            "Point at the picture, or tap it, to read time, frequency and level.",
            "Наведите на картинку или коснитесь её, чтобы прочесть время, частоту и уровень.",
        ),
    }
)
