#!/usr/bin/env python3
"""Writes cron-table.tsv: expressions, a zone, a moment, and the next fires. Shares nothing with the product.

It walks minute by minute and asks of each minute whether the five fields hold, as crontab(5) of Vixie's cron says it:
a field that begins with a star is not restricted; where both day fields are restricted either is enough. Changes of clocks:
jobs whose minute or hour begins with a star go by elapsed time, other times that are skipped are due when the gap ends,
other times that are repeated are due the first time. Zones are those of Python's zoneinfo (IANA tz).

With croniter on the path (Debian: python3-croniter) every row in UTC is compared with it too.
"""
import datetime as dt
import random
import sys
from zoneinfo import ZoneInfo

UTC = dt.timezone.utc
MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
DAYS = "sun mon tue wed thu fri sat".split()
MACROS = {"@hourly": "0 * * * *", "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@weekly": "0 0 * * 0",
          "@monthly": "0 0 1 * *", "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *"}


def numbers(field, low, high, names):
    found = set()
    for part in field.lower().split(","):
        body, _, step = part.partition("/")
        for index, name in enumerate(names):
            body = body.replace(name, str(index + low))
        if body == "*":
            first, last = low, high
        else:
            first, _, last = body.partition("-")
            first, last = int(first), int(last or first)
            if names is DAYS and last == 0 and first > 0:
                last = 7
        found |= {0 if names is DAYS and v == 7 else v for v in range(first, last + 1, int(step or 1))}
    return found


class Expression:
    def __init__(self, text):
        minute, hour, day, month, week = MACROS.get(text.lower(), text).split()
        self.minute, self.hour = numbers(minute, 0, 59, []), numbers(hour, 0, 23, [])
        self.day, self.month = numbers(day, 1, 31, []), numbers(month, 1, 12, MONTHS)
        self.week = numbers(week, 0, 6, DAYS)
        self.either = day[0] != "*" and week[0] != "*"
        self.elapsed = minute[0] == "*" or hour[0] == "*"

    def on_date(self, d):
        day, week = d.day in self.day, d.isoweekday() % 7 in self.week
        return d.month in self.month and ((day or week) if self.either else (day and week))

    def holds(self, t):
        return t.minute in self.minute and t.hour in self.hour and self.on_date(t)


def next_elapsed(e, after, zone):
    t = after.replace(second=0, microsecond=0) + dt.timedelta(minutes=1)
    while True:
        local = t.astimezone(zone)
        if e.holds(local):
            return t
        # a day that is not due is passed over by the hour: no clock change is longer than what is left of the day
        t += dt.timedelta(minutes=1) if e.on_date(local) or local.minute else dt.timedelta(minutes=15)


def next_fixed(e, after, zone):
    """All that is due on the dates around, as moments; the least one after."""
    date = after.astimezone(zone).date() - dt.timedelta(days=2)
    while True:
        moments = []
        for near in range(5):
            d = date + dt.timedelta(days=near)
            if not e.on_date(d):
                continue
            for minute in range(24 * 60):
                local = dt.datetime(d.year, d.month, d.day) + dt.timedelta(minutes=minute)
                if local.minute in e.minute and local.hour in e.hour:
                    moments.append(moment(local, zone))
        later = [m for m in moments if m > after]
        if later:
            return min(later)
        date += dt.timedelta(days=1)


def moment(local, zone):
    first = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if first.astimezone(zone).replace(tzinfo=None) == local:
        return first
    t = first - dt.timedelta(hours=30)
    while t.astimezone(zone).replace(tzinfo=None) <= local:
        t += dt.timedelta(minutes=1)
    return t


def fires(text, after, zone_name, count):
    e, zone, found = Expression(text), ZoneInfo(zone_name), []
    for _ in range(count):
        after = (next_elapsed if e.elapsed else next_fixed)(e, after, zone)
        found.append(after)
    return found


