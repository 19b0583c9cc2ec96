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
        "why_title": ("Why “{name}”?", "Почему «{name}»?"),
        "why_wait": ("Looking at what speaks for it …", "Смотрю, что говорит за это …"),
        "why_none": (
            "Nothing in this picture speaks for this class.",
            "В этой картинке ничто не говорит за этот класс.",
        ),
        "why_choices": ("Class whose evidence is shown", "Класс, доводы за который показаны"),
        "why_other": ("another class …", "другой класс …"),
        "why_strength": ("Strength", "Сила"),
        "why_nothing": ("nothing", "ничего"),
        "why_most": ("most", "больше всего"),
        "why_map": ("Heat map of what speaks for: {name}", "Тепловая карта того, что говорит за: {name}"),
        "why_silence": ("This stretch is silence: the network was not asked.", "Этот отрезок тих: сеть не спрашивали."),
        "why_means": (
            "Coloured is what raised the network's score for this class, told apart down to some {seconds} s and {bands} "
            "bands. It shows where the network found its evidence, not whether the evidence is right. Each class has a "
            "scale of its own: compare places, not classes.",
            "Цветом показано, что подняло оценку сети за этот класс; различимо примерно до {seconds} с и {bands} полос. "
            "Видно, где сеть нашла доводы, но не то, верны ли они. У каждого класса своя шкала: сравнивайте места, а не классы.",
        ),
        "why_tested": (
            "Tested on {clips} clips kept out of training: covering the {share} % of the picture that the map marks most "
            "lowers the class from {before} % to {marked} % on average, covering as much elsewhere only to {random} %.",
            "Проверено на записях вне обучения ({clips}): если закрыть {share} % картинки, отмеченные картой сильнее всего, "
            "вероятность класса падает в среднем с {before} % до {marked} %, а если столько же в другом месте, лишь до "
            "{random} %.",
        ),
        "given_window": ("From {start} to {end} of your sound.", "От {start} до {end} вашего звука."),
        "why_ask": ("Show what speaks for: {name}", "Показать, что говорит за: {name}"),
    }
)
