"""Draws courses as a PNG with Pillow: small, self-contained, readable in a chat and in a mail."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from functools import cache
from io import BytesIO
from typing import Final

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from channels.languages.voice import Voice
from metrics.charts.course import Course
from metrics.thresholds.batch import Floats

WIDTH, HEIGHT = 880, 360
#: Of several courses below each other.
PART = 210
#: Drawn twice as large and made smaller: smooth lines.
FINE: Final = 2
LEFT, RIGHT, TOP, BOTTOM = 74, 18, 44, 34
INK, FAINT, GRID, PAPER = "#1f2937", "#6b7280", "#e5e7eb", "#ffffff"
LINE, BAND, EXPECTED, LIMIT, FOUND, AHEAD = "#2563eb", "#dbeafe", "#93c5fd", "#dc2626", "#fee2e2", "#7c3aed"
_STEPS: Final = (60, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400, 172_800, 345_600)
_DAY: Final = 86_400
_TICKS_ACROSS, _TICKS_UP = 8, 5


def draw(courses: Sequence[Course], voice: Voice, zone: tzinfo = UTC) -> bytes:
    """One picture of one course, or of several below each other, each with its own scale and over the same time."""
    height = HEIGHT if len(courses) == 1 else PART
    image = Image.new("RGB", (WIDTH * FINE, height * len(courses) * FINE), PAPER)
    pen = ImageDraw.Draw(image)
    for number, course in enumerate(courses):
        _draw(Sheet(pen, course, number * height, height), course, voice, zone)
    small = image.resize((WIDTH, height * len(courses)), Image.Resampling.LANCZOS).quantize(128)
    out = BytesIO()
    small.save(out, "PNG", optimize=True)
    return out.getvalue()


def _draw(sheet: Sheet, course: Course, voice: Voice, zone: tzinfo) -> None:
    for began, ended in course.found:
        sheet.stretch(began, ended, FOUND)
    if course.changed_at is not None:
        sheet.moment(course.changed_at, LIMIT)
    sheet.scales(voice, zone)
    sheet.area(course.at, course.low, course.high, BAND)
    sheet.area(course.forecast_at, course.forecast_low, course.forecast_high, "#ede9fe")
    sheet.course(course.at, course.expected, EXPECTED, 1.5)
    for line in course.lines:
        sheet.limit(line.value, voice, course.unit, is_clear=line.is_clear)
    sheet.course(course.at, course.value, LINE, 2.0)
    sheet.course(course.forecast_at, course.forecast, AHEAD, 2.0)
    sheet.title(course.title)


@cache
def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """The font that comes with Pillow; no machine has to have one."""
    return ImageFont.load_default(size * FINE)


class Sheet:
    """The drawing area with its two scales."""

    def __init__(self, pen: ImageDraw.ImageDraw, course: Course, above: int = 0, height: int = HEIGHT) -> None:
        self.pen, self.course_drawn = pen, course
        # The upper edge of its part of the picture, that of the lines, and where they stand on.
        self.edge, self.ceiling, self.floor = above, above + TOP, above + height - BOTTOM
        self.start, self.end = course.start, max(course.end, course.start + 60.0)
        self.bottom, self.top = span_of(course)

    def x(self, at: float) -> float:
        share = (at - self.start) / (self.end - self.start)
        return (LEFT + min(1.0, max(0.0, share)) * (WIDTH - LEFT - RIGHT)) * FINE

    def y(self, value: float) -> float:
        share = (value - self.bottom) / (self.top - self.bottom)
        return (self.floor - min(1.05, max(-0.02, share)) * (self.floor - self.ceiling)) * FINE

    def stretch(self, began: float, ended: float, colour: str) -> None:
        """A coloured stretch of time, at least two pixels wide."""
        left, right = self.x(began), max(self.x(ended), self.x(began) + 2 * FINE)
        self.pen.rectangle([left, self.ceiling * FINE, right, self.floor * FINE], fill=colour)

    def moment(self, at: float, colour: str) -> None:
        """A dashed line through all of the height at one time."""
        place = self.x(at)
        for top in range(self.ceiling * FINE, self.floor * FINE, 12 * FINE):
            self.pen.line([place, top, place, top + 7 * FINE], fill=colour, width=round(1.5 * FINE))

    def scales(self, voice: Voice, zone: tzinfo) -> None:
        """Grid lines with their numbers and times."""
        for value in ticks(self.bottom, self.top, _TICKS_UP):
            height = self.y(value)
            self.pen.line([LEFT * FINE, height, (WIDTH - RIGHT) * FINE, height], fill=GRID, width=FINE)
            text = voice.unit(value, self.course_drawn.unit)
            self.pen.text(((LEFT - 6) * FINE, height), text, fill=FAINT, font=font(12), anchor="rm")
        step = next((one for one in _STEPS if (self.end - self.start) / one <= _TICKS_ACROSS), _STEPS[-1] * 2)
        offset = datetime.fromtimestamp(self.start, zone).utcoffset()
        shift = offset.total_seconds() if offset else 0.0
        at = (np.floor((self.start + shift) / step) + 1) * step - shift
        while at <= self.end:
            moment = datetime.fromtimestamp(at, zone)
            is_day = step >= _DAY or moment.strftime("%H:%M") == "00:00"
            place = (self.x(at), (self.floor + 6) * FINE)
            text = moment.strftime("%d.%m." if is_day else "%H:%M")
            self.pen.text(place, text, fill=FAINT, font=font(12), anchor="ma")
            at += step

    def area(self, at: Floats, low: Floats | None, high: Floats | None, colour: str) -> None:
        """What lies between two lines."""
        if low is None or high is None or not len(at):
            return
        known = np.isfinite(low) & np.isfinite(high)
        if known.sum() < 2:
            return
        upper = [(self.x(t), self.y(v)) for t, v in zip(at[known], high[known], strict=True)]
        lower = [(self.x(t), self.y(v)) for t, v in zip(at[known][::-1], low[known][::-1], strict=True)]
        self.pen.polygon(upper + lower, fill=colour)

    def course(self, at: Floats, value: Floats | None, colour: str, width: float) -> None:
        """A line through points; it is broken where nothing came for long."""
        if value is None or not len(at):
            return
        known = np.isfinite(value)
        at, value = at[known], value[known]
        if len(at) == 1:
            place = (self.x(float(at[0])), self.y(float(value[0])))
            self.pen.ellipse([place[0] - 4, place[1] - 4, place[0] + 4, place[1] + 4], fill=colour)
        if len(at) <= 1:
            return
        longest = 6 * float(np.median(np.diff(at)))
        for piece in np.split(np.arange(len(at)), np.flatnonzero(np.diff(at) > longest) + 1):
            points = [(self.x(float(at[index])), self.y(float(value[index]))) for index in piece]
            if len(points) > 1:
                self.pen.line(points, fill=colour, width=round(width * FINE), joint="curve")

    def limit(self, value: float, voice: Voice, unit: str, *, is_clear: bool) -> None:
        """A dashed line at a limit, with its number; a fainter one where it is over again."""
        height, colour = self.y(value), FAINT if is_clear else LIMIT
        for left in range(LEFT * FINE, (WIDTH - RIGHT) * FINE, 12 * FINE):
            self.pen.line([left, height, left + 7 * FINE, height], fill=colour, width=round(1.5 * FINE))
        if not is_clear:
            place = ((WIDTH - RIGHT - 2) * FINE, height - 3 * FINE)
            self.pen.text(place, voice.unit(value, unit), fill=colour, font=font(12), anchor="rb")

    def title(self, text: str) -> None:
        """The name of the series; what does not fit ends in dots."""
        room, face = (WIDTH - LEFT - RIGHT + 50) * FINE, font(15)
        while text and self.pen.textlength(text, font=face) > room:
            text = text[:-2].rstrip("…") + "…"
        self.pen.text(((LEFT - 60) * FINE, (self.edge + 14) * FINE), text, fill=INK, font=face)


def span_of(course: Course) -> tuple[float, float]:
    """The lowest and highest number to be shown, with some air."""
    shown = [course.value, np.array([line.value for line in course.lines])]
    shown += [one for one in (course.low, course.high, course.forecast, course.forecast_high) if one is not None]
    numbers = np.concatenate(shown)
    numbers = numbers[np.isfinite(numbers)]
    if not len(numbers):
        return 0.0, 1.0
    low, high = float(numbers.min()), float(numbers.max())
    air = (high - low) * 0.08 or abs(high) * 0.1 or 1.0
    # A series that never falls below zero does not look as if it could.
    return (0.0 if 0 <= low < air else low - air), high + air


def ticks(low: float, high: float, about: int) -> list[float]:
    """Round numbers between two ends."""
    rough = (high - low) / about
    size = 10.0 ** np.floor(np.log10(rough))
    step = float(next(size * one for one in (1, 2, 2.5, 5, 10) if size * one >= rough))
    first = np.ceil(low / step) * step
    return [round(float(first + step * index), 12) for index in range(int((high - first) / step + 1e-9) + 1)]