PLAIN = """
* * * * *|*/5 * * * *|*/7 * * * *|*/15 * * * *|0 * * * *|30 * * * *|59 * * * *|0,30 * * * *|5,10,50 * * * *|10-14 * * * *|10-40/10 * * * *
*/59 * * * *|*/60 * * * *|0-59/20 * * * *|1-59/2 * * * *|0 0 * * *|0 12 * * *|59 23 * * *|30 4 * * *|0 */2 * * *|0 */5 * * *|0 */23 * * *|15 */6 * * *
0 0,12 * * *|0 8-18 * * *|0 8-18/2 * * *|*/20 9-17 * * *|0 1-23/3 * * *|45 6,18 * * *|0 22-23,0-5 * * *|*/10 0 * * *|5 5 5 5 *|0 0 1 * *|0 0 15 * *|0 0 31 * *
0 0 30 * *|0 0 29 * *|0 0 1,15 * *|0 0 1-7 * *|0 0 10-20/5 * *|0 0 */2 * *|0 0 */10 * *|0 0 */31 * *|0 0 28-31 * *|0 12 31 1,3,5 *|0 0 1 1 *|0 0 1 */3 *|0 0 1 2-12/5 *
0 0 1 jan *|0 0 1 JAN,JUL *|0 0 1 mar-may *|0 0 1 Jan-Dec/4 *|0 0 31 12 *|0 0 29 2 *|30 6 29 feb *|0 0 30 4,6,9,11 *|0 0 31 dec *|0 0 * 2 *|0 0 * 7-8 *|*/30 0 * 2 *
0 0 * * 0|0 0 * * 7|0 0 * * sun|0 0 * * SUN|0 0 * * mon|0 0 * * 1-5|0 0 * * MON-FRI|0 0 * * 6,0|0 0 * * sat,sun|0 0 * * 5-7|0 0 * * fri-sun|0 0 * * 0-6|0 0 * * 0-7
0 0 * * */2|0 0 * * */3|0 0 * * 1-5/2|0 0 * * 1,3,5|0 9 * * mon,wed,fri|*/15 9-17 * * 1-5|0 17 * * 5|0 0 * * 2-4|0 3 * 6 1|0 3 * jun-aug 1|0 0 13 * 5|0 0 13 * fri
0 0 1 * 1|0 0 1,15 * 1|0 0 1-7 * 1|0 12 10 * 3,6|15 10 1 1 0|0 0 31 2 1|0 0 30 2 sun|0 0 1 1 1|0 0 29 2 1|30 23 31 * 7|0 0 1-31 * 1|0 0 1 * 0-6|0 0 1-31/2 * 2
0 0 */2 * 1|0 0 */2 * mon|0 0 */5 * 1-5|0 0 1 * */2|0 0 15 * */3|0 0 1-7 * */7|0 0 29 2 */7|0 0 */7 * */3|0 6 */10 2 *|0 0 *,13 * 5|0 0 13 * *,5|* * 1 * 1|*/30 * 1 * 1
@hourly|@daily|@midnight|@weekly|@monthly|@yearly|@annually|@DAILY|@Hourly|0 0 1 1,2,3,4,5,6,7,8,9,10,11,12 *|0-5,55-59 * * * *|0-10/5,30 * * * *|3-59/15 2,6-8 * * *
07 08 09 10 *|00 00 01 01 *|1 2 3 4 5|10 10 10 10 *|23 0-20/2 * * *|5 4 * * sun|0 22 * * 1-5|15 14 1 * *|37 */4 * * *|0 0,6,12,18 * * *|17 3 * * 3|0 4 8-14 * *|1 0 * * *
*/2 23 * * *|58 23 31 12 *|0 0 28 2 *|0 0 1 3 *|50 11 * 12 4|*/25 */7 * * *|11 11 11 11 *|12 12 12 12 6|20 20 20 * 2|0 10 * * tue-thu|30 8 * 1-3,10-12 mon-fri|6-9 6-9 6-9 6-9 *
""".replace("\n", "|").strip("|").split("|")



