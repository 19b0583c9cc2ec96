"""What happens when: the timeline of a sound: each text in English and in Russian."""

from types import MappingProxyType

WORDS = MappingProxyType(
    {
        "strip_label": ("What was heard when. Enter plays.", "Что и когда слышно. Enter воспроизводит."),
        "none_known": ("none of the known sounds", "ни один из известных звуков"),
        "segment_is": ("{what}, {start} to {end}, {probability}", "{what}, от {start} до {end}, {probability}"),
        "play_segment": ("Play {what}", "Воспроизвести: {what}"),
        "total_is": (
            "{what}: {seconds} in {count} segment(s), mean confidence {probability}",
            "{what}: {seconds}, отрезков: {count}, средняя уверенность {probability}",
        ),
        "hop": ("A window every", "Окно через"),
        "hop_100": ("a clip: fast", "отрезок: быстро"),
        "hop_50": ("half a clip", "пол-отрезка"),
        "hop_25": ("a quarter clip: fine", "четверть: подробно"),
        "listen_again": ("Listen again", "Слушать заново"),
        "heard_so_far": ("Heard so far", "Прослушано"),
        "waiting_turn": ("Waiting for a free place …", "Жду свободного места …"),
        "heard_of": ("{done} of {total}", "{done} из {total}"),
        "stopped_at": ("Stopped at {done} of {total}", "Остановлено на {done} из {total}"),
        "heard_in": ("Heard in {total}", "За {total} слышно"),
        "heard_till_now": ("Heard so far", "Пока слышно"),
        "mostly": ("mostly {what}", "в основном {what}"),
        "and_more": ("{some} and {more} more", "{some} и ещё {more}"),
        "opening_alone": (
            "{start} to {end} by themselves: where sound begins",
            "{start}–{end} отдельно: там, где начинается звук",
        ),
        "uncertain": ("uncertain", "неясно"),
        "uncertain_guess": ("{what}?", "{what}?"),
        "uncertain_is": (
            "uncertain, {start} to {end}; the likeliest guess: {what}, {probability}",
            "неясно, от {start} до {end}; самая вероятная догадка: {what}, {probability}",
        ),
        "uncertain_row": ("uncertain: {what}?", "неясно: {what}?"),
        "uncertain_total": (
            "uncertain for {seconds}: no class was likely enough there to be named",
            "неясно: {seconds}; там ни один класс не был достаточно вероятен",
        ),
        "silence_total": ("silence for {seconds}", "тишина: {seconds}"),
        "first_alone": ("The first {seconds} by themselves", "Первые {seconds} отдельно"),
        "nothing_sure_means": (
            "At no moment was one class likelier than all others together.",
            "Ни в один момент ни один класс не был вероятнее всех остальных вместе.",
        ),
        "nothing_sure": ("Nothing it is sure of", "Ничего определённого"),
        "segments": ("What was heard when", "Что и когда слышно"),
        "column_class": ("Sound", "Звук"),
        "column_start": ("Start", "Начало"),
        "column_end": ("End", "Конец"),
        "column_duration": ("Length", "Длина"),
        "column_probability": ("Confidence", "Уверенность"),
        "download": ("Download", "Скачать"),
        "form_json": ("JSON", "JSON"),
        "form_csv": ("CSV", "CSV"),
        "form_audacity": ("Audacity labels", "Метки Audacity"),
        "form_raven": ("Raven table", "Таблица Raven"),
    }
)
