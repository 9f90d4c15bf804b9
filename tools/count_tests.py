"""Sum up the JUnit reports of several test runs in one line; fails when they ran no test.

python tools/count_tests.py REPORT.xml...
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from xml.etree import ElementTree


def main(reports: Sequence[str]) -> int:
    """Print `N passed, N failed, N skipped`; 1 when none passed or one failed."""
    counted: Counter[str] = Counter()
    for report in reports:
        for suite in ElementTree.parse(report).iter("testsuite"):
            counted.update({name: int(suite.get(name, 0)) for name in ("tests", "failures", "errors", "skipped")})
    failed = counted["failures"] + counted["errors"]
    passed = counted["tests"] - failed - counted["skipped"]
    print(f"{passed} passed, {failed} failed, {counted['skipped']} skipped")
    return int(failed > 0 or passed == 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
