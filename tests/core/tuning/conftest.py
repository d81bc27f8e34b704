from one_thread import one_thread_fixture  # noqa: F401 - a fixture of this folder
