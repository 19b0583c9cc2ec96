"""The live tab, and what may be wrong with a microphone: each text in English and in Russian."""

from types import MappingProxyType

WORDS = MappingProxyType(
    {
        "tab_live": ("Live", "Вживую"),
        "live_listen": ("Listen", "Слушать"),
        "live_empty": (
            "The spectrogram of what your microphone hears scrolls here.",
            "Здесь пойдёт спектрограмма того, что слышит ваш микрофон.",
        ),
        "live_hint": (
            "Press Listen. Each second the last few seconds go to this server, which names them and does not keep them. "
            "When you stop, the last {minutes} minutes open as your sound.",
            "Нажмите «Слушать». Каждую секунду последние несколько секунд уходят на этот сервер: он называет звук и ничего "
            "не хранит. После остановки последние {minutes} минут откроются как ваш звук.",
        ),
        "live_picture": (
            "Scrolling spectrogram of the last ten seconds, newest at the right",
            "Бегущая спектрограмма последних десяти секунд, новое справа",
        ),
        "live_classes_empty": (
            "Once a second: the five likeliest classes of the last few seconds.",
            "Раз в секунду: пять самых вероятных классов последних секунд.",
        ),
        "live_hear": ("Just now", "Сейчас"),
        "live_silence": (
            "No sample of the last {clip_seconds} s rises above {limit_db} dBFS. The network was not asked.",
            "Ни один отсчёт за последние {clip_seconds} с не выше {limit_db} dBFS. Сеть не спрашивали.",
        ),
        "live_calibrated": (
            "Calibrated probabilities of the last {clip_seconds} s among {count} classes.",
            "Откалиброванные вероятности за последние {clip_seconds} с среди {count} классов.",
        ),
        "live_plain": (
            "Softmax probabilities, not calibrated, of the last {clip_seconds} s among {count} classes.",
            "Вероятности softmax без калибровки за последние {clip_seconds} с среди {count} классов.",
        ),
        "live_late": (
            "The server is slow: this answer is {seconds} s old.",
            "Сервер отвечает медленно: этому ответу {seconds} с.",
        ),
        "live_level": ("Microphone level, RMS in dBFS", "Уровень микрофона, RMS в dBFS"),
        "live_clipped": ("Too loud: clipped", "Слишком громко: обрезано"),
        "live_device": ("Microphone", "Микрофон"),
        "live_axis": ("Axis", "Ось"),
        "live_now": ("now", "сейчас"),
        "live_end": ("end", "конец"),
        "live_kept": (
            "The recording, {length} long, is open in all tabs now.",
            "Запись длиной {length} открыта во всех вкладках.",
        ),
        "live_kept_last": (
            "The last {minutes} minutes are open in all tabs now; what came before has not been kept.",
            "Последние {minutes} минут открыты во всех вкладках; более раннее не сохранено.",
        ),
        "live_opening": ("The recording is being opened.", "Запись открывается."),
        "live_save": ("Save as WAV", "Сохранить WAV"),
        "live_on": ("Listening", "Слушаю"),
        "live_see": ("See it", "Посмотреть"),
        "live_nothing": (
            "The microphone gave no sound before you stopped; nothing was kept.",
            "До остановки микрофон не дал звука; сохранять нечего.",
        ),
        "live_gone": (
            "The microphone is gone; what it heard until then has been kept.",
            "Микрофон пропал; услышанное до этого сохранено.",
        ),
        "mic_taken": (
            "The microphone can't be read: another program may be using it. Close that one and try again.",
            "Микрофон не отдаёт звук: возможно, его занимает другая программа. Закройте её и повторите.",
        ),
        "mic_insecure": (
            "Browsers give the microphone only to pages served over https or from localhost. Open this page that way, or drop "
            "in a file.",
            "Браузеры дают микрофон только страницам по https или с localhost. Откройте страницу так или перетащите файл.",
        ),
        "mic_unsupported": (
            "This browser can't record sound in a page. Update it, or drop in a file.",
            "Этот браузер не умеет записывать звук на странице. Обновите его или перетащите файл.",
        ),
    }
)
