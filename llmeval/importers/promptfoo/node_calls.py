"""Runs JavaScript that was written for promptfoo, by Node.js: assertions, code that changes an
answer, and providers. The code file of an imported suite calls these functions. An import itself
runs nothing.

The code sees the answer and the variables, as in promptfoo. What promptfoo passes in addition, such
as the provider's response, raises an error here, so a check is never decided without it.
"""

import asyncio
import json
import os
import shlex
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from llmeval.checks.base import Result
from llmeval.checks.spec import bind
from llmeval.core.errors import CheckError
from llmeval.core.records import Answer, Case
from llmeval.importers.promptfoo.python_calls import (
    ModelRequest,
    as_verdict,
    prompt_of,
    promptfoo_output,
    reply_of,
    with_environment,
)

SECONDS = 60.0
"""How long one call of a check may take, in seconds."""
_DRIVER = r"""
const { pathToFileURL } = require('url');
const write = process.stdout.write.bind(process.stdout);
for (const name of ['log', 'info', 'debug', 'dir', 'table', 'warn']) console[name] = console.error;
const only = (values) => new Proxy(values, {
  get(target, name) {
    if (typeof name === 'symbol' || name in target || name === 'toJSON') return target[name];
    throw new Error(`context.${name} does not exist in an imported suite, only context.vars`);
  },
});
const body = (text) => /\n/.test(text) || /^(const|let|var|if|return|for|try)\b/.test(text)
  ? text : `return ${text}`;
async function loaded(file, name) {
  const module = await import(pathToFileURL(file));
  const main = module.default?.default ?? module.default;
  const value = name ? module[name] ?? module.default?.[name] : main;
  if (typeof value !== 'function') throw new Error(`${file} exports no function ${name}`);
  return value;
}
async function decided(code, output, context) {
  if (code.file) return (await loaded(code.file, code.name))(output, context);
  return new Function('output', 'context', 'process', body(code.text))(output, context, process);
}
async function done(job) {
  if (job.provider) {
    const Provider = await loaded(job.provider, '');
    const made = new Provider({ id: job.id, config: job.config });
    return made.callApi(job.prompt, only({ vars: job.vars, prompt: { raw: job.prompt } }), {});
  }
  let output = job.output;
  for (const code of job.code)
    output = await decided(code, output, only({ vars: job.vars, config: job.config }));
  return output;
}
let text = '';
process.stdin.on('data', (part) => { text += part; }).on('end', async () => {
  let result;
  try { result = JSON.stringify({ value: await done(JSON.parse(text)) }); }
  catch (error) { result = JSON.stringify({ error: String(error?.stack || error).slice(0, 500) }); }
  write(result, () => process.exit(0));
});
"""
"""Reads one job as JSON from standard input and writes its outcome as JSON to standard output."""

Code = Mapping[str, str]
"""`{"text": source}`, or `{"file": path, "name": exported name}`."""


async def decided_by_node(
    caller: str,
    case: Case,
    answer: Answer,
    code: Sequence[Code],
    *,
    threshold: float | None = None,
    config: object = None,
    parsed: bool = False,
) -> Result:
    """The verdict of a JavaScript assertion, by promptfoo's rule (see `judged`).

    Args:
        caller: the file that paths are relative to.
        code: changes of the answer in their order; the last entry decides.
        threshold: the score from which on a number passes.
        config: the assertion's `config`.
        parsed: whether the output is parsed where it is JSON, as promptfoo does for a JSON Schema.

    Raises:
        CheckError: Node.js is missing, the code failed, or returned something else.
    """
    value = await _changed(caller, case, answer, code, config, parsed)
    return as_verdict(value, threshold)


