"""JUnit's XML: a suite a stage, a case a check."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from token_journey.classroom.class_list import StudentRow
from token_journey.classroom.result import StageResult

# What no XML can hold, however it is spelled.
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(row: StudentRow) -> bytes:
    """One hand-in's report. A stage that is missing is failures, never a skip."""
    suites = ElementTree.Element("testsuites", name=_text(row.student.name))
    for stage in row.result.stages if row.result else ():
        bad = len(stage.failed) + len(stage.todo) + len(stage.missing)
        counted = {"tests": f"{stage.total}", "failures": f"{bad}", "errors": "0", "skipped": "0"}
        about = {"name": stage.stage, "time": f"{stage.seconds:.3f}", **counted}
        suite = ElementTree.SubElement(suites, "testsuite", about)
        for check, why in _checks(stage):
            case = ElementTree.SubElement(suite, "testcase", classname=stage.stage, name=check)
            if why is not None:
                first, _, rest = _text(why).partition("\n")
                ElementTree.SubElement(case, "failure", message=first).text = rest
    ElementTree.indent(suites)
    written: bytes = ElementTree.tostring(suites, encoding="utf-8", xml_declaration=True)
    return written


def _checks(stage: StageResult) -> list[tuple[str, str | None]]:
    """Each check with why it fails."""
    found: list[tuple[str, str | None]] = [(check, None) for check in stage.passed]
    found += [(told.check, told.message or told.subject) for told in stage.failed]
    found += [(check, "to do") for check in stage.todo]
    return found + [(check, stage.why) for check in stage.missing]


def _text(said: str) -> str:
    return _NO_XML.sub("?", said)
