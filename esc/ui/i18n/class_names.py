"""The classes' Russian names; the English ones are the data set's own."""

from types import MappingProxyType

CLASSES_RUSSIAN = MappingProxyType(
    {
        "dog": "собака", "rooster": "петух", "pig": "свинья", "cow": "корова", "frog": "лягушка", "cat": "кошка",
        "hen": "курица", "insects": "насекомые", "sheep": "овца", "crow": "ворона", "rain": "дождь",
        "sea_waves": "морские волны", "crackling_fire": "треск огня", "crickets": "сверчки", "chirping_birds": "щебет птиц",
        "water_drops": "капли воды", "wind": "ветер", "pouring_water": "льётся вода", "toilet_flush": "слив воды",
        "thunderstorm": "гроза", "crying_baby": "плач ребёнка", "sneezing": "чихание", "clapping": "хлопки",
        "breathing": "дыхание", "coughing": "кашель", "footsteps": "шаги", "laughing": "смех",
        "brushing_teeth": "чистка зубов", "snoring": "храп", "drinking_sipping": "питьё", "door_wood_knock": "стук в дверь",
        "mouse_click": "щелчок мыши", "keyboard_typing": "печать на клавиатуре", "door_wood_creaks": "скрип двери",
        "can_opening": "открывание банки", "washing_machine": "стиральная машина", "vacuum_cleaner": "пылесос",
        "clock_alarm": "будильник", "clock_tick": "тиканье часов", "glass_breaking": "бьётся стекло",
        "helicopter": "вертолёт", "chainsaw": "бензопила", "siren": "сирена", "car_horn": "автомобильный гудок",
        "engine": "двигатель", "train": "поезд", "church_bells": "церковные колокола", "airplane": "самолёт",
        "fireworks": "фейерверк", "hand_saw": "ручная пила",
    }
)  # fmt: skip
