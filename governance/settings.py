"""Settings: what the environment says, once, as one frozen value.

Every field names its variable, its meaning and its default; `.env.example` at the root lists them all, and a test
keeps the two alike. Options of a command win over the environment; nothing else reads `os.environ` for settings.
Here never live credentials of targets: these are references that the runtime resolves (`governance.registry.targets`).
"""

from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from typing import Any, Self

from platformdirs import user_data_path

from governance.errors import InvalidError

PREFIX = "SWITCHGEAR_"
MAX_NUMBER = 65_535  # the largest port; days need no more


def default_database_url() -> str:
    """A SQLite file in the folder where this user's programs keep their data.

    Raises InvalidError for a user who has no home: a relative path would mean another file in every folder.
    """
    try:
        folder = user_data_path("switchgear", appauthor=False)
    except RuntimeError as error:
        raise InvalidError(
            "this user has no home folder for the database", f"set {PREFIX}DATABASE_URL or HOME"
        ) from error
    return f"sqlite+aiosqlite:///{folder / 'switchgear.db'}"


def _setting(default: str | int | bool, meaning: str, *, is_secret: bool = False, choices: tuple[str, ...] = ()) -> Any:
    return field(
        default=default, metadata={"meaning": meaning, "choices": choices, "is_secret": is_secret}, repr=not is_secret
    )


@dataclass(frozen=True, slots=True)
class Settings:
    """The variable of a field is `SWITCHGEAR_` and the field's name in capitals."""

    database_url: str = _setting("", "SQLAlchemy URL of the database; empty: a SQLite file in the user's data folder")
    host: str = _setting("127.0.0.1", "address that the server listens on; others than loopback need a token and TLS")
    port: int = _setting(8080, "port that the server listens on")
    tls_cert: str = _setting("", "file with the server's certificate and those above it, PEM; empty: plain HTTP")
    tls_key: str = _setting("", "file with the certificate's private key, PEM")
    allow_plain_http: bool = _setting(False, "1 allows plain HTTP beyond loopback, where something in front does TLS")
    cors_origins: str = _setting(
        "", "origins of web pages that may call this server with a token, separated by commas; empty: none"
    )
    jwt: str = _setting("", "file that says whose JWTs are taken and what they may (docs/ACCESS.md); empty: nobody's")
    session_idle_minutes: int = _setting(30, "minutes after which a login that is not used ends")
    session_hours: int = _setting(12, "hours after which a login ends in any case")
    rate_per_s: int = _setting(100, "requests a second that one token may make, ten times that at once; 0: any number")
    catalog: str = _setting(
        "default",
        "default lists the main workflows to MCP clients and finds the rest by search; all lists every one",
        choices=("default", "all"),
    )
    catalog_tools: int = _setting(30, "tools that one MCP client is listed, of all APIs together")
    catalog_tokens: int = _setting(4000, "tokens that these may cost; a token is four bytes of their JSON")
    call_wait_s: int = _setting(
        50, "seconds after which a call is answered that its run goes on (get_run waits for it); 0: it waits to the end"
    )
    keep_runs_days: int = _setting(90, "days for which an ended run can be looked up; the audit is kept for ever")
    confirm: str = _setting(
        "disrupt,destroy",
        "classes that ask before anything is changed: some of change,disrupt,destroy, or none",
    )
    confirm_exempt: str = _setting("", "names of callers that are not asked, separated by commas: a pipeline, say")
    plan_minutes: int = _setting(15, "minutes for which a plan can be confirmed")
    scheduled_risks: str = _setting(
        "read,change",
        "classes that schedules may run, with nobody there to ask: some of read,change,disrupt,destroy, or none",
    )
    responses: str = _setting(
        "report",
        "replies that are not as described: report notes it in the run, refuse ends the run, off does not look",
        choices=("report", "refuse", "off"),
    )
    ollama_url: str = _setting("http://127.0.0.1:11434", "where Ollama answers, for `compile --proposer ollama:MODEL`")
    openai_url: str = _setting(
        "http://127.0.0.1:8000/v1",
        "where a server with OpenAI's interface answers (llama.cpp, vLLM), for `compile --proposer openai:MODEL`",
    )
    model_may_leave: bool = _setting(False, "1 lets `compile` ask a model's server that is not on this machine")
    hub_key: str = _setting("", "file with the key of this hub, made when it is not there; empty: no site can join")
    hub: str = _setting("", "file that `site join` wrote: the hub whose site this is; empty: none")
    proposals: int = _setting(0, "workflows that one caller may ask for over MCP in a day (docs/PROPOSER.md); 0: none")
    proposer: str = _setting("none", "whom a server asks about these: none, ollama:MODEL or openai:MODEL")
    prism: str = _setting("", "the prism command for `mock --prism`; empty: found in .tools or on the PATH")
    prompts: str = _setting("", "YAML file with prompts of your own for MCP clients (docs/AGENTS.md)")
    library: str = _setting("", "folder for specs and profiles that come over REST; empty: none can")
    token: str = _setting("", "bearer token with which the command line speaks to a server", is_secret=True)
    bundle_passphrase: str = _setting("", "passphrase of the private key that signs bundles", is_secret=True)
    log_level: str = _setting("info", "debug, info, warning or error")
    log_format: str = _setting("text", "text, or json: one object a line", choices=("text", "json"))
    metrics_open: bool = _setting(False, "1 lets whoever is on this machine read /metrics without a token")
    trace_devices: bool = _setting(False, "1 sends devices a traceparent, where traces are on")
    debug: bool = _setting(False, "1 shows tracebacks of unexpected errors")

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Self:
        """Raises InvalidError naming the variable whose value does not fit."""
        given = ((one, environment.get(variable(one))) for one in fields(cls))
        values: dict[str, Any] = {one.name: _parse(one, text) for one, text in given if text}
        return cls(**values)

    @property
    def database(self) -> str:
        return self.database_url or default_database_url()


