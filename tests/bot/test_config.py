"""The settings: what can be built, what is refused, and in which words."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bot.config import Brand, Secrets, Settings, SettingsError, WatchSettings, load_secrets, load_settings
from nlp.playbook import EXAMPLE

MINIMAL = '[brand]\nname = "Acme"\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a good playbook."""
    (tmp_path / "playbook.toml").write_bytes(EXAMPLE.read_bytes())
    return tmp_path


def write(folder: Path, text: str) -> Path:
    """Write a settings file."""
    path = folder / "cuecard.toml"
    path.write_text(text, "utf-8")
    return path


def mistakes(folder: Path, text: str) -> tuple[str, ...]:
    """Return what is told of a settings file, without the file's name."""
    path = write(folder, text)
    with pytest.raises(SettingsError) as caught:
        load_settings(path, {})
    assert all(sentence.startswith(str(path)) and "\n" not in sentence for sentence in caught.value.sentences)
    return tuple(sentence.removeprefix(str(path)).removeprefix(", ") for sentence in caught.value.sentences)


def test_minimal_file_takes_every_default(folder: Path):
    """A brand and a playbook are enough; all the rest has a default."""
    settings = load_settings(write(folder, MINIMAL), {})
    assert settings.brand.name == "Acme"
    assert settings.reply.hold_seconds == 30
    assert settings.digest.days == ("mon", "tue", "wed", "thu", "fri")
    assert settings.slack.api_url == "https://slack.com/api/"
    assert settings.source == folder / "cuecard.toml"


def test_settings_are_built_in_code_without_a_file():
    """The models stand on their own; no file, playbook or environment is needed."""
    settings = Settings(brand=Brand(name="Acme"), watch=(WatchSettings(name="w", query="acme"),))
    assert settings.source is None
    assert [watch.brand for watch in settings.compile_watches().match("ACME!")] == ["Acme"]


def test_settings_can_not_be_changed():
    """A setting is read once and never changes while the bot runs."""
    settings = Settings(brand=Brand(name="Acme"))
    with pytest.raises(ValidationError):
        settings.brand.name = "Other"


def test_relative_paths_start_at_the_settings_file(folder: Path):
    """The database, the playbook and a feed's files are found wherever Cuecard is started from."""
    text = MINIMAL + '[store]\npath = "data/c.db"\n[feed.old]\nplatform = "replay"\npath = "old.jsonl"\n'
    settings = load_settings(write(folder, text), {})
    assert settings.store.path == folder / "data" / "c.db"
    assert settings.playbook == folder / "playbook.toml"
    assert settings.feed["old"]["path"] == str(folder / "old.jsonl")


def test_absolute_paths_stay(folder: Path, tmp_path: Path):
    """An absolute path is taken as it is."""
    settings = load_settings(write(folder, MINIMAL + f'[store]\npath = "{tmp_path}/x/c.db"\n'), {})
    assert settings.store.path == tmp_path / "x" / "c.db"


def test_environment_names_the_file(folder: Path):
    """CUECARD_SETTINGS names the file where no path is given; a given path goes first."""
    path = write(folder, MINIMAL)
    assert load_settings(None, {"CUECARD_SETTINGS": str(path)}).source == path
    assert load_settings(path, {"CUECARD_SETTINGS": "elsewhere.toml"}).source == path


def test_absent_file_says_what_to_do(tmp_path: Path):
    """Without a file the person is sent to `cuecard init`."""
    with pytest.raises(SettingsError, match=r"There is no settings file .*none\.toml; `cuecard init` writes one"):
        load_settings(tmp_path / "none.toml", {})


def test_folder_in_place_of_a_file_is_named(tmp_path: Path):
    """A folder is refused in one sentence."""
    with pytest.raises(SettingsError, match="cannot be read: Is a directory"):
        load_settings(tmp_path, {})


def test_file_that_is_not_utf8_is_named(tmp_path: Path):
    """Text in another encoding is refused with what to do."""
    path = tmp_path / "cuecard.toml"
    path.write_bytes(b"name = '\xff\xfe'")
    with pytest.raises(SettingsError, match="is not UTF-8 text; save it as UTF-8"):
        load_settings(path, {})


