"""The launcher, on a synthetic project in a temporary folder: no downloads, and tiny Python scripts as programs."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from launcher import audit, checks, environment, page, start, steps
from launcher.project import LOCKS, Project, digest

BACKEND = Path(__file__).resolve().parents[2]
SOURCES = [BACKEND / "__main__.py", BACKEND / "main.py", BACKEND / "train.py", *(BACKEND / "launcher").glob("*.py")]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project whose lock files pin a few packages and whose page has one source file; nothing is set up."""
    root = tmp_path / "Prøjekt mit Leerzeichen"
    (root / "backend").mkdir(parents=True)
    (root / "backend" / "requirements.lock").write_text("# made\nflask==1\ntorch==2\n", encoding="utf-8")
    (root / "backend" / "requirements-train.lock").write_text("-r requirements.lock\nscipy==1\n", encoding="utf-8")
    (root / "backend" / "requirements-dev.lock").write_text("-r requirements-train.lock\nruff==1\n", encoding="utf-8")
    (root / "frontend" / "src").mkdir(parents=True)
    (root / "frontend" / "src" / "app.ts").write_text("1", encoding="utf-8")
    (root / "frontend" / "package-lock.json").write_text("{}", encoding="utf-8")
    return Project(str(root))


class Steps:
    """Replaces ``run_step``: records the commands and creates what venv and npm would."""

    def __init__(self, project: Project):
        self.project = project
        self.commands: list[list[str]] = []
        self.fail_at: str | None = None

    def __call__(self, title: str, command: list[str], **options: object) -> None:
        self.commands.append(command)
        if self.fail_at and self.fail_at in command:
            raise steps.SetupError(f"{title} failed")
        if "venv" in command:
            Path(self._library()).mkdir(parents=True, exist_ok=True)
            Path(self.project.python).parent.mkdir(parents=True, exist_ok=True)
            Path(self.project.python).touch()
            (Path(self.project.venv) / "pyvenv.cfg").write_text("home = x\nversion = 3.11.7\n", encoding="utf-8")
        if "ci" in command:
            Path(self.project.modules).mkdir(exist_ok=True)
        if "build" in command:
            Path(self.project.dist).mkdir(exist_ok=True)
            (Path(self.project.dist) / "index.html").write_text("built", encoding="utf-8")

    def _library(self) -> str:
        inside = ("Lib", "site-packages") if os.name == "nt" else ("lib", "python3.11", "site-packages")
        return os.path.join(self.project.venv, *inside)

    def count(self, word: str) -> int:
        """Number of commands that contain the word."""
        return sum(word in command for command in self.commands)


@pytest.fixture
def run_step(project: Project, monkeypatch: pytest.MonkeyPatch) -> Steps:
    recorder = Steps(project)
    monkeypatch.setattr(steps, "run_step", recorder)
    monkeypatch.setattr(page, "node_environment", lambda project: {"PATH": ""})
    return recorder


def set_up(project: Project, part: str = "serve") -> None:
    """Creates the environment and installs a part."""
    environment.make(project)
    environment.install(project, part)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_the_launcher_parses_on_old_pythons_and_needs_no_packages(path: Path):
    tree = ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 7))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    foreign = {name.split(".")[0] for name in imported} - set(sys.stdlib_module_names) - {"launcher"}
    assert not foreign


def test_an_old_python_gets_a_clear_error(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setattr(sys, "version_info", (3, 9, 2, "final", 0))
    assert start.main(["predict", "clip.wav"]) == 1
    assert "Python 3.11 or newer is needed, this is 3.9.2" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ([], ["serve", "--open"]),
        (["--port", "6000"], ["serve", "--open", "--port", "6000"]),
        (["serve", "--port", "6000"], ["serve", "--port", "6000"]),
        (["predict", "a b.wav", "-"], ["predict", "a b.wav", "-"]),
        (["--version"], ["--version"]),
        (["-h"], ["--help"]),
        (["train", "--help"], ["train", "--help"]),
    ],
)
def test_the_command_is_recognised(given: list[str], meant: list[str]):
    assert start.ser_command(given) == meant


def test_only_commands_that_show_the_page_need_it():
    needing = [name for name in ("serve", "setup", "test", "predict", "train", "evaluate") if start.needs_page([name])]
    assert needing == ["serve", "setup", "test"]
    assert not start.needs_page(["serve", "--help"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(["test", "--fast"], "takes --full"), (["setup", "train"], "--train or --all"), (["audit", "x"], "no")],
)
def test_unknown_options_of_launcher_commands_are_refused(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
):
    assert start.main(arguments) == 2
    printed = capsys.readouterr().err
    assert message in printed and arguments[1] in printed


