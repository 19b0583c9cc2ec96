"""The layers over a picture and in its place: each text in English and in Russian."""

from types import MappingProxyType

WORDS = MappingProxyType(
    {
        "layers": ("Layers", "Слои"),
        "layers_over": ("Over the picture", "Поверх картинки"),
        "layers_instead": ("In the picture's place", "Вместо картинки"),
        "layer_none": ("the spectrogram itself", "сама спектрограмма"),
        "layer_pitch": ("Pitch", "Высота тона"),
        "about_pitch": ("pYIN, C2 to C7; slow", "pYIN, от до большой октавы до до четвёртой; медленно"),
        "short_pitch": ("pitch", "высота"),
        "layer_centroid": ("Centroid and bandwidth", "Центроид и ширина"),
        "about_centroid": ("where the spectrum has its centre, how far it spreads", "где центр спектра и как он широк"),
        "short_centroid": ("centroid", "центроид"),
        "layer_loudness": ("Loudness", "Громкость"),
        "about_loudness": ("A-weighted level re full scale", "уровень по кривой A от полной шкалы"),
        "layer_onsets": ("Onsets", "Начала звуков"),
        "about_onsets": ("peaks of the spectral flux", "пики спектрального потока"),
        "short_onset": ("onset", "начало"),
        "layer_constant_q": ("Constant-Q", "Constant-Q"),
        "about_constant_q": ("24 bins an octave from C1 up", "24 полосы на октаву, от до контроктавы"),
        "layer_reassigned": ("Reassigned", "Переназначенная"),
        "about_reassigned": ("energy moved to where it lies", "энергия перенесена туда, где она есть"),
        "layer_pcen": ("PCEN", "PCEN"),
        "about_pcen": ("each row against its own background", "каждая строка относительно своего фона"),
        "layer_harmonic": ("Harmonic part", "Гармоническая часть"),
        "about_harmonic": ("what goes on in time; slow", "что длится во времени; медленно"),
        "layer_percussive": ("Percussive part", "Ударная часть"),
        "about_percussive": ("what goes across frequencies; slow", "что идёт поперёк частот; медленно"),
        "layer_first": ("starting; the first time takes longer", "запускается; первый раз дольше"),
        "layer_waiting": ("waiting for another one", "ждёт другого"),
        "layer_cancel": ("Cancel", "Отменить"),
        "layer_remove": ("Remove", "Убрать"),
        "layer_ended": ("This was ended. Choose it again.", "Остановлено. Выберите снова."),
        "unit_dba": ("dB(A)", "дБ(A)"),
    }
)
