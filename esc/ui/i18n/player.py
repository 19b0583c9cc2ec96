"""The player: opening, recording, playing: each text in English and in Russian."""

from types import MappingProxyType

WORDS = MappingProxyType(
    {
        "drop": ("Drop a sound here", "Перетащите звук сюда"),
        "drop_touch": ("Tap to open a sound", "Коснитесь, чтобы открыть звук"),
        "drop_formats": (
            "{accepted} · up to {megabytes} MB and {hours} hours",
            "{accepted} · до {megabytes} МБ и {hours} часов",
        ),
        "choose": ("Choose a file", "Выбрать файл"),
        "record": ("Record", "Записать"),
        "stop": ("Stop", "Стоп"),
        "recording": ("Recording", "Идёт запись"),
        "examples": ("Synthesised examples", "Синтезированные примеры"),
        "play": ("Play", "Воспроизвести"),
        "pause": ("Pause", "Пауза"),
        "loop": ("Loop", "По кругу"),
        "seek": ("Position", "Позиция"),
        "opening": ("Opening {name} …", "Открываю {name} …"),
        "uploading": ("Sending {name} …", "Отправляю {name} …"),
        "too_big": (
            "{name} has {megabytes} MB; at most {limit_mb} MB are accepted.",
            "{name} занимает {megabytes} МБ; принимается не больше {limit_mb} МБ.",
        ),
        "mic_denied": (
            "The browser does not let this page use the microphone. Allow it in the address bar and try again.",
            "Браузер не пускает эту страницу к микрофону. Разрешите доступ в адресной строке и повторите.",
        ),
        "mic_missing": (
            "No microphone was found. Plug one in, or drop in a file.",
            "Микрофон не найден. Подключите его или перетащите файл.",
        ),
        "mic_failed": ("The microphone could not be started ({reason}).", "Не удалось включить микрофон ({reason})."),
        "mic_limit": (
            "Recording stopped at {minutes} minutes, the longest this page keeps.",
            "Запись остановлена на {minutes} минутах: дольше страница не хранит.",
        ),
        "unopened": (
            "The recording {name} is not open; only this page has it.",
            "Запись {name} не открыта; она есть только на этой странице.",
        ),
        "discard": ("Discard {name}", "Удалить {name}"),
        "mic_hint": (
            "Recorded as it is: the browser's voice filters are off.",
            "Запись без обработки: голосовые фильтры браузера выключены.",
        ),
        "play_failed": (
            "The browser can't play this sound; pictures and answers still work.",
            "Браузер не может проиграть этот звук; картинки и ответы работают.",
        ),
        "fact_name": ("Name", "Имя"),
        "fact_rate": ("Rate", "Частота"),
        "fact_length": ("Length", "Длина"),
        "fact_channels": ("Channels", "Каналы"),
        "fact_peak": ("Peak", "Пик"),
        "fact_rms": ("RMS", "RMS"),
        "fact_format": ("Format", "Формат"),
        "mono": ("mono", "моно"),
        "stereo": ("stereo", "стерео"),
        "cut_off": (
            "{name} is cut off: its end is missing. What is there has been opened.",
            "{name} обрывается: конец файла потерян. Открыто то, что есть.",
        ),
        "cancels": (
            "The channels of this sound cancel each other: their mean, which is what is shown and classified, is silence.",
            "Каналы этого звука гасят друг друга: их среднее, которое видно и слышно сети, — тишина.",
        ),
    }
)