@pytest.mark.parametrize(
    ("command", "part"),
    [
        ("serve --open", "serve"),
        ("predict a.wav", "serve"),
        ("features a.wav", "train"),
        ("predict a.wav --format json", "serve"),
        ("setup", "serve"),
        ("train", "train"),
        ("train --help", "serve"),
        ("score --files x", "train"),
        ("plot a.wav", "train"),
        ("test", "dev"),
        ("setup --train", "train"),
        ("setup --all", "dev"),
    ],
)
def test_each_command_installs_the_packages_it_needs(command: str, part: str):
    assert start.part_of(command.split()) == part


def test_every_command_named_for_training_exists():
    from ser.cli import app

    names = {command.name or command.callback.__name__ for command in app.registered_commands}
    assert set(start.TRAINING) - {"score"} <= names


def test_the_first_start_sets_up_and_the_second_does_nothing(project: Project, run_step: Steps):
    assert start.prepare(project, "serve", with_page=True)
    assert [run_step.count(word) for word in ("venv", "pip", "ci", "build")] == [1, 1, 1, 1]
    assert environment.is_ready(project) and page.is_ready(project)
    run_step.commands.clear()
    assert start.prepare(project, "serve", with_page=True)
    assert run_step.commands == []


def test_predicting_needs_no_node(project: Project, run_step: Steps):
    assert start.prepare(project, "serve", with_page=False)
    assert run_step.count("ci") == run_step.count("build") == 0


def test_the_package_is_importable_through_a_relative_ascii_line(project: Project, run_step: Steps):
    set_up(project)
    packages = Path(environment.site_packages(project))
    line = (packages / "speech_emotion.pth").read_text(encoding="ascii").strip()
    assert (packages / line).resolve() == Path(project.backend).resolve()


def test_a_killed_setup_starts_over(project: Project, run_step: Steps, capsys: pytest.CaptureFixture[str]):
    run_step.fail_at = "pip"
    assert not start.prepare(project, "serve", with_page=False)
    assert Path(project.python).exists() and not environment.is_ready(project)
    assert "failed" in capsys.readouterr().err
    run_step.fail_at = None
    run_step.commands.clear()
    assert start.prepare(project, "serve", with_page=False)
    assert run_step.count("venv") == 1


def test_a_new_lock_file_updates_a_complete_environment(project: Project, run_step: Steps):
    set_up(project)
    Path(project.lock("serve")).write_text("flask==2\n", encoding="utf-8")
    assert not environment.is_ready(project)
    run_step.commands.clear()
    assert start.prepare(project, "serve", with_page=False)
    assert [run_step.count(word) for word in ("venv", "pip")] == [0, 1]


def test_a_killed_update_restarts_with_an_empty_environment(project: Project, run_step: Steps):
    set_up(project)
    Path(project.lock("serve")).write_text("flask==2\n", encoding="utf-8")
    run_step.fail_at = "pip"
    assert not start.prepare(project, "serve", with_page=False)
    assert not Path(project.stamp("serve")).exists()


def test_the_first_training_command_extends_the_environment(
    project: Project, run_step: Steps, capsys: pytest.CaptureFixture[str]
):
    set_up(project)
    run_step.commands.clear()
    assert start.prepare(project, "train", with_page=False)
    assert [run_step.count(word) for word in ("venv", "pip")] == [0, 1]
    assert project.lock("train") in run_step.commands[0]
    assert environment.is_ready(project, "train") and not environment.is_ready(project, "dev")
    assert "Setting up" not in capsys.readouterr().err


def test_tests_install_all_parts_in_order(project: Project, run_step: Steps):
    assert start.prepare(project, "dev", with_page=False)
    installed = [command[command.index("--requirement") + 1] for command in run_step.commands if "pip" in command]
    assert installed == [project.lock(part) for part in LOCKS]


def test_a_killed_extension_is_resumed_while_serving_still_works(project: Project, run_step: Steps):
    set_up(project)
    run_step.fail_at = "pip"
    assert not start.prepare(project, "train", with_page=False)
    assert environment.is_ready(project) and not environment.is_ready(project, "train")
    run_step.fail_at = None
    assert start.prepare(project, "train", with_page=False)
    assert run_step.count("venv") == 1
    again = [command for command in run_step.commands if "pip" in command][
        -1
    ]  # partly installed packages are written again completely
    assert "--ignore-installed" in again and "scipy==1" in again and "flask==1" not in again


