"""Selection, harmonic cursor and spectrum slice: each text in English and in Russian."""

from types import MappingProxyType

WORDS = MappingProxyType(
    {
        "selection": ("Selection", "Выделение"),
        "sel_none": (
            "Nothing is selected: drag over the picture with Shift held or the select tool.",
            "Ничего не выделено: протяните по картинке с Shift или инструментом выделения.",
        ),
        "sel_none_touch": (
            "Nothing is selected: choose the select tool and drag over the picture.",
            "Ничего не выделено: возьмите инструмент выделения и протяните по картинке.",
        ),
        "sel_meaning": (
            "Levels in the STFT's dB; RMS and amplitude of the samples.",
            "Уровни в дБ STFT; RMS и амплитуда по отсчётам.",
        ),
        "sel_sampled": (
            "So long a selection is sampled: levels from {measured} of its {frames} frames.",
            "Такое длинное выделение берётся выборочно: уровни по {measured} кадрам из {frames}.",
        ),
        "sel_start": ("Start", "Начало"),
        "sel_start_hint": ("Where the selection starts", "Где начинается выделение"),
        "sel_end": ("End", "Конец"),
        "sel_end_hint": ("Where the selection ends", "Где кончается выделение"),
        "sel_duration": ("Duration", "Длительность"),
        "sel_duration_hint": ("End less start", "Конец минус начало"),
        "sel_band": ("Frequencies", "Частоты"),
        "sel_band_hint": ("The lowest and the highest selected frequency", "Нижняя и верхняя выделенная частота"),
        "sel_all": ("all", "все"),
        "sel_mean": ("Mean level", "Средний уровень"),
        "sel_mean_hint": (
            "dB of the mean power over all frames and bins of the STFT inside the selection",
            "дБ средней мощности по всем кадрам и полосам STFT внутри выделения",
        ),
        "sel_peak": ("Peak level", "Пиковый уровень"),
        "sel_peak_hint": (
            "The loudest single value of the STFT inside the selection",
            "Самое громкое значение STFT внутри выделения",
        ),
        "sel_peak_hz": ("Peak frequency", "Частота пика"),
        "sel_peak_hz_hint": (
            "Finer than the bins: the top of the parabola through the levels of the loudest bin and its neighbours",
            "Точнее полос: вершина параболы через уровни самой громкой полосы и её соседок",
        ),
        "sel_peak_s": ("Peak time", "Время пика"),
        "sel_peak_s_hint": ("The middle of the loudest frame", "Середина самого громкого кадра"),
        "sel_rms": ("RMS", "RMS"),
        "sel_rms_hint": (
            "Root mean square of the samples in this time, in all frequencies",
            "Среднеквадратичное значение отсчётов за это время, по всем частотам",
        ),
        "sel_amplitude": ("Peak amplitude", "Пиковая амплитуда"),
        "sel_amplitude_hint": (
            "Greatest magnitude of the samples in this time; full scale is 1",
            "Наибольшая по модулю величина отсчётов за это время; полная шкала равна 1",
        ),
        "sel_copy": ("Copy", "Копировать"),
        "sel_copy_hint": ("Copy the figures as text", "Скопировать числа как текст"),
        "sel_csv": ("Copy CSV", "CSV"),
        "sel_csv_hint": ("Copy the figures as a table for programs", "Скопировать числа как таблицу для программ"),
        "sel_save": ("Save WAV", "Сохранить WAV"),
        "sel_save_hint": (
            "Save this stretch of the file: all its channels, no sample changed",
            "Сохранить этот отрезок файла: все каналы, отсчёты без изменений",
        ),
        "sel_copied": ("Copied.", "Скопировано."),
        "sel_not_copied": ("The browser does not let this page copy.", "Браузер не даёт странице копировать."),
        "harmonics": ("Harmonic cursor", "Курсор гармоник"),
        "key_harmonics": ("Harmonic cursor; a click keeps it there", "Курсор гармоник; щелчок закрепляет его"),
        "key_band": ("Hear only the selected frequencies", "Слышать только выделенные частоты"),
        "slice": ("Spectrum beside the picture", "Спектр рядом с картинкой"),
        "key_slice": ("Spectrum beside the picture", "Спектр рядом с картинкой"),
        "slice_pointer": ("at {time} s", "в {time} с"),
        "slice_head": ("play head, {time} s", "указатель, {time} с"),
        "slice_selection": ("mean of the selection", "среднее выделенного"),
        "slice_peak": ("peak", "пик"),
    }
)
