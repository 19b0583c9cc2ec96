"""Many files at once: each text in English and in Russian."""

from types import MappingProxyType

WORDS = MappingProxyType(
    {
        "files_drop": ("Drop several sounds or a folder here", "Перетащите сюда несколько звуков или папку"),
        "files_drop_touch": ("Many sounds at once", "Много звуков сразу"),
        "files_about": (
            "Each is heard from start to end: what it is, how sure, and what happens when. The table can be saved.",
            "Каждый прослушивается целиком: что это, насколько уверенно и что когда слышно. Таблицу можно сохранить.",
        ),
        "files_choose": ("Choose files", "Выбрать файлы"),
        "files_folder": ("Choose a folder", "Выбрать папку"),
        "files_limits": (
            "{accepted} · up to {files} files, {megabytes} MB each, {all} GB together",
            "{accepted} · до {files} файлов, по {megabytes} МБ, вместе {all} ГБ",
        ),
        "files_clear": ("Clear the list", "Очистить список"),
        "files_go_on": ("Go on", "Продолжить"),
        "files_progress": ("Files done", "Готово файлов"),
        "files_far": ("{done} of {count} files", "Файлов: {done} из {count}"),
        "files_done": ("{count} files", "Файлов: {count}"),
        "files_refused": ("{refused} not readable", "не прочитано: {refused}"),
        "files_none": ("There are no sounds in this folder.", "В этой папке нет звуков."),
        "files_many": (
            "At most {limit} files are heard together; {left} were left out.",
            "Вместе можно слушать не больше {limit} файлов; не взято: {left}.",
        ),
        "files_big": ("Too large: see the limits above.", "Слишком большой: см. пределы выше."),
        "files_unread": ("The folder can't be read ({reason}).", "Папка не читается ({reason})."),
        "files_waiting": ("waiting", "ждёт"),
        "files_sending": ("sending …", "отправляется …"),
        "files_sent": ("waiting", "ждёт"),
        "files_listening": ("listening, {share}", "слушаю, {share}"),
        "files_cut_off": ("(its end is missing)", "(конец потерян)"),
        "files_open": ("Open {name}", "Открыть {name}"),
        "files_table": ("Files and what was heard in them", "Файлы и что в них слышно"),
        "column_file": ("File", "Файл"),
        "column_when": ("When", "Когда"),
    }
)
