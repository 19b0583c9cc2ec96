"""The frame of the page, and what all its parts say: each text in English and in Russian."""

from types import MappingProxyType

WORDS = MappingProxyType(
    {
        "title": ("Soundglass", "Soundglass"),
        "header": (
            "# Soundglass\nSee a sound, adjust its parameters, and hear from a neural network what it is.",
            "# Soundglass\nУвидьте звук, покрутите параметры и узнайте от нейросети, что это.",
        ),
        "tab_mel": ("Mel", "Мел"),
        "tab_stft": ("STFT", "STFT"),
        "tab_mfcc": ("MFCC", "MFCC"),
        "tab_wave": ("Wave", "Волна"),
        "tab_surface": ("3D", "3D"),
        "tab_classify": ("What is it?", "Что это?"),
        "tab_files": ("Files", "Файлы"),
        "silence": ("silence", "тишина"),
        "close": ("Close", "Закрыть"),
        "offline": (
            "The server does not answer. Check that it is still running, then try again.",
            "Сервер не отвечает. Проверьте, что он запущен, и повторите.",
        ),
        "time_axis": ("time, s", "время, с"),
        "freq_axis": ("Hz", "Гц"),
        "level_axis": ("dB", "дБ"),
        "unit_samples": ("samples", "отсчётов"),
        "unit_hz": ("Hz", "Гц"),
        "unit_ms": ("ms", "мс"),
        "unit_s": ("s", "с"),
        "unit_db": ("dB", "дБ"),
        "unit_bands": ("", ""),
        "again": ("Try again", "Повторить"),
        "footer": (
            "Runs on this server alone; sounds are deleted after use.",
            "Всё считает только этот сервер; звуки удаляются после работы.",
        ),
    }
)
