"""The most similar sounds: each text in English and in Russian."""

from types import MappingProxyType

WORDS = MappingProxyType(
    {
        "near_title_examples": ("Most similar example sounds", "Самые похожие из примеров"),
        "near_title_index": ("Most similar of {count} sounds", "Самые похожие (звуков в индексе: {count})"),
        "near_looking": ("Comparing …", "Сравниваю …"),
        "near_note": (
            "Similarity is the cosine between the {features} numbers that the network makes of a clip's first {seconds} s "
            "before it decides on a class; 1 is the very same sound.",
            "Сходство: косинус между векторами из {features} чисел, в которые сеть превращает первые {seconds} с звука, "
            "прежде чем выбрать класс; 1 значит тот же самый звук.",
        ),
        "near_silent": (
            "The first {seconds} s are silent: there is nothing to compare.",
            "Первые {seconds} с: тишина, сравнивать нечего.",
        ),
        "near_same": ("this very sound", "этот самый звук"),
        "near_play": ("Play {name}, similarity {similarity}", "Воспроизвести: {name}, сходство {similarity}"),
        "near_stop": ("Stop {name}", "Остановить: {name}"),
        "near_gone": ("The file is no longer where the index says.", "Файла больше нет там, где его запомнил индекс."),
        "near_none": ("The index holds no sounds.", "В индексе нет звуков."),
    }
)
