"""What is it? The tab that names the sound: each text in English and in Russian."""

from types import MappingProxyType

WORDS = MappingProxyType(
    {
        "empty_classify": (
            "What the network hears in your sound appears here.",
            "Здесь появится, что сеть слышит в вашем звуке.",
        ),
        "listening": ("Listening …", "Слушаю …"),
        "hear_top": ("It sounds most like", "Больше всего похоже на"),
        "verdict_silence": (
            "This is silence: no sample rises above {limit_db} dBFS. The network was not asked.",
            "Это тишина: ни один отсчёт не выше {limit_db} dBFS. Сеть не спрашивали.",
        ),
        "probabilities": ("The {top} likeliest of {count} classes", "Самые вероятные классы: {top} из {count}"),
        "given": ("What the network was given", "Что получила сеть"),
        "given_cut": ("The first {seconds} s of your sound.", "Первые {seconds} с вашего звука."),
        "given_whole": ("Your sound, {seconds} s.", "Ваш звук, {seconds} с."),
        "given_padded": (
            "Your sound lasts {own} s; its ends were mirrored to make {seconds} s.",
            "Ваш звук длится {own} с; края отражены, чтобы вышло {seconds} с.",
        ),
        "picture_saw": (
            "The picture it saw: {rows} mel bands by {columns} frames",
            "Картинка, которую она видела: {rows} мел-полос на {columns} кадров",
        ),
        "play_clip": ("Play this clip", "Воспроизвести этот отрезок"),
        "no_model": ("The classifier is switched off.", "Классификатор выключен."),
        "no_model_rest": ("All other tabs work.", "Остальные вкладки работают."),
    }
)
