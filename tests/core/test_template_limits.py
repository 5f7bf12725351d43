"""Templates that would take all time or memory end with an error that names the limit."""

import json
import subprocess
import sys

import pytest

from llmeval.core.errors import SuiteError
from llmeval.core.templates import Template, render_value

GROW = (
    "{%% set ns = namespace(x=%s) %%}{%% for i in range(60) %%}{%% set ns.x = %s %%}{%% endfor %%}x"
)
BOMBS = {
    "text by ~": GROW % ("'ab'", "ns.x ~ ns.x"),
    "text by +": GROW % ("'ab'", "ns.x + ns.x"),
    "list by +": GROW % ("[1, 2]", "ns.x + ns.x"),
    "number by *": GROW % ("7", "ns.x * ns.x"),
    "text by join": GROW % ("'ab'", "[ns.x, ns.x] | join('-')"),
    "text by replace": GROW % ("'aa'", "ns.x | replace('a', ns.x)"),
    "method replace": GROW % ("'aa'", "ns.x.replace('a', ns.x)"),
    "method join": GROW % ("'ab'", "ns.x.join([ns.x, ns.x, ns.x])"),
    "text by set block": "{% set a %}" + "z" * 1000 + "{% endset %}" + "".join(
        f"{{% set a %}}{'{{ a }}' * 9}{{% endset %}}" for _ in range(20)),
    "width of ljust": "{{ 'a'.ljust(3000000000) }}",
    "width of center": "{{ 'a' | center(3000000000) }}",
    "tabs": "{{ '\\t\\t'.expandtabs(1000000000) }}",
    "width in format": "{{ '{:<3000000000}'.format(7) }}",
    "width as a field": "{{ '{:{}}'.format(7, 1000000000) }}",
    "width in format_map": "{{ '{k:>1000000000}'.format_map({'k': 7}) }}",
    "bytes of a number": "{{ (5).to_bytes(3000000000, 'big') }}",
    "batch": "{{ [1] | batch(1000000000, 0) | list }}",
    "indent": "{{ ('\\n'.ljust(99999) | replace(' ', '\\n')) | indent(99999) }}",
    "digits": "{{ 1.5 | round(1000000000) }}",
    "power": "{{ 9 ** 999999999 }}",
    "two loops": "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
    "filters in a loop": "{% for a in range(99999) %}{{ range(99999) | sum }}{% endfor %}",
    "macro": "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "macro twice": "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(50) }}",
    "recursive loop": "{% for a in [1, 2] recursive %}{% if loop.depth < 60 %}{{ loop([1, 2]) }}{% endif %}{% endfor %}",
    "caller": "{% macro m(n) %}{% if n %}{% call m(n - 1) %}{% endcall %}{% call m(n - 1) %}{% endcall %}{% endif %}{% endmacro %}{{ m(50) }}",
    "output": "{% for a in range(99999) %}{% for b in range(99) %}" + "w" * 500 + "{% endfor %}{% endfor %}",
    "brackets": "{{ " + "(" * 4000 + "1" + ")" * 4000 + " }}",
    "lists": "{{ " + "[" * 4000 + "]" * 4000 + " }}",
    "conditions": "{% if 1 %}" * 400 + "{% endif %}" * 400,
    "deep list": "{% set ns = namespace(x=[]) %}{% for i in range(9000) %}{% set ns.x = [ns.x] %}{% endfor %}{{ ns.x }}",
    "long": "{{ 1 }}" * 300_000,
    "list in itself": "{% set ns = namespace(x=[1]) %}{% for i in range(40) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ ns.x }}",
    "list of one text": "{% set t = 'w'.center(90000) %}{% set a = [t, t, t, t, t, t, t, t, t] %}{% set b = [a, a, a, a, a, a, a] %}{{ b | tojson | length }}",
    "membership": "{% set b = range(99999) | list %}{% for i in range(99999) %}{{ -1 in b }}{% endfor %}",
}  # fmt: skip
LIMITED = """
import json, os, resource, sys
from llmeval.core import template_limits
from llmeval.core.errors import SuiteError
from llmeval.core.templates import Template, render_value

def outcomes(text):
    resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
    resource.setrlimit(resource.RLIMIT_CPU, (20, 20))
    for render in (lambda: Template(text, "t").render({}), lambda: render_value(text, {}, "t")):
        try:
            render()
        except SuiteError as error:
            yield "refused " + str(error)[:200]
        else:
            yield "rendered"

for kind, text in json.load(sys.stdin).items():
    child = os.fork()
    if child == 0:
        if kind != "two loops":  # one bomb meets the real limit; the others take a tenth of its time
            template_limits.MAX_STEPS //= 10
        print(json.dumps([kind, list(outcomes(text))]), flush=True)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    print(json.dumps([kind, status]), flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs limits of a process")
def test_bombs_are_refused() -> None:
    """Each in a process with 1 GB and 20 s of CPU time, forked from one that has imported all."""
    done = subprocess.run(
        [sys.executable, "-c", LIMITED],
        check=False,
        input=json.dumps(BOMBS),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-500:]
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [kind for kind, _ in lines] == [kind for kind in BOMBS for _ in range(2)], done.stdout
    wrong = {
        kind: (outcomes, status)
        for (kind, outcomes), (_, status) in zip(lines[::2], lines[1::2], strict=True)
        if status != 0
        or len(outcomes) != 2
        or any(not each.startswith("refused t") or "MemoryError" in each for each in outcomes)
    }
    assert wrong == {}


def test_ordinary_templates_render() -> None:
    values = {
        "docs": [{"title": f"Title {n}", "text": "text " * 200} for n in range(2000)],
        "name": "Ann",
        "price": 12.5,
    }
    source = (
        "{% macro item(d) %}<{{ d.title | upper }}>{% endmacro %}"
        "{% for d in docs %}{{ loop.index }}. {{ item(d) }}{{ d.text[:9] ~ '!' }}\n{% endfor %}"
        "{{ docs | map(attribute='title') | list | length }} {{ name.center(9) }} {{ '%s' }}"
        "{{ nothing | default('-') }} {{ '{:.2f}'.format(price) }} {{ name | replace('n', 'm') | indent(2) }}"
    )
    text = Template(source, "t").render(values)
    assert text.startswith("1. <TITLE 0>text text!\n2. <TITLE 1>")
    assert text.endswith("2000    Ann    %s- 12.50 Amm")


@pytest.mark.parametrize(
    "source", ["{{ 'a' + 1 }}", "{{ [1] | first(2, 3) }}", "{{ 1 / 0 }}", "{{ {}.a.b }}"]
)
def test_an_expression_that_fails_is_an_error_of_the_suite(source: str) -> None:
    with pytest.raises(SuiteError, match="^t: "):
        render_value(source, {}, "t")