async def checked_after_node(
    caller: str,
    case: Case,
    answer: Answer,
    code: Sequence[Code],
    check: object,
    *,
    parsed: bool = False,
) -> Result:
    """The verdict of one of llmeval's checks on the answer that JavaScript changed.

    Args:
        check: as a suite writes it, without templates.

    Raises:
        CheckError: Node.js is missing, the code failed, or the check can't be applied.
    """
    value = await _changed(caller, case, answer, code, None, parsed)
    if value is None:
        raise CheckError("the code that changes the answer returned nothing")
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    (bound,) = bind([check])
    return bound.evaluate(case, msgspec.structs.replace(answer, output=text), lambda same: same)


async def call_node_provider(
    caller: str, path: str, request: ModelRequest, config: Mapping[str, object]
) -> str | dict[str, object]:
    """The answer of a provider: a JavaScript class with `callApi`.

    Args:
        caller: the file that `path` is relative to.

    Raises:
        RuntimeError: Node.js is missing, or the provider returned an error, or no output.
    """
    file = (Path(caller).parent / path).resolve()
    job: dict[str, object] = {
        "provider": str(file),
        "id": file.name,
        "config": with_environment(dict(config)),
        "prompt": prompt_of(request),
        "vars": dict(request.fields),
    }
    try:
        return reply_of(await _node(job))
    except CheckError as error:
        raise RuntimeError(str(error)) from None


async def call_command(
    caller: str, folder: str, command: str, request: ModelRequest, config: Mapping[str, object]
) -> str:
    """The answer of promptfoo's `exec:` provider: what a command prints.

    The command gets the prompt, `{"config": ...}` and `{"vars": ...}` as its last three arguments.

    Args:
        caller: the file that `folder` is relative to.
        folder: where the command runs.

    Raises:
        RuntimeError: it can't be started, or ended with an exit code other than 0.
    """
    context = {"vars": dict(request.fields)}
    arguments = [
        *(str(with_environment(part)) for part in shlex.split(command)),
        prompt_of(request),
        json.dumps({"config": with_environment(dict(config))}),
        json.dumps(context, default=str),
    ]
    try:
        code, out, err = await _ended(arguments, b"", (Path(caller).parent / folder).resolve())
    except OSError as error:
        raise RuntimeError(f"{arguments[0]}: {error.strerror}") from None
    if code:
        raise RuntimeError(f"{arguments[0]} ended with exit code {code}: {err.strip()[-300:]}")
    return out.strip()


async def _changed(
    caller: str,
    case: Case,
    answer: Answer,
    code: Sequence[Code],
    config: object,
    parsed: bool,
) -> object:
    base = Path(caller).parent
    job = {
        "code": [
            {**each, "file": str((base / each["file"]).resolve())} if "file" in each else each
            for each in code
        ],
        "output": promptfoo_output(answer, parsed=parsed),
        "vars": dict(case.fields),
        "config": with_environment(config),
    }
    try:
        return await asyncio.wait_for(_node(job), SECONDS)
    except TimeoutError:
        raise CheckError(f"the JavaScript did not return within {SECONDS:g} s") from None


async def _node(job: Mapping[str, object]) -> object:
    program = shutil.which("node")
    if program is None:
        raise CheckError("Node.js is not installed (`node`), and this suite runs JavaScript by it")
    text = json.dumps(job, default=str).encode()
    arguments = [program, "--input-type=commonjs", "--eval", _DRIVER]
    code, out, err = await _ended(arguments, text, Path.cwd())
    try:
        outcome = json.loads(out)
    except ValueError:
        raise CheckError(
            f"node ended with exit code {code}: {(err or out).strip()[-300:]}"
        ) from None
    if "error" in outcome:
        raise CheckError(f"JavaScript: {outcome['error']}")
    return outcome.get("value")


async def _ended(arguments: Sequence[str], text: bytes, folder: Path) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of a process, which does not outlive this."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *arguments, stdin=pipe, stdout=pipe, stderr=pipe, cwd=folder, env=dict(os.environ)
    )
    try:
        out, err = await process.communicate(text)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode or 0, out.decode(errors="replace"), err.decode(errors="replace")
