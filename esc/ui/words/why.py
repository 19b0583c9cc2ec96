"""How sure the network is, and what in the picture speaks for a class: each text in English and in Russian."""

from types import MappingProxyType

WORDS = MappingProxyType(
    {
        "verdict_unknown": ("None of the {count} sounds it knows", "Ни один из {count} знакомых сети звуков"),
        "verdict_unknown_why": (
            "The network's answer lies below the threshold for a known sound; these are only its nearest guesses.",
            "Ответ сети ниже порога знакомого звука; это лишь её ближайшие догадки.",
        ),
        "nearest": ("The {top} nearest guesses among {count} classes", "Ближайшие догадки: {top} из {count} классов"),
        "numbers_plain": (
            "Softmax probabilities, not calibrated, of a network that knows {count} sounds only: it names the nearest one "
            "even for a sound it has never met.",
            "Это вероятности softmax без калибровки. Сеть знает только {count} звуков: даже для незнакомого звука она "
            "назовёт ближайший.",
        ),
        "numbers_calibrated": (
            "Calibrated on sounds kept out of training: of all sounds named with 70 %, about 70 % are right. A sound that "
            "is none of the {count} should be refused, but some get a name all the same.",
            "Вероятности откалиброваны на звуках, которых сеть не видела: из названных с 70 % верны около 70 %. Звук не из "
            "этих {count} должен быть отвергнут, но иногда сеть всё же даёт ему имя.",
        ),
        "why_ask": ("Show what speaks for: {name}", "Показать, что говорит за: {name}"),
    }
)
