# SPDX-License-Identifier: Apache-2.0
"""The differences that are meant: the rows of the tables of a Markdown file."""
import fnmatch
import re

HEAD = ["case", "API", "versions", "field", "Kafka", "sluice", "why"]


class Row:
    def __init__(self, line, cells):
        self.line, self.text = line, " | ".join(cells[:6])
        self.patterns = [[text.strip("`") for text in cell.split(" or ")]
                         for cell in cells]
        self.low, self.high = 0, 1 << 15
        if cells[2] != "*":
            m = re.fullmatch(r"(\d+)(?:-(\d+))?", cells[2])
            self.low, self.high = int(m[1]), int(m[2] or m[1])
        self.used = False

    def matches(self, case, api, field, kafka, sluice):
        values = (case, api, None, field, kafka, sluice)
        return all(value is None or any(fnmatch.fnmatchcase(value, p) for p in patterns)
                   for value, patterns in zip(values, self.patterns))


def read(path):
    rows = []
    with open(path, encoding="utf-8") as f:
        for number, line in enumerate(f, 1):
            cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
            if not line.startswith("|") or cells == HEAD or set(line) <= set("|-: \n"):
                continue
            if len(cells) != len(HEAD) or not cells[-1]:
                raise ValueError(f"{path}:{number}: {len(HEAD)} cells are wanted: {', '.join(HEAD)}")
            rows.append(Row(number, cells))
    return rows


def unlisted(rows, found):
    """What no row is about: [(case, API, versions, field, Kafka's, sluice's)]; rows that
    are about something are marked as used."""
    left = []
    for (case, api, field, kafka, sluice), versions in found.items():
        about = [row for row in rows if row.matches(case, api, field, kafka, sluice)]
        for row in about:
            row.used = row.used or any(row.low <= v <= row.high for v in versions)
        others = [v for v in versions if not any(row.low <= v <= row.high for row in about)]
        if others:
            left.append((case, api, others, field, kafka, sluice))
    return left
