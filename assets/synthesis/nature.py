"""Weather, water and fire."""

import numpy as np

from .blocks import (
    ROOM_FLOOR,
    Spectrum,
    burst,
    drift,
    gain,
    modes,
    moving_noise,
    noise,
    place,
    poisson_times,
    reverb,
    silence,
    spectrum_db,
    times_s,
    tone,
)


def droplets(rng: np.random.Generator, rate_hz: float, spread_db: float) -> np.ndarray:
    """Return many small drops, each the short ping of the bubble it makes."""
    track = silence()
    for start_s in poisson_times(rng, rate_hz):
        freq_hz = np.exp(rng.uniform(np.log(1200), np.log(14000)))
        ping = modes(rng, [freq_hz], [40 / freq_hz], [0], 40 / freq_hz)
        place(track, ping, start_s, -rng.exponential(spread_db))
    return track


def rain(rng: np.random.Generator) -> np.ndarray:
    """Return steady rain on leaves and ground: a dense hiss with single drops in front."""
    hiss: Spectrum = {20: -14, 80: -9, 300: -11, 1200: -14, 4000: -18, 8000: -22, 13000: -30, 18000: -40, 20000: -56}
    near = silence()
    for start_s in poisson_times(rng, 40):
        splash: Spectrum = {200: -30, 900: -10, 3500: 0, 10000: -5, 18000: -14, 20000: -34}
        place(near, burst(rng, splash, rng.uniform(0.01, 0.04)), start_s, -12 - rng.exponential(6))
    far = noise(rng, hiss) + 0.035 * droplets(rng, 1800, 5)
    return far * gain(drift(rng, 0.8, -1.5, 1.5)) + near


def sea_waves(rng: np.random.Generator) -> np.ndarray:
    """Return a breaking wave on a beach, its hissing wash, and the next one rising."""
    surf: Spectrum = {20: -34, 60: -20, 150: -11, 500: -9, 1200: -12, 3000: -20, 8000: -30, 14000: -38, 18000: -46, 20000: -60}
    rough = drift(rng, 7, -1.5, 1.5)

    def level_db(freqs_hz, frames_s):
        octaves = np.log2(freqs_hz / 1000)
        # A wave grows dull, breaks bright, and drains away with the highs lasting as foam.
        swell = np.zeros(np.broadcast_shapes(freqs_hz.shape, frames_s.shape))
        for crest_s, height_db in ((-1.2, 12), (1.7, 20), (5.4, 18)):
            since_s = frames_s - crest_s - 0.05 * octaves
            rise = np.exp(-((np.minimum(since_s, 0) / 0.75) ** 2))
            fall = np.exp(-np.maximum(since_s, 0) / (1.1 + 0.12 * octaves))
            swell = np.maximum(swell, (height_db + 1.2 * octaves) * rise * fall)
        texture = np.interp(frames_s, times_s(), rough)
        return spectrum_db(surf, freqs_hz) + swell + texture

    return moving_noise(rng, level_db) + 0.05 * droplets(rng, 250, 6) * gain(drift(rng, 2, -12, 0))


def wind(rng: np.random.Generator) -> np.ndarray:
    """Return gusts of wind that whistle around an edge."""
    gusts = drift(rng, 2, -4, 2) - 5 + 9 * np.exp(-(((times_s() - 3.2) / 1.2) ** 2))
    flutter = drift(rng, 5, -0.04, 0.04)
    whistle_hz = [base_hz * 2 ** (gusts / 18 + flutter) for base_hz in (430, 790, 1330)]
    broad: Spectrum = {20: 3, 80: 0, 300: -4, 700: -11, 1500: -21, 4000: -34, 10000: -44, 18000: -53, 20000: -60}

    def level_db(freqs_hz, frames_s):
        gust = np.interp(frames_s, times_s(), gusts)
        # The stronger the gust, the further up its noise reaches.
        level = spectrum_db(broad, freqs_hz) + gust * (0.7 + 0.22 * np.log2(1 + freqs_hz / 300))
        for curve, peak_db in zip(whistle_hz, (13, 14, 12), strict=True):
            centre_hz = np.interp(frames_s, times_s(), curve)
            octaves_off = np.log2(freqs_hz / centre_hz)
            level = level + (peak_db + 0.6 * gust) * np.exp(-((octaves_off / 0.08) ** 2))
        return level

    return moving_noise(rng, level_db)


