"""Vehicles, signals and household things."""

import numpy as np
from scipy import signal

from .blocks import (
    CLIP_SECONDS,
    OUTDOOR_FLOOR,
    ROOM_FLOOR,
    SAMPLE_RATE,
    Spectrum,
    bandpass,
    burst,
    drift,
    gain,
    modes,
    noise,
    place,
    reverb,
    silence,
    times_s,
    tone,
)

# Partials of a minor-third bell against its prime: hum, prime, tierce, quint, nominal and above.
BELL_RATIOS = np.array([0.5, 1, 1.2, 1.5, 2, 2.52, 2.67, 3.01, 4.03, 5.2, 6.4, 7.7, 9.1, 10.6, 12.2, 14.0])
BELL_LEVELS_DB = np.array([-6, -3, 0, -12, 0, -10, -9, -6, -9, -14, -18, -22, -26, -30, -35, -40])


def strike_bell(rng: np.random.Generator, prime_hz: float) -> np.ndarray:
    """Return one bell; slight asymmetry of the casting splits each partial, so it beats."""
    freqs_hz = prime_hz * BELL_RATIOS
    decays_s = 14 * (freqs_hz / (0.5 * prime_hz)) ** -0.85
    pairs_hz = np.concatenate([freqs_hz, freqs_hz * (1 + rng.uniform(0.0006, 0.003, freqs_hz.size))])
    levels_db = np.tile(BELL_LEVELS_DB, 2)
    bell = modes(rng, pairs_hz, np.tile(decays_s, 2), levels_db, CLIP_SECONDS)
    place(bell, burst(rng, {200: -20, 1500: 0, 5000: -4, 12000: -18, 20000: -40}, 0.06), 0, 2)
    return bell


def church_bells(rng: np.random.Generator) -> np.ndarray:
    """Return a peal of three bells from a tower."""
    bells = [strike_bell(rng, prime_hz) for prime_hz in (349.2, 440.0, 523.3)]
    track = silence()
    for index, start_s in enumerate(np.arange(-0.9, 5, 0.62) + rng.normal(0, 0.015, 10)):
        place(track, bells[index % 3], start_s, (0, -2, -4)[index % 3] + rng.normal(0, 0.8))
    tower = reverb(rng, track, 2.8, -8, 0.03, 2200)
    return tower / np.max(np.abs(tower)) + 0.02 * noise(rng, OUTDOOR_FLOOR)


def siren(rng: np.random.Generator) -> np.ndarray:
    """Return an emergency vehicle in a street: a slow wail that turns into a yelp."""
    time = times_s()
    wail = 0.5 - 0.5 * np.cos(2 * np.pi * time / 3.0)
    yelp = 0.5 - 0.5 * np.cos(2 * np.pi * (time - 3.0) * 2.5)
    freq_hz = 640 * (1480 / 640) ** np.where(time < 3.0, wail, yelp)
    # A horn loudspeaker driven hard: odd harmonics lead, the body of the horn favours 1-3 kHz.
    voice = tone(freq_hz, (0, -10, -11, -20, -22, -30, -33, -40, -44, -50)) * gain(drift(rng, 3, -1.5, 1.5))
    street = reverb(rng, voice, 1.2, -11, 0.045, 1800)
    street[4000:] += 0.18 * voice[:-4000]
    traffic = noise(rng, {20: 0, 60: 4, 200: 0, 800: -8, 3000: -20, 10000: -34, 18000: -44, 20000: -56})
    return street + 0.16 * traffic


def helicopter(rng: np.random.Generator) -> np.ndarray:
    """Return a helicopter that passes: slapping blades, rotor noise and turbine whine."""
    time = times_s()
    passing = np.tanh((time - 2.8) / 1.5)
    blade_hz = 12.5 * (1 - 0.03 * passing)
    turn = np.cumsum(blade_hz) / SAMPLE_RATE % 1
    slap = np.exp(-(((turn - 0.5) / 0.13) ** 2))
    thump = tone(blade_hz, [-0.7 * abs(k - 6) for k in range(1, 36)])
    wash = noise(rng, {20: 2, 60: 5, 200: 4, 600: -3, 1500: -9, 4000: -19, 9000: -34, 14000: -50, 18000: -66, 20000: -80})
    wash = wash * (0.55 + 0.45 * slap) + bandpass(wash, 150, 9000) * 0.9 * slap
    whine = silence()
    for freq_hz, level in ((372, -30), (744, -32), (1310, -31), (2620, -38), (3930, -44)):
        whine += tone(freq_hz * (1 - 0.03 * passing) + drift(rng, 4, -2, 2), (0, -14)) * gain(level)
    near = (0.06 * thump + wash + 1.2 * whine) * gain(-5 * passing**2)
    # The ground returns the sound a little later: a comb that slides as the helicopter passes.
    echo_s = 0.0007 + 0.0011 * passing**2
    return reverb(rng, near + 0.3 * np.interp(time - echo_s, time, near), 0.6, -8, 0.02, 1500)


