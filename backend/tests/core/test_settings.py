"""Settings are read from the environment and validated."""

from __future__ import annotations

import pytest

from ser.core.errors import SettingsError
from ser.core.settings import Settings, load_settings


def test_settings_come_from_the_environment():
    settings = load_settings(
        {"SER_MAX_UPLOAD_BYTES": "1000", "SER_CORS_ORIGINS": "http://a.example, http://b.example/", "SER_MODEL": "x"}
    )
    assert settings.max_upload_bytes == 1000
    assert settings.cors_origins == ("http://a.example", "http://b.example")
    assert settings.model == "x"
    assert load_settings({}) == Settings()
    assert Settings().max_upload_bytes == 25 * 1024 * 1024


@pytest.mark.parametrize("text", ["many", "-1", "0", "nan", "1e999"])
def test_an_invalid_setting_is_named(text):
    with pytest.raises(SettingsError, match="SER_MAX_AUDIO_SECONDS"):
        load_settings({"SER_MAX_AUDIO_SECONDS": text})


def test_conflicting_settings_are_named():
    with pytest.raises(SettingsError, match="SER_THREADS is 4"):
        load_settings({"SER_THREADS": "4", "SER_PREDICTIONS": "3", "SER_WAITING": "1"})
    with pytest.raises(SettingsError, match="text or json"):
        load_settings({"SER_LOG_FORMAT": "xml"})