def variable(setting: "Field[Any]") -> str:
    return PREFIX + setting.name.upper()


def _parse(setting: "Field[Any]", text: str) -> str | int | bool:
    if setting.type is int:
        if not (text.isascii() and text.isdecimal() and int(text) <= MAX_NUMBER):
            raise InvalidError(f"{variable(setting)} is {text!r}", f"give a number up to {MAX_NUMBER}")
        return int(text)
    if setting.type is bool:
        return text.strip().lower() in {"1", "true", "yes", "on"}
    choices = setting.metadata["choices"]
    if choices and text not in choices:
        raise InvalidError(f"{variable(setting)} is {text!r}", f"take one of {', '.join(choices)}")
    return text


@dataclass(frozen=True, slots=True)
class SettingInUse:
    """What may be told of one setting: no value where it is a secret, no password where it is an address."""

    name: str
    value: str | int | bool | None
    source: str
    is_secret: bool
    meaning: str

    def to_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}


def in_use(environment: Mapping[str, str], options: Mapping[str, Any]) -> tuple[SettingInUse, ...]:
    """Every setting with where its value comes from. `options`: of a command, by the field's name; None: not given.

    Raises InvalidError like `Settings.read`.
    """
    read, told = Settings.read(environment), []
    for one in fields(Settings):
        name, given, is_secret = variable(one), options.get(one.name), one.metadata["is_secret"]
        source = "command line" if given is not None else "environment" if environment.get(name) else "default"
        value = getattr(read, one.name) if given is None else given
        shown = None if is_secret else _without_userinfo(value) if isinstance(value, str) else value
        told.append(SettingInUse(name, shown, source, is_secret, one.metadata["meaning"]))
    return tuple(told)


def _without_userinfo(text: str) -> str:
    """An address without who logs in there and without its query, either of which may hold a password."""
    scheme, mark, rest = text.partition("://")
    if not mark:
        return text
    _, at, place = rest.rpartition("@")
    return f"{scheme}://{'[redacted]@' if at else ''}{place.partition('?')[0]}"


def example(defaults: Settings | None = None) -> str:
    """The text of `.env.example`: every variable with its meaning, commented out at its default."""
    values = defaults or Settings()
    lines = ["# Settings of Switchgear. Copy to .env, remove the # of what you change."]
    for setting in fields(Settings):
        value = getattr(values, setting.name)
        shown = int(value) if isinstance(value, bool) else value
        lines += ["", f"# {setting.metadata['meaning']}", f"#{variable(setting)}={shown}"]
    return "\n".join(lines) + "\n"