def test_a_killed_update_of_an_extension_restarts_with_an_empty_environment(project: Project, run_step: Steps):
    set_up(project, "train")
    Path(project.lock("train")).write_text("-r requirements.lock\nscipy==2\n", encoding="utf-8")
    assert environment.is_ready(project) and not environment.is_ready(project, "train")
    run_step.fail_at = "pip"
    assert not start.prepare(project, "train", with_page=False)
    assert not environment.is_ready(project)


def test_a_failed_page_build_keeps_the_packages(project: Project, run_step: Steps, capsys: pytest.CaptureFixture[str]):
    run_step.fail_at = "build"
    assert not start.prepare(project, "serve", with_page=True)
    assert environment.is_ready(project) and not page.is_ready(project)
    assert "Building the page failed" in capsys.readouterr().err


def test_setup_compiles_the_installed_packages(project: Project, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    module = Path(project.venv) / "lib" / "python3.11" / "site-packages" / "module.py"
    if os.name == "nt":
        module = Path(project.venv) / "Lib" / "site-packages" / "module.py"
    module.parent.mkdir(parents=True)
    module.write_text("1", encoding="utf-8")
    (module.parent / "broken.py").write_text("print 'Python 2'", encoding="utf-8")
    project.python = sys.executable
    environment.compile_packages(project, everything=True)
    assert list((module.parent / "__pycache__").glob("module.*.pyc"))


@pytest.mark.parametrize(("part", "flag", "compiled"), [("serve", False, 0), ("serve", True, 1), ("dev", False, 1)])
def test_packages_are_compiled_where_python_writes_no_bytecode(
    project: Project, run_step: Steps, monkeypatch: pytest.MonkeyPatch, part: str, flag: bool, compiled: int
):
    monkeypatch.setattr(sys, "dont_write_bytecode", flag)
    set_up(project, part)
    assert run_step.count("-c") == compiled


def test_both_failures_are_reported():
    def fail(text: str) -> None:
        raise steps.SetupError(text)

    with pytest.raises(steps.SetupError, match="(?s)no room.*no network|no network.*no room"):
        steps.side_by_side([lambda: fail("no room"), lambda: fail("no network")])


def test_an_internal_error_is_not_swallowed():
    with pytest.raises(ZeroDivisionError):
        steps.side_by_side([lambda: None, lambda: 1 / 0])


def test_an_environment_of_another_python_is_detected(project: Project, run_step: Steps):
    set_up(project)
    (Path(project.venv) / "pyvenv.cfg").write_text("version = 3.13.1\n", encoding="utf-8")
    assert not environment.is_ready(project)


def test_a_python_without_venv_is_explained(project: Project, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "ensurepip" else object())
    with pytest.raises(steps.SetupError, match="apt install python3"):
        environment.make(project)


def test_a_changed_source_rebuilds_the_page(project: Project, run_step: Steps):
    page.build(project)
    assert page.is_ready(project)
    source = Path(project.frontend) / "src" / "app.ts"
    os.utime(source, (time.time() + 60, time.time() + 60))
    assert not page.is_ready(project)
    run_step.commands.clear()
    os.utime(source)
    page.build(project)
    assert [run_step.count(word) for word in ("ci", "build")] == [0, 1]
    assert page.is_ready(project)


def test_a_deleted_source_rebuilds_the_page(project: Project, run_step: Steps):
    page.build(project)
    (Path(project.frontend) / "src" / "app.ts").unlink()
    os.utime(Path(project.frontend) / "src", (time.time() + 60, time.time() + 60))
    assert not page.is_ready(project)


def test_a_new_package_lock_reinstalls(project: Project, run_step: Steps):
    page.build(project)
    Path(project.package_lock).write_text('{"name": "new"}', encoding="utf-8")
    page.build(project)
    assert run_step.count("ci") == 2


def test_a_failed_build_does_not_count_as_built(project: Project, run_step: Steps):
    page.build(project)
    run_step.fail_at = "build"
    with pytest.raises(steps.SetupError):
        page.build(project)
    assert (Path(project.dist) / "index.html").exists() and not page.is_ready(project)


def test_a_failed_step_shows_its_last_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    log = tmp_path / "build" / "setup.log"
    script = "for i in range(40): print('line', i)\nraise SystemExit(3)"
    with pytest.raises(steps.SetupError) as failure:
        steps.run_step("Doing it", [sys.executable, "-c", script], log=str(log), remedy="Do this.")
    text = str(failure.value)
    assert "line 39" in text and "line 10" not in text
    assert "code 3" in text and "Do this." in text and str(log) in text
    assert "line 10" in log.read_text(encoding="utf-8")
    printed = capsys.readouterr()
    assert printed.err.startswith("Doing it") and printed.out == ""


def test_a_missing_program_is_explained(tmp_path: Path):
    with pytest.raises(steps.SetupError, match="cannot be started.*Install it"):
        steps.run_step("x", [str(tmp_path / "nothing")], log=str(tmp_path / "log"), remedy="Install it.")


def test_a_second_start_waits_for_the_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path, order = str(tmp_path / "build" / "lock"), []

    def second() -> None:
        with steps.exclusive(path):
            order.append("second")

    with steps.exclusive(path):
        waiting = threading.Thread(target=second)
        waiting.start()
        time.sleep(0.4)
        order.append("first")
    waiting.join(10)
    assert order == ["first", "second"]
    assert "waiting" in capsys.readouterr().err


def test_a_program_of_a_killed_launcher_keeps_the_lock(tmp_path: Path):
    lock, begun, ended = (tmp_path / name for name in ("build/lock", "begun", "ended"))
    child = f"import time; open({str(begun)!r}, 'w'); time.sleep(1.5); open({str(ended)!r}, 'w')"
    parent = (
        "from launcher import steps; import sys\n"
        f"with steps.exclusive({str(lock)!r}):\n"
        f"    steps.run_step('x', [sys.executable, '-c', {child!r}], log={str(tmp_path / 'log')!r}, remedy='')"
    )
    killed = subprocess.Popen([sys.executable, "-c", parent], cwd=BACKEND, stderr=subprocess.DEVNULL)
    while not begun.exists():
        time.sleep(0.01)
    killed.kill()
    killed.wait()
    with steps.exclusive(str(lock)):
        assert ended.exists() or os.name == "nt"


def test_pip_progress_is_shown():
    counter = environment.Counter(2)
    assert counter.describe("Collecting flask==1 (from -r x)") == "fetching 1 of 2: flask==1"
    assert counter.describe("  Downloading flask.whl") is None
    assert counter.describe("Processing ./wheels/torch-2.whl") == "fetching 2 of 2: torch-2.whl"
    assert "unpacking" in (counter.describe("Installing collected packages: flask, torch") or "")


def test_the_command_keeps_arguments_streams_and_exit_code(tmp_path: Path):
    """Uses a substitute environment: a real Python with a package ``ser`` that echoes its input."""
    fake = tmp_path / "a folder ü"
    (fake / "ser").mkdir(parents=True)
    (fake / "ser" / "__init__.py").touch()
    echo = "import sys; sys.stdout.write(repr(sys.argv[1:]) + sys.stdin.read()); sys.stderr.write('err'); sys.exit(7)"
    (fake / "ser" / "__main__.py").write_text(echo, encoding="utf-8")
    call = (
        "from launcher import start; from launcher.project import Project; import sys\n"
        f"p = Project({str(tmp_path)!r}); p.python = sys.executable\n"
        "sys.exit(start.hand_over(p, ['predict', 'a b.wav', 'ü', '-']))"
    )
    # the substitute has to precede the project's own package, which is importable too
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(fake), str(BACKEND)]), "PYTHONUTF8": "1"}
    done = subprocess.run(
        [sys.executable, "-c", call], input="stdin", capture_output=True, encoding="utf-8", env=env, cwd=tmp_path
    )
    assert done.stdout == "['predict', 'a b.wav', 'ü', '-']stdin"
    assert (done.stderr, done.returncode) == ("err", 7)


