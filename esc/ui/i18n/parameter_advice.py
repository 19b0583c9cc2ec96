"""The parameter coach: what parameters mean, where they mislead, the box on the picture: each text in English and in Russian."""

from types import MappingProxyType

WORDS = MappingProxyType(
    {
        "note_gaps": (
            "{share} % of the samples lie between frames and no frame sees them: the hop is longer than the window.",
            "{share} % отсчётов лежат между кадрами, и ни один кадр их не видит: шаг длиннее окна.",
        ),
        "note_thin": (
            "A click between two frames shows up to {loss} dB too low: the frames hardly overlap.",
            "Щелчок между двумя кадрами показан слабее на величину до {loss} дБ: кадры почти не перекрываются.",
        ),
        "note_unseen": (
            "A click right between two frames does not show at all: the frames don't overlap.",
            "Щелчок ровно между двумя кадрами не виден вовсе: кадры не перекрываются.",
        ),
        "note_long": (
            "The window ({window} ms) is longer than the sound ({sound} ms): the picture says which pitch, not when.",
            "Окно ({window} мс) длиннее звука ({sound} мс): видно, какая высота, но не видно, когда.",
        ),
        "note_top": (
            "The file holds nothing above {own} Hz: {share} % of the rows stay dark.",
            "В файле нет ничего выше {own} Гц: {share} % строк останутся тёмными.",
        ),
        "note_rate": (
            "The file goes on above {top} Hz, which is not shown at this rate.",
            "В файле есть частоты выше {top} Гц; при этой частоте дискретизации их не видно.",
        ),
        "rate_use": ("Show up to {own} Hz", "Показать до {own} Гц"),
        "note_empty": (
            "{count} mel bands stay black whatever the sound (nos. {bands}): they are narrower than the {bin} Hz "
            "between two bins.",
            "Мел-полосы без данных: {count} (№ {bands}). Они уже, чем {bin} Гц между полосами БПФ, и останутся "
            "чёрными при любом звуке.",
        ),
        "note_deep": (
            "{share} % of the picture is more than {depth} dB below the loudest and shows as the darkest colour.",
            "{share} % картинки тише самого громкого более чем на {depth} дБ и показано самым тёмным цветом.",
        ),
        "note_padding": (
            "Most of each transform is zeros: a bin every {bin} Hz looks smooth, but tones closer than {hz} Hz still merge.",
            "Преобразование почти всё из нулей: шаг {bin} Гц выглядит гладко, но тоны ближе {hz} Гц всё равно сливаются.",
        ),
        "note_apart": (
            "The selection spans {span} Hz, but tones closer than {hz} Hz merge.",
            "Выделено {span} Гц, но тоны ближе {hz} Гц сливаются.",
        ),
        "note_mend": ("Set {changes}", "Поставить: {changes}"),
        "m_resolution_ms": ("Resolves clicks", "Различает щелчки"),
        "box": ("Box on the picture", "Рамка на картинке"),
        "box_hint": (
            "What lies within the box can't be told apart: its width in time, its height in frequency.",
            "Что лежит в рамке, не различить: ширина — время, высота — частота.",
        ),
        "box_by_window": ("{ms} ms × {hz} Hz: the window", "{ms} мс × {hz} Гц: окно"),
        "box_by_band": ("{ms} ms × {hz} Hz: window, mel band", "{ms} мс × {hz} Гц: окно, мел-полоса"),
        "box_by_hop": ("{ms} ms × {hz} Hz: hop, window", "{ms} мс × {hz} Гц: шаг, окно"),
        "box_by_both": ("{ms} ms × {hz} Hz: hop, mel band", "{ms} мс × {hz} Гц: шаг, мел-полоса"),
    }
)