def test_byte_order_mark_is_no_mistake(folder: Path):
    """Notepad's byte order mark does not stop anyone."""
    path = folder / "cuecard.toml"
    path.write_bytes(b"\xef\xbb\xbf" + MINIMAL.encode())
    assert load_settings(path, {}).brand.name == "Acme"


def test_broken_toml_is_named_with_line_and_column(folder: Path):
    """A syntax error says where it is."""
    (sentence,) = mistakes(folder, '[brand]\nname = "Acme\n')
    assert sentence.startswith("line 2, column 13: ")
    assert sentence.endswith("; mend that line and try again.")


@pytest.mark.parametrize(
    ("text", "place", "advice"),
    [
        ('[digest]\nat = "9am"', "line 4, [digest] at: ", 'write hours and minutes, such as "09:00"'),
        ('[digest]\nat = "24:00"', "line 4, [digest] at: ", "is not a time of day"),
        ('[digest]\ntimezone = "Mars/Base"', "line 4, [digest] timezone: ", "there is no time zone 'Mars/Base'"),
        ('[digest]\ntimezone = "../etc/passwd"', "line 4, [digest] timezone: ", "there is no time zone"),
        ('[digest]\ntimezone = ""', "line 4, [digest] timezone: ", "there is no time zone"),
        ('[digest]\ndays = ["mon", "funday"]', "line 4, [digest] days: ", "'funday' is not a day"),
        ('[slack]\nchannel = "#mentions"', "line 4, [slack] channel: ", "A name can change, an id cannot"),
        ('[slack]\nchannel = "D012ABC"', "line 4, [slack] channel: ", "is not a channel id"),
        ('[slack]\napi_url = "http://slack.example/api/"', "line 4, [slack] api_url: ", "write an https:// address"),
        ('[slack]\napi_url = "https://u:p@slack.com/api/"', "line 4, [slack] api_url: ", "an address with a password"),
        ('[slack]\napi_url = "https://[::1/api"', "line 4, [slack] api_url: ", "write an https:// address"),
        ("[reply]\nhold_seconds = 301", "line 4, [reply] hold_seconds: ", "less than or equal to 300"),
        ("[reply]\nhold_seconds = -1", "line 4, [reply] hold_seconds: ", "greater than or equal to 0"),
        ("[reply]\nhold_seconds = nan", "line 4, [reply] hold_seconds: ", "write a plain number"),
        ('[cards]\nper_day = "many"', "line 4, [cards] per_day: ", "write a whole number, without quotes"),
        ("[cards]\nper_day = 1.5", "line 4, [cards] per_day: ", "write a whole number"),
        ('[slack]\nteam_only = "perhaps"', "line 4, [slack] team_only: ", "write true or false, without quotes"),
        ("[[watch]]\nname = 'w'", "line 3, [[watch]] number 1, query: ", "this is missing"),
        ("[[watch]]\nname = 'w'\nquery = '(acme'", "line 5, [[watch]] number 1, query: ", ""),
        ("[[watch]]\nname = ''\nquery = 'acme'", "line 4, [[watch]] number 1, name: ", "cannot be a name"),
        ("[feed.x]\nplatform = 'twitter'", "line 3, [feed.x]: ", "there is no platform 'twitter'; write platform ="),
        ("[feed.x]\nurls = []", "line 3, [feed.x]: ", "says no platform; write platform ="),
        ("[feed]\nx = 3", "line 4, [feed.x]: ", "write a table"),
        ('[digets]\nat = "09:00"', "line 3, digets: ", "there is no setting 'digets'; did you mean 'digest'?"),
        ("[cards]\nperday = 5", "line 4, [cards] perday: ", "did you mean 'per_day'?"),
        ("[cards]\nzzz = 5", "line 4, [cards] zzz: ", "known here: per_day, stale_after_hours"),
        ("[[watch]]\nname='w'\nquery='acme'\nfeed=['x']", "line 6, [[watch]] number 1, feed: ", "'feeds'?"),
        ("[cards]\nstale_after_hours = 0", "line 4, [cards] stale_after_hours: ", "greater than 0"),
        ("[store]\npath = 3", "line 4, [store] path: ", "write a file's path in quotes"),
    ],
)
def test_mistake_is_named_with_its_line_and_what_to_do(folder: Path, text: str, place: str, advice: str):
    """Each mistake is one sentence: file, line, place, what is wrong, what to do."""
    (sentence,) = mistakes(folder, MINIMAL + text + "\n")
    assert sentence.startswith(place)
    assert advice in sentence


