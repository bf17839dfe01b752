"""Payload templates: the part of Go's text/template that Honeycomb allows."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.honeycomb.pipeline import TemplateError
from sandbox.honeycomb.template import check, render

DATA: dict[str, Any] = {
    "Name": 'Say "hi" & <go>',
    "Alert": {"IsTest": False, "Status": "OK"},
    "Datasets": ["a", "b"],
    "Groups": [{"Key": "x"}, {"Key": "y"}],
    "None": [],
    "Vars": {"team": "blue"},
    "Minutes": 60,
}


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("plain", "plain"),
        ("{{ .Alert.Status }}", "OK"),
        ("{{.Alert.IsTest}}", "false"),
        ("{{ .Vars.team }}", "blue"),
        ("{{ toJson .Name }}", '"Say \\"hi\\" \\u0026 \\u003cgo\\u003e"'),
        ("{{ .Datasets | toJson }}", '["a","b"]'),
        ("{{ .Datasets }}", "[a b]"),  # why arrays must go through toJson
        ("{{ len .Datasets }}", "2"),
        ('{{ printf "%s-%d" .Alert.Status .Minutes }}', "OK-60"),
        ('{{ printf "%q" .Alert.Status }}', '"OK"'),
        ('{{ eq .Alert.Status "TRIGGERED" "OK" }}', "true"),
        ("{{ if .Alert.IsTest }}test{{ else }}real{{ end }}", "real"),
        ('{{ if eq .Alert.Status "OK" }}fine{{ end }}', "fine"),
        ("{{ if (eq (len .Datasets) 2) }}two{{ end }}", "two"),
        ("{{ range .Groups }}<{{ .Key }}>{{ end }}", "<x><y>"),
        ("{{ range .None }}x{{ else }}nothing{{ end }}", "nothing"),
        ("a {{- /* gone */ -}} b", "ab"),
        ("a {{- .Minutes -}} b", "a60b"),
        ("{{ `raw` }}{{ 1.5 }}{{ true }}", "raw1.5true"),
    ],
)
def test_templates(template: str, text: str) -> None:
    """What each gives over the same data."""
    assert render(template, DATA) == text


@pytest.mark.parametrize(
    "template",
    [
        "{{ .Alert",
        "{{ if .Name }}",
        "{{ end }}",
        "{{ }}",
        "{{ ? }}",
        "{{ if .Name }}x{{ else if .None }}y{{ end }}",
    ],
)
def test_a_template_that_cannot_be_parsed_is_refused(template: str) -> None:
    """When the recipient is written, not when the alert fires."""
    with pytest.raises(TemplateError):
        check(template)


@pytest.mark.parametrize(
    "template",
    ["{{ .Nothing }}", "{{ .Vars.nothing }}", "{{ .Name.Sub }}", "{{ upper .Name }}", "{{ len }}"],
)
def test_reading_what_is_not_there_fails(template: str) -> None:
    """A struct has no unknown fields, and there are four functions."""
    with pytest.raises(TemplateError):
        render(template, DATA)
