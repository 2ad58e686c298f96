"""`glovebox image`: the image that agents of the docker tier run in."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer
from docker import DockerClient
from docker.errors import DockerException

from sandbox.docker.engine_facts import open_client
from sandbox.docker.image.base import find_base
from sandbox.docker.image.build import SILENCE_S_MAX, ImageRecipe, build_image
from sandbox.docker.images import DEFAULT_IMAGE, is_digest
from sandbox.errors import TierUnavailableError
from server.cli import output
from server.cli.errors import CliError
from server.cli.options import AsJson, load_settings
from server.settings import Settings

FILE_BYTES_MAX = 4 * 1024 * 1024
INDEX_ARGUMENTS = ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_TRUSTED_HOST")

app = typer.Typer(help="Build the image that agents of the docker tier run in.", no_args_is_help=True)

Base = Annotated[
    str | None,
    typer.Option(
        "--base",
        help="Image with Python 3.11 and venv. Default: Python's own where a registry answers, else from Debian's "
        "packages, as root.",
        show_default=False,
    ),
]
Requirements = Annotated[
    Path | None,
    typer.Option("--requirements", help="Packages to put in, instead of the usual set.", exists=True, dir_okay=False),
]
CaBundle = Annotated[
    Path | None,
    typer.Option(
        "--ca-bundle",
        envvar=["PIP_CERT", "SSL_CERT_FILE"],
        help="CA certificates (PEM) that the package index needs, for the build alone.",
        exists=True,
        dir_okay=False,
    ),
]
Tag = Annotated[
    str | None, typer.Option("--tag", help="Name of the image. Default: GLOVEBOX_DOCKER_IMAGE, where that is a name.")
]
Network = Annotated[
    str | None,
    typer.Option("--network", help="Network of the build. Default: the engine's bridge, or `host` where it has none."),
]
IndexUrl = Annotated[str | None, typer.Option("--index-url", envvar="PIP_INDEX_URL", help="Package index to use.")]
ExtraIndexUrl = Annotated[
    str | None, typer.Option("--extra-index-url", envvar="PIP_EXTRA_INDEX_URL", help="Further package indexes.")
]
TrustedHost = Annotated[
    str | None, typer.Option("--trusted-host", envvar="PIP_TRUSTED_HOST", help="Index hosts to use without TLS.")
]


@app.command()
def build(
    base: Base = None,
    requirements: Requirements = None,
    ca_bundle: CaBundle = None,
    tag: Tag = None,
    network: Network = None,
    index_url: IndexUrl = None,
    extra_index_url: ExtraIndexUrl = None,
    trusted_host: TrustedHost = None,
    as_json: AsJson = False,
) -> None:
    """Build and check the image; its digest is printed. A running server takes it up when it is started again."""
    settings = load_settings()
    index = dict(zip(INDEX_ARGUMENTS, (index_url, extra_index_url, trusted_host), strict=True))
    recipe = ImageRecipe(
        release=version("glovebox"),
        base=base,
        requirements=None if requirements is None else _read(requirements),
        ca_bundle=b"" if ca_bundle is None else _read(ca_bundle),
        network=network,
        index={name: value for name, value in index.items() if value},
        tag=tag or (DEFAULT_IMAGE if is_digest(settings.docker_image) else settings.docker_image),
    )
    with engine(settings) as client:
        pin = build_image(client, recipe, output.note)
    if as_json:
        output.json_object(
            {"tag": recipe.tag, "id": pin.id, "guest": pin.guest_version, "packages": dict(pin.packages)}
        )
    else:
        output.line(pin.id)


@app.command(name="base")
def find() -> None:
    """Print the name of an image to build on; it is fetched or made where the engine has none."""
    with engine(load_settings()) as client:
        output.line(find_base(client, output.note))


@contextmanager
def engine(settings: Settings) -> Iterator[DockerClient]:
    """The engine of the settings. Raises CliError when none answers."""
    try:
        client = open_client(settings.docker_host, SILENCE_S_MAX)
    except TierUnavailableError as exc:
        raise CliError(exc.missing[0], hint="start it, or set DOCKER_HOST") from exc
    try:
        yield client
    except DockerException as exc:
        raise CliError(f"the Docker engine refused: {exc}") from exc
    finally:
        client.close()


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(FILE_BYTES_MAX + 1)
    except OSError as exc:
        raise CliError(f"{path} cannot be read: {exc.strerror}") from exc
    if len(content) > FILE_BYTES_MAX:
        raise CliError(f"{path} is larger than {FILE_BYTES_MAX} bytes")
    return content