def thunderstorm(rng: np.random.Generator) -> np.ndarray:
    """Return a near lightning stroke, its rolling thunder, and rain behind it."""
    strike_s = 0.9
    body: Spectrum = {20: -2, 60: 3, 200: 2, 500: -5, 1200: -14, 3000: -27, 8000: -38, 16000: -46, 20000: -60}
    # Start, level and steepness (dB/s): the stroke is sudden, its echoes from afar roll in.
    rolls = [(strike_s, 0, 400)]
    rolls += [(strike_s + late_s, -loss_db, 70) for late_s, loss_db in ((0.4, 2), (0.9, 4), (1.6, 4), (2.4, 7), (3.3, 10))]
    tremble = drift(rng, 30, -7, 5)

    def level_db(freqs_hz, frames_s):
        level = np.full(np.broadcast_shapes(freqs_hz.shape, frames_s.shape), -90.0)
        for start_s, peak_db, rise_db in rolls:
            since_s = frames_s - start_s
            # Air and distance take the highs first: they decay several times faster.
            fall_db = 10 * np.maximum(since_s, 0) * (1 + freqs_hz / 700) ** 0.5
            level = np.maximum(level, peak_db - fall_db + rise_db * np.minimum(since_s, 0))
        return spectrum_db(body, freqs_hz) + level + np.interp(frames_s, times_s(), tremble)

    track = moving_noise(rng, level_db)
    for delay_s in np.cumsum(rng.exponential(0.06, 30)):
        crack = burst(rng, {50: 0, 800: 3, 3000: -4, 9000: -14, 18000: -26, 20000: -50}, 0.12)
        place(track, crack, strike_s + delay_s, -4 - 14 * delay_s)
    shower = noise(rng, {20: -22, 200: -28, 1000: -39, 5000: -48, 12000: -53, 18000: -60, 20000: -70})
    return reverb(rng, track, 2.5, -9, 0.03, 900) + shower


def crackling_fire(rng: np.random.Generator) -> np.ndarray:
    """Return a camp fire: a soft low roar, dense crackle and a few loud snaps of wood."""
    roar = noise(rng, {20: -12, 60: -13, 150: -19, 400: -33, 1500: -43, 6000: -48, 14000: -53, 18000: -60, 20000: -70})
    roar *= gain(drift(rng, 5, -4, 3))
    snaps = silence()
    # Gas escapes in runs: each run is a handful of snaps of unequal strength.
    for start_s in poisson_times(rng, 9):
        strength_db = -rng.exponential(9)
        for delay_s in np.cumsum(rng.exponential(0.025, rng.integers(1, 6))):
            centre_hz = np.exp(rng.uniform(np.log(1500), np.log(9000)))
            shape: Spectrum = {60: -26, centre_hz / 6: -14, centre_hz: 0, 15000: -5, 18000: -10, 20000: -30}
            snap = burst(rng, shape, rng.uniform(0.004, 0.022))
            place(snaps, snap, start_s + delay_s, strength_db - rng.exponential(5) - 9)
    for start_s, level in ((0.62, -9), (2.31, -6), (3.87, -10)):
        place(snaps, burst(rng, {40: -6, 400: 1, 2500: 0, 9000: -3, 18000: -9, 20000: -30}, 0.05), start_s, level)
    return roar + reverb(rng, snaps, 0.35, -17)


def water_drops(rng: np.random.Generator) -> np.ndarray:
    """Return drops that fall into a full basin in a tiled room."""
    track = silence()
    for start_s in np.arange(0.45, 4.9, 0.93) + rng.normal(0, 0.05, 5):
        splash: Spectrum = {150: -14, 600: -6, 2000: 0, 9000: -2, 18000: -9, 20000: -30}
        place(track, burst(rng, splash, 0.014), start_s, -5)
        # Bubbles below the surface ring higher as they rise (Minnaert); a small one follows.
        bubbles = ((0.008, rng.uniform(480, 1050), 0, 0.07), (0.055, rng.uniform(1500, 3300), -7, 0.045))
        for delay_s, base_hz, level, decay_s in bubbles:
            time = times_s(decay_s)
            freq_hz = base_hz * (1 + 0.8 * (time / decay_s) ** 2)
            plop = tone(freq_hz, (0, -20, -30)) * gain(-50 * time / decay_s) * np.minimum(1, time / 0.002)
            place(track, plop * (1 - time / decay_s), start_s + delay_s, level)
        place(track, burst(rng, splash, 0.01), start_s + rng.uniform(0.13, 0.17), -22)
    room = reverb(rng, track, 0.7, -17, 0.012, 6000)
    return room / np.max(np.abs(room)) + 0.012 * noise(rng, ROOM_FLOOR)