def by_chance(chance):
    """An expression of shapes that need not make sense to a person."""
    def part(low, high):
        first, last = sorted(chance.sample(range(low, high + 1), 2))
        return chance.choice(["*", f"*/{chance.randint(2, 9)}", str(first), f"{first},{last}", f"{first}-{last}", f"{first}-{last}/{chance.randint(2, 5)}"])
    return " ".join([part(0, 59), part(0, 23), chance.choice(["*", "*", part(1, 28)]), chance.choice(["*", "*", part(1, 12)]), chance.choice(["*", part(0, 7)])])


CHANCE = random.Random(20260101)
PLAIN += [by_chance(CHANCE) for _ in range(80)]
PLAIN_AT = ["2026-01-01T00:00:00", "2027-02-27T23:58:30", "2026-12-31T23:59:59"]

# zone, moments shortly before clocks change, expressions
CHANGES = [
    ("America/New_York", ["2026-03-08T05:00:00", "2026-11-01T04:30:00"]),
    ("Europe/Berlin", ["2026-03-28T23:30:00", "2026-10-24T23:00:00"]),
    ("Australia/Lord_Howe", ["2026-10-03T14:00:00", "2026-04-04T13:45:00"]),
    ("America/Sao_Paulo", ["2018-11-04T01:30:00", "2018-02-18T00:30:00"]),
    ("Asia/Kolkata", ["2026-03-08T05:00:00"]),
    ("Pacific/Auckland", ["2026-09-26T13:00:00", "2026-04-04T12:30:00"]),
    ("America/Havana", ["2026-03-08T04:00:00", "2026-11-01T03:30:00"]),
]
CHANGING = ["30 2 * * *", "0 2 * * *", "15,45 2 * * *", "30 1 * * *", "0 1-3 * * *", "0 3 * * *", "30 0 * * *", "0 0 * * *", "*/30 * * * *", "0 * * * *",
            "*/20 2 * * *", "10 */2 * * *", "30 1-2 * * 0", "5 2 8 3 *", "@daily"]


def main():
    try:
        from croniter import croniter
    except ImportError:
        croniter = None
    compared = 0
    rows = [(text, "UTC", PLAIN_AT[i % len(PLAIN_AT)]) for i, text in enumerate(PLAIN)]
    rows += [(text, zone, at) for zone, ats in CHANGES for at in ats for text in CHANGING]
    with open(sys.argv[1], "w", encoding="utf-8") as out:
        out.write("# expression\tzone\tafter (UTC)\tnext fires (UTC)\n")
        for text, zone, at in rows:
            after = dt.datetime.fromisoformat(at).replace(tzinfo=UTC)
            found = fires(text, after, zone, 4)
            if croniter and zone == "UTC":
                compared += compare(croniter, text, after, found)
            out.write(f"{text}\t{zone}\t{at}Z\t{' '.join(f.strftime('%Y-%m-%dT%H:%M:%SZ') for f in found)}\n")
    print(f"{len(rows)} rows, {compared} compared with croniter", file=sys.stderr)


def compare(croniter, text, after, found):
    """False where croniter is known to follow another rule: it does not see that '*/2' begins with a star."""
    day, week = MACROS.get(text.lower(), text).split()[2::2]
    if any(len(f) > 1 and f[0] == "*" for f in (day, week)) and day != "*" and week != "*":
        return 0
    try:
        each = croniter(text, after.replace(tzinfo=None))
        theirs = [each.get_next(dt.datetime).replace(tzinfo=UTC) for _ in found]
    except Exception as refused:  # noqa: BLE001 what croniter cannot read is told, not hidden
        print(f"croniter cannot read {text}: {refused}", file=sys.stderr)
        return 0
    if theirs != found:
        print(f"DIFFERS {text} after {after}: {found} and croniter {theirs}", file=sys.stderr)
        return 0
    return 1


main()