def clock_tick(rng: np.random.Generator) -> np.ndarray:
    """Return the tick and tock of a pendulum clock in a quiet room."""
    track = silence()
    for index, start_s in enumerate(np.arange(0.22, 5, 0.5)):
        pitch = (1.0, 0.88)[index % 2]
        # Drop, impulse and lock: the three contacts of the escapement.
        for delay_s, level in ((0.0, -8), (0.006, -14), (0.017, 0)):
            metal = modes(
                rng,
                pitch * np.array([2350, 3720, 5150, 7600, 11200]),
                (0.05, 0.045, 0.035, 0.03, 0.02),
                (-4, -8, -7, -14, -20),
                0.06,
            )
            case = modes(rng, pitch * np.array([240, 520, 860, 1240]), (0.1, 0.09, 0.08, 0.07), (-12, -5, -5, -3), 0.12)
            click = burst(rng, {300: -16, 1500: -4, 6000: 0, 14000: -10, 18000: -18, 20000: -40}, 0.012)
            for part in (metal, case, click):
                place(track, part, start_s + delay_s + rng.normal(0, 0.0005), level + rng.normal(0, 0.5))
    room = reverb(rng, track, 0.35, -16)
    return room / np.max(np.abs(room)) + 0.014 * noise(rng, ROOM_FLOOR)


def clock_alarm(rng: np.random.Generator) -> np.ndarray:
    """Return a digital alarm clock: four beeps and a rest, again and again."""
    track = silence()
    time = times_s(0.065)
    beep = tone(np.full(time.size, 2048.0), (-4, -26, -8, -30, -14, -34, -20, -38, -26)) * signal.windows.tukey(time.size, 0.12)
    for group_s in np.arange(0.15, 5, 1.0):
        for index in range(4):
            place(track, beep, group_s + 0.125 * index)
    room = reverb(rng, track, 0.3, -20, 0.004, 8000)
    return room / np.max(np.abs(room)) + 0.012 * noise(rng, ROOM_FLOOR)


def door_wood_knock(rng: np.random.Generator) -> np.ndarray:
    """Return knuckles on a wooden door, twice, in a hallway."""
    track = silence()
    panel_hz = np.array([78, 128, 196, 287, 402, 560, 745, 980, 1290])
    for start_s in (0.55, 0.77, 0.98, 1.2, 2.75, 2.96, 3.18):
        bent_hz = panel_hz * rng.uniform(0.985, 1.015, panel_hz.size)
        levels_db = np.array([-2, 0, -1, -2, -3, -3, -6, -12, -18]) + rng.normal(0, 1.5, panel_hz.size)
        place(track, modes(rng, bent_hz, 0.3 * (panel_hz / 78) ** -0.45, levels_db, 0.32), start_s, rng.normal(-1, 1))
        knuckle = burst(rng, {40: 0, 400: 0, 1200: -6, 3000: -17, 8000: -26, 16000: -34, 20000: -60}, 0.035)
        place(track, knuckle, start_s, 6)
    hall = reverb(rng, track, 0.55, -11, 0.006, 2500)
    return hall / np.max(np.abs(hall)) + 0.008 * noise(rng, ROOM_FLOOR)


def keystroke(rng: np.random.Generator) -> np.ndarray:
    """Return one key: finger, bottom of the stroke with the ringing plate, and the release."""
    stroke = np.zeros(times_s(0.25).size)
    tint = rng.uniform(0.85, 1.2)
    middle_hz = tint * np.array([300.0, 1200.0, 3000.0, 7000.0])
    middle: Spectrum = dict(zip(middle_hz.tolist(), (-7, -1, 0, -5), strict=True))
    shape: Spectrum = {60: -8, **middle, 12000: -9, 18000: -18, 20000: -40}
    for delay_s, level in ((0.0, -13), (0.014, 0), (rng.uniform(0.08, 0.13), -9)):
        place(stroke, burst(rng, shape, rng.uniform(0.02, 0.04)), delay_s, level)
        ringing_hz = np.array([410, 1150, 2300, 3900]) * rng.uniform(0.8, 1.25, 4)
        plate = modes(rng, ringing_hz, 0.05, (-16, -15, -18, -21), 0.08)
        place(stroke, plate, delay_s, level)
    return stroke


def keyboard_typing(rng: np.random.Generator) -> np.ndarray:
    """Return quick typing on a computer keyboard, word by word."""
    track = silence()
    start_s = 0.12
    while start_s < 4.85:
        for _ in range(rng.integers(4, 9)):
            place(track, keystroke(rng), start_s, rng.normal(-3, 2.5))
            start_s += rng.gamma(9, 0.013)
        start_s += rng.uniform(0.06, 0.22)
    desk = reverb(rng, track, 0.25, -14, 0.003)
    return desk / np.max(np.abs(desk)) + 0.009 * noise(rng, ROOM_FLOOR)
