"""The parameter panel: names, hints, meanings, mends: each text in English and in Russian."""

from types import MappingProxyType

WORDS = MappingProxyType(
    {
        "parameters": ("Parameters", "Параметры"),
        "preset": ("Preset", "Набор"),
        "preset_own": ("your own", "свой"),
        "preset_librosa": ("librosa's defaults", "как в librosa"),
        "preset_notebook": ("the notebook's (fine pitch)", "как в ноутбуке (тонкая высота)"),
        "preset_esc50": ("what the classifier sees", "что видит классификатор"),
        "preset_speech": ("speech", "речь"),
        "preset_birdsong": ("birdsong", "пение птиц"),
        "preset_clicks": ("clicks and taps", "щелчки и стуки"),
        "p_sample_rate": ("Sample rate", "Частота дискретизации"),
        "h_sample_rate": (
            "The sound is resampled to this first; nothing above half of it exists.",
            "Сначала звук приводится к ней; выше её половины ничего нет.",
        ),
        "p_n_fft": ("FFT size", "Размер БПФ"),
        "h_n_fft": (
            "Samples in one transform. Larger: bins lie closer together.",
            "Отсчётов в одном преобразовании. Чем больше, тем меньше шаг по частоте.",
        ),
        "p_win_length": ("Window length", "Длина окна"),
        "h_win_length": (
            "Samples looked at together. Longer: finer pitch, blurred time.",
            "Сколько отсчётов видно сразу. Длиннее: точнее высота, размытее время.",
        ),
        "p_hop_length": ("Hop", "Шаг"),
        "h_hop_length": (
            "Samples from one frame to the next. Smaller: smoother in time.",
            "Отсчётов от кадра до кадра. Меньше: плавнее во времени.",
        ),
        "p_window": ("Window", "Окно"),
        "h_window": (
            "How a frame fades in and out. Hann is a good start; boxcar smears pitch.",
            "Как кадр нарастает и затухает. Начните с hann; boxcar размазывает высоту.",
        ),
        "p_n_mels": ("Mel bands", "Мел-полосы"),
        "h_n_mels": (
            "Rows of the picture, spaced as the ear hears pitch.",
            "Строки картинки, расставленные так, как ухо слышит высоту.",
        ),
        "p_fmin": ("Lowest frequency", "Нижняя частота"),
        "h_fmin": ("Where the lowest band begins.", "Где начинается нижняя полоса."),
        "p_fmax": ("Highest frequency", "Верхняя частота"),
        "h_fmax": (
            "Where the highest band ends; at most half of the rate.",
            "Где кончается верхняя полоса; не выше половины частоты дискретизации.",
        ),
        "p_n_mfcc": ("Coefficients", "Коэффициенты"),
        "h_n_mfcc": (
            "Made from the mel bands. No. 0, the overall level, is not drawn: it would drown the others.",
            "Получаются из мел-полос. № 0, общий уровень, не показан: он заглушил бы остальные.",
        ),
        "p_lifter": ("Liftering", "Лифтеринг"),
        "h_lifter": (
            "0: none. Otherwise lifts the small high coefficients; 22 is usual in speech.",
            "0: нет. Иначе поднимает малые старшие коэффициенты; для речи обычно 22.",
        ),
        "p_delta": ("Shown", "Показать"),
        "h_delta": (
            "A derivative says how the coefficients change from frame to frame.",
            "Производная говорит, как коэффициенты меняются от кадра к кадру.",
        ),
        "delta_0": ("the coefficients", "коэффициенты"),
        "delta_1": ("first derivative (delta)", "первую производную (дельта)"),
        "delta_2": ("second derivative (delta-delta)", "вторую производную (дельта-дельта)"),
        "p_top_db": ("Depth", "Глубина"),
        "h_top_db": ("How far below the loudest moment is kept.", "Насколько тише самого громкого места ещё видно."),
        "together": ("What they mean together", "Что это значит вместе"),
        "m_window_ms": ("Window", "Окно"),
        "m_hop_ms": ("A frame every", "Кадр каждые"),
        "m_bin_hz": ("Bin spacing", "Шаг по частоте"),
        "m_resolution_hz": ("Resolves tones", "Различает тоны"),
        "m_overlap": ("Overlap", "Перекрытие"),
        "m_frames": ("Frames", "Кадров"),
        "mend_to": ("Set {field} to {value}", "Поставить {field} = {value}"),
    }
)
