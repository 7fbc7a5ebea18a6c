"""Verdicts as JUnit's XML, as Jenkins and GitLab read it: a suite an allocator, a case a topic."""

from __future__ import annotations

import re
from collections.abc import Iterable
from xml.etree import ElementTree as ET

from emu.judge.verdict import TopicResult
from emu.report.terminal import counted
from emu.report.verdict import defect
from emu.report.verdict.checked import Checked, Standing, by_rule, standing

_HEAD = '<?xml version="1.0" encoding="utf-8"?>\n'
_NO_XML = re.compile(r"[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot hold, not even as references."""
_COUNTED = {"failures": "failure", "errors": "error", "skipped": "skipped"}
"""Attributes of a suite, and the elements of its cases that they count."""


def document(every: Iterable[Checked]) -> str:
    """The whole file."""
    root = ET.Element("testsuites", name="emu check")
    root.extend(_suite(checked) for checked in every)
    _count(root)
    ET.indent(root)
    return f"{_HEAD}{ET.tostring(root, encoding='unicode')}\n"


def _suite(checked: Checked) -> ET.Element:
    suite = ET.Element("testsuite", name=_clean(checked.allocator))
    if checked.verdict is None:
        suite.append(_refused(checked))
    else:
        suite.extend(_case(checked, topic) for topic in checked.verdict.topics)
    _count(suite)
    return suite


def _count(parent: ET.Element) -> None:
    parent.set("tests", str(len(list(parent.iter("testcase")))))
    for attribute, element in _COUNTED.items():
        parent.set(attribute, str(len(list(parent.iter(element)))))


def _case(checked: Checked, topic: TopicResult) -> ET.Element:
    case = _named(checked, topic.name)
    how = standing(topic)
    if how is Standing.FAIL:
        case.append(_failure(checked, topic))
    elif how is Standing.SKIP:
        ET.SubElement(case, "skipped", message=_clean(topic.skipped or "nothing of it was tried"))
    return case


def _named(checked: Checked, name: str) -> ET.Element:
    return ET.Element("testcase", classname=_clean(checked.allocator), name=_clean(name))


def _failure(checked: Checked, topic: TopicResult) -> ET.Element:
    """One element a case, as readers look at the first only; it tells of all its defects."""
    met = [i for i, found in enumerate(checked.defects) if found.topic == topic.name]
    told = tuple(checked.defects[i] for i in met)
    rules = by_rule(told or checked.defects)
    number = min(topic.failures, topic.scenarios)  # one may go wrong more than once
    failed = f"{number} of {counted(topic.scenarios, 'scenario')} failed"
    message = f"{told[0].rule}: {told[0].message}" if len(told) == 1 else f"{failed}: {rules}"
    lines = [line.plain for i in met for line in defect.lines(checked, i)]
    lines = lines or [f"The causes were first met in other topics: {rules}"]
    failure = ET.Element("failure", type=_clean(rules), message=_clean(message))
    failure.text = _clean("\n".join([f"{failed}.", *lines]))
    return failure


def _refused(checked: Checked) -> ET.Element:
    case = _named(checked, "the allocator can be loaded")
    message, _, rest = checked.error.partition("\n")
    error = ET.SubElement(case, "error", type="input", message=_clean(message))
    error.text = _clean(rest or message)
    return case


def _clean(text: str) -> str:
    return _NO_XML.sub("\ufffd", text)
