"""What errors say in Russian; the English stands in esc/errors.py."""

from types import MappingProxyType

ERRORS_RUSSIAN = MappingProxyType(
    {
        "audio.missing": "Файла {name} нет.",
        "audio.empty": "{name} пуст (0 байт). Выберите файл со звуком.",
        "audio.too_big": "{name} занимает {megabytes:.0f} МБ; принимается не больше {limit_mb:.0f} МБ.",
        "audio.too_long": "{name} длится {minutes:.0f} мин; принимается не больше {limit_minutes:.0f}.",
        "audio.unreadable": "{name} не читается как звук ({reason}). Подходят {accepted}.",
        "audio.no_track": "В {name} нет звуковой дорожки. Подходят {accepted}.",
        "audio.folder": "Папка {name} не даёт звуков ({reason}).",
        "audio.no_samples": "В {name} нет звука: 0 отсчётов. Возможно, файл обрезан.",
        "audio.too_short": "В {name} отсчётов: {samples}; для спектра нужно хотя бы {least}.",
        "audio.not_finite": "В {name} нет ни одного конечного отсчёта: все NaN или бесконечны.",
        "audio.rate": "Частота дискретизации {name}: {rate} Гц; принимается от {low} до {high} Гц.",
        "audio.shape": "Звук должен быть одномерным или (каналы, отсчёты); форма этого: {shape}.",
        "audio.whole": "У волны из целых чисел ({dtype}) нет масштаба: сначала разделите её на полную шкалу.",
        "audio.nothing_heard": "В {name} одна тишина: сравнивать нечего.",
        "audio.timeout": "Чтение {name} заняло больше {seconds:.0f} с и остановлено. Попробуйте звук короче.",
        "audio.cut_too_big": "Этот отрезок занял бы {megabytes:.0f} МБ; за раз сохраняется не больше {limit_mb:.0f} МБ. "
        "Выделите меньше.",
        "audio.changed": "{name} изменён или удалён во время работы. Запустите команду снова.",
        "audio.crashed": "Не удалось прочесть {name} ({reason}). Файл повреждён или требует слишком много памяти.",
        "audio.disk_full": "На диске сервера не осталось места для работы с {name}. Освободите место или попробуйте позже.",
        "parameter.range": "{field} = {value} невозможно: нужно от {low} до {high}.",
        "parameter.choice": "{field} = {value} невозможно: выберите из {choices}.",
        "parameter.type": "{field} = {value} невозможно: нужно число: {wanted}.",
        "parameter.window": "win_length = {value} невозможно: окно должно помещаться в n_fft = {n_fft} отсчётов.",
        "parameter.band": "fmin = {fmin} Гц и fmax = {fmax} Гц невозможны: fmin должна быть ниже fmax.",
        "parameter.nyquist": "fmax = {value} Гц невозможно: при {sample_rate} Гц выше {nyquist} Гц ничего нет.",
        "parameter.mfcc": "n_mfcc = {value} невозможно: мел-полос всего {n_mels}.",
        "parameter.delta": "Производной нужно кадров: {width}, а в этом звуке их {n_frames}. Возьмите меньший hop_length.",
        "layer.size": "{frames} кадров по {n_freqs} частот за раз — слишком много для слоя: увеличьте hop_length (сейчас "
        "{hop_length}) или уменьшите n_fft.",
        "parameter.sub_batch": "sub_batch = {value} невозможно: пакет из {batch} должен делиться на части от 2 записей.",
        "parameter.processes": "{processes} процессов не могут разделить пакет из {batch} на части по {value} записей. Дайте "
        "--sub-batch, при котором каждому достанется поровну.",
        "parameter.class": "{value} не из классов сети; они названы в её config.json.",
        "parameter.keys": "Параметры не подходят: лишние {unknown}, недостаёт {missing}.",
        "parameter.too_much": "В этом спектре {millions:.0f} млн значений; за раз считается не больше {limit:.0f} млн. "
        "Возьмите больший hop_length, меньший n_fft или звук короче.",
        "checkpoint.missing": "В {path} нет модели. Обучите её (python -m training train) или верните папку.",
        "checkpoint.damaged": "Модель в {path} не годится: {reason}. Верните папку или обучите заново.",
        "checkpoint.version": "Модель в {path} имеет формат {found}; эта программа читает формат {wanted}. Возьмите версию, "
        "которая её записала, или обучите заново.",
        "figures.damaged": "Измерения в {path} не годятся: {reason}. Измерьте заново (python -m training calibrate).",
        "index.missing": "Индекса {path} нет. Создайте его (python -m esc index FOLDER -o {path}).",
        "index.damaged": "Индекс {path} не годится: {reason}. Создайте его заново (python -m esc index FOLDER -o {path}).",
        "index.checkpoint": "Индекс {path} создан другой моделью: её звуки нельзя сравнивать со звуками этой. "
        "Создайте его заново (python -m esc index FOLDER -o {path}).",
        "index.write": "{path} не записать ({reason}).",
        "journal.settings": "{path}: это записи о работе с другой моделью или настройками. "
        "Укажите другой --output или удалите файл.",
        "journal.damaged": "{path} не годится: {reason}. Удалите файл; записи будут прослушаны заново.",
        "journal.write": "{path} не записать ({reason}).",
        "archive.address": "По адресу {address} не отвечает кластер Ray ({reason}). Без --address работает только эта машина.",
        "archive.given_up": "Ray снова и снова теряет рабочие процессы ({reason}). Готовое записано в {path}: повторите команду, "
        "чтобы продолжить, или уберите --engine ray, чтобы узнать, какой файл обрывает процесс.",
        "package.missing": "Для этого нужен пакет {package}, его здесь нет. Установите его (pip install -r {file}).",
        "export.no_sound": "Не на чем сравнить экспортированную сеть: верните папку assets/examples.",
        "export.write": "{path} не записать ({reason}).",
        "data.missing": "В {path} нет ESC-50: {reason}. Укажите папку в ESC50_DIR или --data.",
        "data.columns": "В {path} нет столбцов {missing}; в таблице ESC-50 есть filename, fold, target, category.",
        "data.table": "{path} не годится как таблица ESC-50 ({reason}). Скачайте архив снова.",
        "data.row": "Строка {number} в {path} не годится ({reason}); fold и target — целые числа, каждая запись стоит один раз.",
        "data.clips": "Нет записей из {path}: {count}, первая {first}. Скачайте архив снова.",
        "data.fold": "Фолда {fold} нет; есть {folds}.",
        "data.without": "{value} нельзя исключить: дайте имена классов или число до {most}.",
        "data.cache": "{path} повреждён. Удалите его и повторите команду: он будет создан заново.",
        "data.few": "Для обучения есть {clips} записей, меньше одного пакета из {batch}.",
        "data.no_clip": "Нет ни файла {name} здесь, ни записи с таким именем в ESC-50.",
        "data.damaged": "Запись {path} не годится: {reason}. Скачайте её снова.",
        "data.predictions": "В {path} нет предсказаний ({reason}). Удалите файл, команда создаст его заново.",
        "disk.room": "Для {path} нет места: нужно {needed_mb:.0f} МБ, на диске свободно {free_mb:.0f} МБ.",
        "disk.full": "Диск полон: {path} не записан. Освободите место и повторите команду.",
        "download.failed": "Не удалось скачать {url} ({reason}). Повторите команду: она продолжит с того же места.",
        "download.archive": "По адресу {url} лежит не архив ESC-50 ({reason}). Он удалён; повторите или дайте другой --url.",
        "download.exists": "{path} уже есть, и там что-то другое. Удалите или укажите другое --to.",
        "weights.unreadable": "{path} не годится как веса ImageNet: {reason}.",
        "run.missing": "В {path} нет обучения: {reason}. Запустите его (python -m training train).",
        "run.damaged": "{path} нельзя продолжить ({reason}). Удалите папку обучения и начните заново.",
        "run.diverged": "{path}: после эпохи {epoch} потери не число. Уменьшите learning_rate рецепта и обучите заново.",
        "run.folds": "{paths}: отложены блоки {folds}. Нужны обучения, в которых отложены разные блоки.",
        "run.classes": "{paths}: классы не совпадают. Нужны обучения по одному рецепту на всех данных.",
        "run.whole": "В {path} не исключён ни один класс. Обучите такую модель: python -m training train --without 10.",
        "run.mismatch": "{path} начат с другими настройками ({differences}). Возьмите другое --name или удалите папку.",
        "page.session": "Сервер больше не знает эту страницу. Перезагрузите её.",
        "page.request": "Сервер не понял запрос ({reason}). Перезагрузите страницу.",
        "page.gone": "Этого звука на сервере больше нет. Перетащите его снова.",
        "page.busy": "Сервер занят другими звуками. Повторите чуть позже.",
        "files.many": "{name} не взят: вместе можно слушать не больше {limit} файлов.",
        "files.large": "{name} не взят: вместе можно слушать не больше {limit_gb:.0f} ГБ.",
        "page.no_sound": "Звук не открыт. Перетащите файл, запишите или выберите пример.",
        "page.failed": "На сервере что-то пошло не так; это записано в его журнал. Всё, что у вас было, на месте.",
    }
)

VALUES_RUSSIAN = MappingProxyType(  # what a message may name in words
    {
        "whole number": "целое",
        "number": "любое",
        "none": "нет",
        "the microphone": "микрофона",
        "Invalid data found when processing input": "данные не похожи на звук",
        "no sample rate": "нет частоты дискретизации",
    }
)