@pytest.mark.parametrize(("text", "version"), [("v24.19.0", (24, 19, 0)), ("v20.20.2", (20, 20, 2)), ("", (0,))])
def test_the_node_version_is_parsed(monkeypatch: pytest.MonkeyPatch, text: str, version: tuple[int, ...]):
    answer = subprocess.CompletedProcess([], 0, stdout=text)
    monkeypatch.setattr(subprocess, "run", lambda *arguments, **options: answer)
    assert page.node_version("node") == version


def test_a_recent_node_is_used_as_it_is(project: Project, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("shutil.which", lambda name, path=None: f"/programs/{name}")
    monkeypatch.setattr(page, "node_version", lambda node: (24, 0, 0))
    assert page.node_environment(project) == dict(os.environ)


def test_an_old_node_is_overridden_on_the_search_path(project: Project, monkeypatch: pytest.MonkeyPatch):
    recorder = Steps(project)
    monkeypatch.setattr(steps, "run_step", recorder)
    set_up(project)
    monkeypatch.setattr(page, "node_version", lambda node: (20, 20, 2))
    env = page.node_environment(project)
    assert page.NODE_WHEEL in recorder.commands[-1]
    first = Path(env["PATH"].split(os.pathsep)[0])
    assert Path(project.venv) in first.parents


def test_the_summary_lists_checks_that_were_not_run():
    report = checks.Report()
    report.passed.append("style")
    report.not_run.append("browser: no Chromium was found")
    assert report.exit_code(require_all=False) == 0
    assert report.exit_code(require_all=True) == 1
    assert "NOT RUN  browser: no Chromium was found" in report.text(require_all=False)
    assert report.text(require_all=False).splitlines()[-1] == "checks: 1 passed, 0 failed"
    assert report.text(require_all=True).splitlines()[-1] == "checks: 1 passed, 1 failed"


def check(title: str, script: str, folder: Path) -> checks.Check:
    """A check that runs a Python script."""
    return checks.Check(title, [sys.executable, "-c", script], str(folder), dict(os.environ))


def test_a_check_forwards_output_and_records_skipped_tests(tmp_path: Path, capfdbinary: pytest.CaptureFixture):
    report = checks.Report()
    script = "print('12 passed'); print('not run: 3 tests need the corpora'); raise SystemExit(5)"
    checks.run(check("Python tests", script, tmp_path), report)
    assert report.not_run == ["3 tests need the corpora"]
    assert report.failed[0].startswith("Python tests") and report.failed[0].endswith("exit code 5")
    assert b"12 passed" in capfdbinary.readouterr().out


def test_a_check_that_cannot_be_started_is_a_failure(tmp_path: Path):
    report = checks.Report()
    checks.run(checks.Check("npm", [str(tmp_path / "nothing")], str(tmp_path), {}), report)
    assert "cannot be started" in report.failed[0]


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[checks.Check]:
    """Collects the checks instead of running them, and counts each as passed."""
    found: list[checks.Check] = []

    def record(one: checks.Check, report: checks.Report) -> None:
        found.append(one)
        report.passed.append(one.title)

    monkeypatch.setattr(checks, "run", record)
    monkeypatch.setattr(page, "node_environment", lambda project: {"PATH": ""})
    return found


@pytest.mark.parametrize("require_all", ["0", "1"])
def test_without_a_browser_the_rest_runs_and_the_gap_is_reported(
    project: Project,
    ran: list[checks.Check],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    require_all: str,
):
    monkeypatch.setenv("SER_CHROMIUM", "no-such-browser")
    monkeypatch.setenv("SER_REQUIRE_ALL", require_all)
    assert checks.run_checks(project) == int(require_all)
    assert [one.command[-1] for one in ran] == [".", "not browser", "test"]
    assert all(one.env["SER_PYTHON"] == project.python and "SER_CHROMIUM" not in one.env for one in ran)
    assert "NOT RUN  page in a real browser" in capsys.readouterr().out


def test_the_full_run_measures_the_promises_last(project: Project, ran: list[checks.Check]):
    checks.run_checks(project, full=True)
    assert ran[-1].command == [project.python, "-m", "benchmarks.promises.scorecard", "--full"]
    ran.clear()
    checks.run_checks(project)
    assert "benchmarks.promises.scorecard" not in [word for one in ran for word in one.command]


@pytest.mark.parametrize(("codes", "code"), [([0, 0], 0), ([1, 0], 1), ([0, 1], 1)])
def test_an_audit_covers_python_and_page_packages(
    project: Project, run_step: Steps, monkeypatch: pytest.MonkeyPatch, codes: list[int], code: int
):
    asked: list[list[str]] = []

    def answer(command: list[str], **_: object) -> subprocess.CompletedProcess[bytes]:
        asked.append(command)
        return subprocess.CompletedProcess(command, codes[len(asked) - 1])

    monkeypatch.setattr(audit, "run_step", run_step)
    monkeypatch.setattr(audit.subprocess, "run", answer)
    assert audit.audit(project) == code
    assert project.lock("dev") in asked[0] and asked[1][-1] == "audit"
    assert "--target" in run_step.commands[0]  # not into the environment


def test_an_audit_without_internet_is_explained(
    project: Project, run_step: Steps, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def offline(title: str, command: list[str], *, remedy: str, **_: object) -> None:
        raise steps.SetupError(f"{title} failed. {remedy}")

    monkeypatch.setattr(audit, "run_step", offline)
    assert start._audit(project) == 1
    assert "needs the internet" in capsys.readouterr().err


def test_the_stamp_names_the_lock_file(project: Project, run_step: Steps):
    set_up(project)
    stamp = Path(project.stamp("serve")).read_text(encoding="utf-8")
    assert stamp == f"{digest(project.lock('serve'))} python 3.11.7\n"
