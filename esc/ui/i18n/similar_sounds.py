"""The most similar sounds: each text in English and in Russian."""

from types import MappingProxyType

WORDS = MappingProxyType(
    {
        "near_title_examples": ("Most similar example sounds", "Самые похожие из примеров"),
        "near_title_index": ("Most similar of {count} sounds", "Самые похожие (звуков в индексе: {count})"),
        "near_looking": ("Comparing …", "Сравниваю …"),
        "near_note": (
            "Similarity is the cosine between the {features} numbers that the network makes of {seconds} s of each sound, from "
            "where it is first heard, before it decides on a class; 1 is the very same sound.",
            "Сходство: косинус между векторами из {features} чисел, в которые сеть превращает {seconds} с каждого звука с того "
            "места, где он впервые слышен, прежде чем выбрать класс; 1 значит тот же самый звук.",
        ),
        "near_silent": ("The sound is silent: there is nothing to compare.", "В звуке одна тишина: сравнивать нечего."),
        "near_same": ("this very sound", "этот самый звук"),
        "near_play": ("Play {name}, similarity {similarity}", "Воспроизвести: {name}, сходство {similarity}"),
        "near_stop": ("Stop {name}", "Остановить: {name}"),
        "near_gone": ("The file is no longer where the index says.", "Файла больше нет там, где его запомнил индекс."),
        "near_none": ("The index holds no sounds.", "В индексе нет звуков."),
    }
)
