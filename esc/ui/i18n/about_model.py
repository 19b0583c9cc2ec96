"""About the model: each text in English and in Russian."""

from types import MappingProxyType

WORDS = MappingProxyType(
    {
        "tab_about": ("About the model", "О модели"),
        "about_wait": ("Reading what is known of the model …", "Читаю, что известно о модели …"),
        "about_off": (
            "There is no model to tell of. All other tabs work.",
            "Рассказать не о чем: модели нет. Остальные вкладки работают.",
        ),
        "about_head": (
            "A {architecture} that names which of {classes} environmental sounds a clip of {seconds} s is.",
            "Сеть {architecture}: называет, какой из {classes} звуков окружения слышен на отрезке в {seconds} с.",
        ),
        "about_missing": ("Not measured yet. This command measures it:", "Ещё не измерено. Измерит команда:"),
        "about_unmeasured": ("not measured", "не измерено"),
        "about_accuracy": ("accuracy, held out", "доля верных, вне обучения"),
        "about_clips": ("clips", "записей"),
        "about_folds": ("fold {folds}", "фолд {folds}"),
        "about_ece": ("calibration error (ECE)", "ошибка калибровки (ECE)"),
        "about_before": ("{before} before", "было {before}"),
        "about_auroc": ("unknown sounds, AUROC", "незнакомые звуки, AUROC"),
        "about_protocol": ("How it was made and measured", "Как её обучили и измерили"),
        "about_protocol_said": (
            "Trained on folds {train} of ESC-50 and measured on fold {valid}, which it never saw, at the last epoch, not the "
            "best one, with no test-time augmentation. {epoch} epochs in {time} on {device}, seed {seed}. It is given mel "
            "spectrograms of {bands} bands, {low} to {high} Hz, at {rate} Hz, n_fft {n_fft}, hop {hop}.",
            "Обучена на фолдах {train} набора ESC-50 и измерена на фолде {valid}, которого не видела: в последнюю эпоху, а не в "
            "лучшую, без аугментации при проверке. Эпох: {epoch} за {time} на {device}, зерно {seed}. Ей дают "
            "мел-спектрограммы: полос {bands}, от {low} до {high} Гц, при {rate} Гц, n_fft {n_fft}, шаг {hop}.",
        ),
        "about_hours": ("{hours} h", "{hours} ч"),
        "about_minutes": ("{minutes} min", "{minutes} мин"),
        "about_siblings": (
            "On fold {valid} this network names {accuracy} right. Accuracy and calibration above, and reliability, recall and "
            "confusions below, are of it and of networks made the same way, each read on the fold that it never saw.",
            "На фолде {valid} эта сеть права в {accuracy} случаев. Доля верных и калибровка выше, надёжность, полнота и ошибки "
            "ниже — её и сетей, обученных так же, каждая на фолде, которого не видела.",
        ),
        "about_curves": ("Training", "Обучение"),
        "about_loss": ("cross-entropy, nats", "перекрёстная энтропия, нат"),
        "about_share": ("share of clips right", "доля верных"),
        "about_epoch": ("epoch", "эпоха"),
        "about_train": ("training clips, as they were shown", "обучающие записи, как их показывали"),
        "about_valid": ("held-out clips", "записи вне обучения"),
        "about_reliability": ("Does 70 % mean 70 %?", "Значит ли 70 % семьдесят процентов?"),
        "about_reliability_said": (
            "Bars: how often it was right among clips of that confidence, stronger where there are more clips. On the dashed "
            "line it would be right as often as it claims.",
            "Столбцы: как часто она права при такой уверенности; чем больше записей, тем плотнее цвет. На пунктире она была бы "
            "права ровно так часто, как обещает.",
        ),
        "about_temperature": (
            "Its logits are divided by a temperature of {temperature}.",
            "Её логиты делятся на температуру {temperature}.",
        ),
        "about_plain": ("Its probabilities are plain softmax.", "Её вероятности: softmax без поправки."),
        "about_confidence": ("confidence", "уверенность"),
        "about_right": ("share right", "доля верных"),
        "about_bin": (
            "{low} to {high}: {clips} clips, {accuracy} right",
            "от {low} до {high}: записей {clips}, верно {accuracy}",
        ),
        "about_recall": ("Recall per class, the hardest first", "Полнота по классам, трудные сначала"),
        "about_by_name": ("By name", "По имени"),
        "about_confused": ("What it confuses", "Что она путает"),
        "about_none_confused": ("No clip was mistaken.", "Ошибок нет."),
        "about_is": ("it is", "это"),
        "about_taken": ("taken for", "принято за"),
        "about_unknown": ("Sounds it does not know", "Незнакомые ей звуки"),
        "about_unknown_said": (
            "Of sounds of no known class {caught} are refused, of known ones {alarms}; AUROC {auroc} (0.5 is guessing, 1 is "
            "perfect).",
            "Из незнакомых звуков отвергнуты {caught}, из знакомых {alarms}; AUROC {auroc} (0,5: наугад, 1: безошибочно).",
        ),
        "about_unknown_other": (
            "Another network, trained without the classes named below, refuses at a threshold of its own {caught} of unknown "
            "sounds and, by construction, {alarms} of known ones; AUROC {auroc} (0.5 is guessing, 1 is perfect).",
            "Другая сеть, обученная без названных ниже классов, при собственном пороге отвергает {caught} незнакомых звуков и, "
            "по построению, {alarms} знакомых; AUROC {auroc} (0,5: наугад, 1: безошибочно).",
        ),
        "about_score_energy": (
            "This network decides by the energy, the log of the summed exponentials of the logits: below {threshold} a sound is "
            "unknown.",
            "Эта сеть решает по энергии, логарифму суммы экспонент логитов: ниже {threshold} звук незнаком.",
        ),
        "about_score_max_softmax": (
            "This network decides by the largest probability: below {threshold} a sound is unknown.",
            "Эта сеть решает по наибольшей вероятности: ниже {threshold} звук незнаком.",
        ),
        "about_left_out": (
            "Classes left out of training for this test: {classes}.",
            "Классы, убранные из обучения для проверки: {classes}.",
        ),
        "about_kind": ("kind of sound", "вид звука"),
        "about_kind_left_out_classes": ("left-out classes", "убранные классы"),
        "about_kind_noise": ("noise", "шум"),
        "about_kind_tones": ("tones", "тоны"),
        "about_kind_speech": ("speech", "речь"),
        "about_maps": ("Do its heat maps mean something?", "Значат ли что-то её тепловые карты?"),
        "about_maps_said": (
            "Mean probability of the likeliest class over {clips} clips kept out of training: {before}. Left of it after "
            "covering a share of the picture:",
            "Средняя вероятность вероятнейшего класса на записях вне обучения ({clips}): {before}. Остаётся, если закрыть часть "
            "картинки:",
        ),
        "about_covered": ("covered", "закрыто"),
        "about_marked": ("what the map marks", "отмеченное картой"),
        "about_elsewhere": ("as much elsewhere", "столько же в другом месте"),
        "about_loudest": ("the loudest places", "самое громкое"),
        "about_limits": ("Limits and licence", "Пределы и лицензия"),
        "about_limits_said": (
            "It knows {count} sounds from 2,000 clips of freesound.org, so unusual recordings will surprise it. It hears one "
            "class a clip, not mixtures. Do not rely on it where a mistake could do harm.",
            "Она знает {count} звуков по 2000 записей с freesound.org, поэтому необычные записи её удивят. На отрезке она слышит "
            "один класс, а не смесь. Не полагайтесь на неё там, где ошибка может навредить.",
        ),
        "about_licence": ("Licence of the weights: {licence}. Data: {data}.", "Лицензия весов: {licence}. Данные: {data}."),
        "about_card": ("The model card", "Карточка модели (по-английски)"),
    }
)
