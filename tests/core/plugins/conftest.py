from isolation import own_settings_fixture, site_fixture  # noqa: F401 - fixtures of this folder