def test_missing_brand_is_said(folder: Path):
    """An empty file lacks the brand, and nothing else."""
    assert mistakes(folder, "") == ("brand: this is missing, and has no default; add it.",)


def test_all_mistakes_are_told_at_once(folder: Path):
    """A person mends a file once, not once for every mistake; the playbook's own mistake is among them."""
    (folder / "playbook.toml").write_text("[[opener]]\ntext = '{secret}'\n")
    found = mistakes(folder, MINIMAL + '[digest]\nat = "9"\ntimezone = "X"\n[cards]\nper_day = 0\n')
    assert [sentence.partition(":")[0] for sentence in found[:3]] == [
        "line 4, [digest] at",
        "line 5, [digest] timezone",
        "line 7, [cards] per_day",
    ]
    assert "playbook.toml, line 2" in found[3]


def test_watch_of_an_unknown_feed_is_refused(folder: Path):
    """A watch that names a feed that is not set would hear nothing, so it is refused."""
    (sentence,) = mistakes(folder, MINIMAL + "[[watch]]\nname='w'\nquery='acme'\nfeeds=['hn']\n")
    assert sentence.startswith("line 6, [[watch]] number 1, feeds: ")
    assert "there is no feed 'hn'; none is set" in sentence


def test_two_watches_of_one_name_are_refused(folder: Path):
    """A card names its watch, so names are unique."""
    watch = "[[watch]]\nname='w'\nquery='acme'\n"
    (sentence,) = mistakes(folder, MINIMAL + watch + watch)
    assert sentence.startswith("line 7, [[watch]] number 2, name: ")
    assert "give each its own name" in sentence


def test_absent_playbook_is_named(tmp_path: Path):
    """Without a playbook nothing half-starts."""
    (sentence,) = mistakes(tmp_path, MINIMAL)
    assert sentence.startswith("playbook: ")
    assert "`cuecard init` writes one" in sentence


@pytest.mark.parametrize("key", ["bot_token", "app_token", "signing_secret"])
def test_secret_in_the_file_is_refused_and_not_repeated(folder: Path, key: str):
    """A token in the file is told where it belongs; its value is in no message."""
    (sentence,) = mistakes(folder, MINIMAL + f'[slack]\n{key} = "xoxb-1-very-secret"\n')
    assert "put it in the environment or in .env" in sentence
    assert "very-secret" not in sentence


def test_token_in_a_wrong_place_is_masked(folder: Path):
    """A token pasted as the channel's id is not repeated in the message."""
    (sentence,) = mistakes(folder, MINIMAL + '[slack]\nchannel = "xoxb-123-very-secret"\n')
    assert "very-secret" not in sentence
    assert "[secret]" in sentence


def test_time_and_days_are_taken_in_other_spellings(folder: Path):
    """An unquoted TOML time and a day's full name mean what they say."""
    settings = load_settings(write(folder, MINIMAL + "[digest]\nat = 08:30:00\ndays = ['Monday', 'SAT']\n"), {})
    assert settings.digest.at == "08:30"
    assert settings.digest.days == ("mon", "sat")


@pytest.mark.parametrize("url", ["http://127.0.0.1:8750/api/", "http://localhost:1/api", "https://slack-gov.com/api/"])
def test_slack_compatible_servers_are_taken(folder: Path, url: str):
    """Any https server can stand in, and one on this machine without TLS."""
    settings = load_settings(write(folder, MINIMAL + f'[slack]\napi_url = "{url}"\n'), {})
    assert settings.slack.api_url == url.rstrip("/") + "/"


@given(text=st.text(max_size=300))
def test_any_text_is_settings_or_a_sentence(tmp_path_factory: pytest.TempPathFactory, text: str):
    """Whatever the file holds, the answer is settings or sentences, never a traceback."""
    path = tmp_path_factory.mktemp("any") / "cuecard.toml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(SettingsError) as caught:
        load_settings(path, {})
    assert all(str(path) in sentence for sentence in caught.value.sentences)


_VALUES = st.one_of(st.booleans(), st.integers(-5, 500), st.just(""), st.sampled_from(["x", "09:00", "C0123", "mon"]))


