import fcntl
import threading
from pathlib import Path

import pytest

from asterisk_conf import bundle
from asterisk_conf.bundle import BundleError, cache_dir, find_asterisk, installed_asterisk
from asterisk_conf.debian import archive_addresses, explain, release_of

pytestmark = pytest.mark.unit

APT_GET = """#!/bin/sh
case "$*" in
  *indextargets*) printf '%s\\n' 'Other|http://other.example/x/' 'Debian|http://archive.example/debian/' ;;
  *print-uris*) : ;;
  *update*) [ -z "$FAKE_APT_ERROR" ] || { echo "E: $FAKE_APT_ERROR"; exit 100; } ;;
  *install*) touch "$(dirname "$APT_CONFIG")/cache/archives/asterisk.deb" ;;
esac
"""
APT_CACHE = """#!/bin/sh
echo "  Candidate: ${FAKE_CANDIDATE:-1:22.10.1+dfsg-1}"
"""
DPKG_DEB = """#!/bin/sh
root=$3
mkdir -p $root/usr/lib64 $root/usr/sbin $root/usr/lib/x86_64-linux-gnu/asterisk
printf '#!/bin/sh\\necho Asterisk 22.10.1+dfsg-1\\n' > $root/usr/lib64/ld-linux-x86-64.so.2
chmod +x $root/usr/lib64/ld-linux-x86-64.so.2
touch $root/usr/sbin/asterisk
"""


def script(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH whose apt is ours, and an empty cache."""
    folder = tmp_path / "bin"
    script(folder / "apt-get", APT_GET)
    script(folder / "apt-cache", APT_CACHE)
    script(folder / "apt-config", "#!/bin/sh\necho 'Acquire::http::Proxy \"http://proxy.example\";'\n")
    script(folder / "dpkg-deb", DPKG_DEB)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(bundle, "_system_asterisk", lambda: None)
    return folder


def finished(version: str, *, manifest: bool = True, runs: bool = True) -> Path:
    folder = cache_dir() / f"asterisk-{version}"
    text = f"#!/bin/sh\necho Asterisk {version}\n" if runs else "#!/bin/sh\nexit 127\n"
    script(folder / "root/usr/lib64/ld-linux-x86-64.so.2", text)
    script(folder / "root/usr/sbin/asterisk", "")
    (folder / "root/usr/lib/x86_64-linux-gnu/asterisk").mkdir(parents=True)
    if manifest:
        (folder / "bundle.json").write_text("{}", encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("text", "release"),
    [("22.10.1+dfsg+~cs6.17.60671434-1", (22, 10, 1)), ("certified/20.7-cert2", (20, 7)), ("(none)", ())],
)
def test_release_numbers(text: str, release: tuple[int, ...]) -> None:
    assert release_of(text) == release


def test_nothing_is_installed_at_first(programs: Path) -> None:
    assert installed_asterisk() is None


def test_the_newest_finished_bundle_is_used(programs: Path) -> None:
    finished("22.10.1")
    finished("22.11.0")
    finished("23.0.0", manifest=False)
    finished("24.0.0", runs=False)
    finished("22.9.9")
    found = find_asterisk(pytest.fail)
    assert found.version == "22.11.0"
    assert found.bundled
    assert found.argv[1] == "--library-path"
    assert found.modules_dir.parts[-3:] == ("x86_64-linux-gnu", "asterisk", "modules")


def test_a_download_is_unpacked_verified_and_kept(programs: Path) -> None:
    said: list[str] = []
    found = find_asterisk(said.append)
    assert found.version == "22.10.1+dfsg-1"
    assert [path.name for path in cache_dir().iterdir() if path.is_dir()] == ["asterisk-22.10.1+dfsg-1"]
    assert any("下载 Asterisk" in line for line in said)
    assert find_asterisk(pytest.fail) == found


def test_leftovers_of_a_killed_download_are_cleared(programs: Path) -> None:
    (cache_dir() / "unfinished-x/root").mkdir(parents=True)
    find_asterisk(lambda _line: None)
    assert not list(cache_dir().glob("unfinished-*"))


def test_only_the_debian_archive_of_this_machine_is_asked(programs: Path) -> None:
    assert archive_addresses() == ["http://archive.example/debian"]


def test_a_machine_without_indexes_still_names_its_archive(programs: Path) -> None:
    security = "'http://a.example/security/dists/bookworm-security/InRelease' x 0"
    stable = "'http://a.example/debian/dists/bookworm/InRelease' y 0"
    script(programs / "apt-get", f'#!/bin/sh\ncase "$*" in *print-uris*) echo "{security}"; echo "{stable}" ;; esac\n')
    assert archive_addresses() == ["http://a.example/debian"]


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        ("Failed to fetch x  Temporary failure resolving 'archive.example'", "请检查网络"),
        ("write error - write (28: No space left on device)", "磁盘空间不足"),
        ("The repository is not signed.", "The repository is not signed."),
    ],
)
def test_a_failure_says_what_to_do(programs: Path, monkeypatch: pytest.MonkeyPatch, error: str, advice: str) -> None:
    monkeypatch.setenv("FAKE_APT_ERROR", error)
    with pytest.raises(BundleError, match=advice):
        find_asterisk(lambda _line: None)
    assert not list(cache_dir().glob("*unfinished*"))


def test_an_archive_with_too_old_an_asterisk_is_refused(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_CANDIDATE", "1:20.6.0~dfsg-1")
    with pytest.raises(BundleError, match=r"1:20\.6\.0~dfsg-1，低于所需的 22\.10\.1"):
        find_asterisk(lambda _line: None)


def test_a_system_without_apt_is_told_what_to_install(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(programs.parent / "none"))
    with pytest.raises(BundleError, match="自行安装 Asterisk"):
        find_asterisk(lambda _line: None)


def test_a_full_disk_is_told_before_the_download(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("asterisk_conf.debian.SPACE_BYTES", 1 << 60)
    with pytest.raises(BundleError, match="XDG_CACHE_HOME"):
        find_asterisk(lambda _line: None)


def test_an_unwritable_cache_is_a_sentence(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc")
    with pytest.raises(BundleError, match="/proc/hotline12345"):
        find_asterisk(lambda _line: None)


def test_the_second_of_two_waits_and_uses_what_the_first_made(programs: Path) -> None:
    cache_dir().mkdir(parents=True)
    waiting = threading.Event()
    found: list[bundle.Asterisk] = []
    with (cache_dir() / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        second = threading.Thread(target=lambda: found.append(find_asterisk(lambda _line: waiting.set())))
        second.start()
        assert waiting.wait(10)
        finished("22.10.2")
    second.join(10)
    assert [asterisk.version for asterisk in found] == ["22.10.2"]


@pytest.mark.parametrize(("version", "used"), [("22.10.1", True), ("22.10.0", False), ("20.9.3", False)])
def test_the_systems_asterisk_is_used_when_new_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, used: bool
) -> None:
    script(tmp_path / "bin/asterisk", f"#!/bin/sh\necho Asterisk {version}\n")
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:/usr/bin:/bin")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(bundle, "_existing", lambda *_parts: iter([tmp_path]))
    found = installed_asterisk()
    assert (found is not None) is used
    if found:
        assert found.argv == (f"{tmp_path}/bin/asterisk",)
        assert not found.bundled


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        ("E: You don't have enough free space in /x/.", "磁盘空间不足"),
        ("", "无输出"),
        ("Err:1\nE: Unable to locate package asterisk", "Unable to locate package asterisk"),
    ],
)
def test_what_apt_says_is_explained(output: str, sentence: str) -> None:
    assert sentence in explain(output)