@given(
    table=st.dictionaries(
        st.sampled_from(sorted(Settings.model_fields)),
        st.dictionaries(
            st.text("abcdefgh_", min_size=1, max_size=5), st.one_of(_VALUES, st.lists(_VALUES)), max_size=3
        ),
        max_size=4,
    )
)
def test_any_table_is_settings_or_sentences_with_a_place(
    tmp_path_factory: pytest.TempPathFactory, table: dict[str, dict[str, object]]
):
    """Tables of the wrong shape are named like any other mistake."""
    folder = tmp_path_factory.mktemp("any")
    lines = []
    for name, rows in table.items():
        lines += [f"[{name}]", *(f"{key} = {_toml(value)}" for key, value in rows.items())]
    path = write(folder, "\n".join(lines))
    with pytest.raises(SettingsError) as caught:
        load_settings(path, {})
    assert all(": " in sentence for sentence in caught.value.sentences)


def _toml(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else repr(value)


@pytest.fixture
def no_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment without tokens."""
    for name in ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("no_tokens")
class TestSecrets:
    """What must never be written down."""

    def test_environment_goes_before_dotenv(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        """A variable of the environment wins over .env."""
        (tmp_path / ".env").write_text("SLACK_BOT_TOKEN=xoxb-file\nSLACK_APP_TOKEN=xapp-file\n")
        monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-environment")
        secrets = load_secrets(tmp_path)
        assert secrets.slack_bot_token.get_secret_value() == "xoxb-environment"
        assert secrets.slack_app_token.get_secret_value() == "xapp-file"
        assert secrets.problems() == []

    def test_nothing_shows_a_secret(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        """No form in which secrets are printed holds them."""
        monkeypatch.setenv("PLATFORM_KEY", "very-secret-key")
        (tmp_path / ".env").write_text("SLACK_BOT_TOKEN=xoxb-very-secret\n")
        secrets = load_secrets(tmp_path)
        for form in (repr(secrets), str(secrets), f"{secrets}", secrets.model_dump_json(), str(secrets.problems())):
            assert "very-secret" not in form

    def test_platforms_get_every_variable_but_slacks(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        """A platform may read a key of its own, and never Slack's tokens."""
        monkeypatch.setenv("PLATFORM_KEY", "key")
        (tmp_path / ".env").write_text("SLACK_BOT_TOKEN=xoxb-1\nOTHER_KEY=other\n")
        variables = load_secrets(tmp_path).for_platforms()
        assert variables["PLATFORM_KEY"] == "key"
        assert variables["OTHER_KEY"] == "other"
        assert not any("SLACK" in name for name in variables)

    def test_missing_tokens_are_named(self, tmp_path: Path):
        """Each missing token is one sentence with the page where it is found."""
        problems = load_secrets(tmp_path).problems()
        assert [problem.split(";")[0] for problem in problems] == [
            "SLACK_BOT_TOKEN is not set",
            "SLACK_APP_TOKEN is not set",
        ]

    def test_swapped_tokens_are_told_and_not_shown(self):
        """The commonest mistake, the two tokens swapped, is told without their values."""
        secrets = Secrets(slack_bot_token="xapp-1-very-secret", slack_app_token="xoxb-1-very-secret")
        problems = secrets.problems()
        assert "SLACK_BOT_TOKEN does not begin with xoxb-" in problems[0]
        assert "SLACK_APP_TOKEN does not begin with xapp-" in problems[1]
        assert "very-secret" not in "".join(problems)

    def test_token_with_a_stray_character_is_told(self):
        """A token with a quote or a line break in it cannot be sent in a header, and is told before it is."""
        (problem,) = Secrets(slack_bot_token='xoxb-1"', slack_app_token="xapp-1").problems()
        assert "holds a character that no token has" in problem

    def test_dotenv_that_can_not_be_read_is_named(self, tmp_path: Path):
        """A .env in another encoding is one sentence."""
        (tmp_path / ".env").write_bytes(b"SLACK_BOT_TOKEN=\xff\xfe\n")
        with pytest.raises(SettingsError, match=r"\.env cannot be read \(it is not UTF-8 text\)"):
            load_secrets(tmp_path)


def test_settings_hold_no_secret():
    """Settings can be written anywhere: no field of theirs is a secret."""
    assert "secret" not in repr(pickle.loads(pickle.dumps(Settings(brand=Brand(name="Acme"))))).lower()  # noqa: S301
