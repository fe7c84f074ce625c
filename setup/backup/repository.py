"""A folder of backups: contents stored once each by their SHA-256, and one manifest per backup.

One job: put contents in and take them out unchanged. ``objects/ab/abcd…`` holds a content, ``backups/ID.json`` a
manifest with its own checksum in the last line. With a recipient (``age1…``) both are files of the age format
(``….KEY.age``, KEY telling whose): whoever has the folder but not the key reads nothing, and ``age --decrypt`` opens
them without us. ``backups/ID.objects`` names the contents of a backup, so that a machine that cannot decrypt knows what
it may delete. The same content is never written twice for the same key: a second backup costs only what is new.
"""

from __future__ import annotations

import fcntl
import hashlib
import io
import json
import os
import re
import shutil
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Final

import pyrage

from setup.backup.errors import BackupDamaged, BackupError, KeyNeeded
from setup.backup.model import FORMAT, PRODUCT, Entry, Manifest, manifest_of

MARK: Final = "hotline-backup.json"
OBJECTS: Final = "objects"
BACKUPS: Final = "backups"
ENCRYPTED: Final = ".age"
END: Final = "end"
"""Last line of a list of contents: one that is cut off must not cost contents."""

BLOCK_BYTES: Final = 1 << 20
MAX_MANIFEST_BYTES: Final = 1 << 30

_ID: Final = re.compile(r"\d{8}T\d{6}Z")


class Repository:
    """One folder of backups; on this machine, or on a mounted one."""

    def __init__(self, folder: Path, *, recipient: str = "", identity: str = "") -> None:
        """``recipient``: encrypt for this age key; ``identity``: the age key that decrypts. Raises BackupError."""
        self.folder = folder
        try:
            self._recipient = pyrage.x25519.Recipient.from_str(recipient) if recipient else None
        except pyrage.RecipientError:
            raise BackupError(
                f"backup_recipient = {recipient!r} 不是 age 公钥；"
                "请用 hotline backup key 文件 生成一对，写上它打印的 age1…"
            ) from None
        try:
            self._identity = pyrage.x25519.Identity.from_str(identity) if identity else None
        except pyrage.IdentityError:
            raise KeyNeeded("密钥文件里没有 AGE-SECRET-KEY-…；请用 hotline backup key 生成的那个文件") from None

    # Writing

    def prepare(self) -> None:
        """Make the folder ours, unless it is already. Raises BackupError for a folder that holds something else."""
        try:
            private_folder(self.folder)
            if not (self.folder / MARK).exists():
                if any(entry.name != "lost+found" for entry in self.folder.iterdir()):
                    raise BackupError(f"{self.folder} 里有别的文件，不是备份目录；请换一个空目录")
                told = {"product": PRODUCT, "format": FORMAT, "id": str(uuid.uuid4())}
                self._write(self.folder / MARK, json.dumps(told).encode())
            self.require_ours()
            for name in (OBJECTS, BACKUPS):
                (self.folder / name).mkdir(exist_ok=True, mode=0o700)
        except OSError as error:
            raise BackupError(f"写不进备份目录 {self.folder}（{error.strerror}）；请检查挂载、权限和空间") from error

    @contextmanager
    def alone(self) -> Iterator[None]:
        """One writer at a time. Raises BackupError when another one is at work."""
        handle = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise BackupError(f"另一个备份正在写 {self.folder}；请等它做完") from None
            for left in (*self.folder.glob(f"{OBJECTS}/*/.draft-*"), *self.folder.glob(f"{BACKUPS}/.draft-*")):
                left.unlink(missing_ok=True)  # of a run that was killed
            yield
        finally:
            os.close(handle)

    def put(self, file: IO[bytes]) -> tuple[str, int, bool]:
        """Store what is left of ``file``: its SHA-256, its size in bytes, and whether it is new. Raises OSError."""
        objects = self.folder / OBJECTS
        draft = objects / "00" / f".draft-{os.getpid()}"
        draft.parent.mkdir(exist_ok=True, mode=0o700)
        reader = _Hashing(file)
        try:
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
                self._copy_in(reader, out)
                out.flush()
                os.fsync(out.fileno())
            digest = reader.hash.hexdigest()
            place = self._object(digest)
            new = not place.exists()
            if new:
                place.parent.mkdir(exist_ok=True, mode=0o700)
                draft.replace(place)
        finally:
            draft.unlink(missing_ok=True)
        return digest, reader.size, new

    def has(self, digest: str) -> bool:
        """Whether this content is stored already."""
        return self._object(digest).exists()

    def seal(self, manifest: Manifest) -> Path:
        """Write the manifest; only with it the backup exists."""
        text = manifest.dump()
        whole = f"{text}\nsha256 {hashlib.sha256(text.encode()).hexdigest()}\n".encode()
        if self._recipient is not None:
            whole = pyrage.encrypt(whole, [self._recipient])
        place = self.folder / BACKUPS / f"{manifest.backup}.json{self._suffix}"
        needed = "".join(f"{self._object(entry.sha256).name}\n" for entry in manifest.entries)
        self._write(self._list(manifest.backup), f"{needed}{END}\n".encode())
        self._write(place, whole)
        return place

    def drop(self, backup: str) -> None:
        """Forget a backup; its contents go with :meth:`sweep`."""
        for place in (*self._places(backup), self._list(backup)):
            place.unlink(missing_ok=True)

    def sweep(self) -> int:
        """Delete contents that no backup needs; bytes freed. Raises BackupDamaged when that cannot be told."""
        needed: set[str] = set()
        for backup in self.backups():
            try:
                names = self._list(backup).read_text(encoding="ascii").splitlines()
            except (OSError, UnicodeDecodeError):
                names = []
            if names[-1:] != [END]:
                raise BackupDamaged(f"备份 {backup} 的内容清单读不出来，没有清理旧内容；请运行 hotline backup verify")
            needed.update(names[:-1])
        freed = 0
        for place in (self.folder / OBJECTS).glob("*/*"):
            if place.name not in needed:
                freed += place.stat().st_size
                place.unlink()
        return freed

    # Reading

    def require_ours(self) -> None:
        """Raises BackupDamaged when this is no folder of backups that this program can read."""
        try:
            told = json.loads((self.folder / MARK).read_text(encoding="utf-8"))
            product, format_ = told["product"], told["format"]
        except (OSError, ValueError, TypeError, KeyError):
            raise BackupDamaged(f"{self.folder} 不是热线的备份目录（没有完好的 {MARK}）；请核对路径") from None
        if product != PRODUCT or format_ != FORMAT:
            raise BackupDamaged(f"{self.folder} 是 {product} 格式 {format_} 的备份，本程序读不了；请用做备份的版本恢复")

    def backups(self) -> list[str]:
        """Ids of all backups, oldest first."""
        self.require_ours()
        try:
            names = [path.name for path in (self.folder / BACKUPS).iterdir()]
        except FileNotFoundError:
            return []
        return sorted({name.partition(".")[0] for name in names if ".json" in name and not name.startswith(".")})

    def newest(self) -> str:
        """Raises BackupError when there is none."""
        found = self.backups()
        if not found:
            raise BackupError(f"{self.folder} 里还没有备份；请先运行 hotline backup")
        return found[-1]

    def manifest(self, backup: str) -> Manifest:
        """Raises BackupDamaged, KeyNeeded, BackupError."""
        place = next((place for place in self._places(backup) if place.exists()), None)
        if place is None:
            raise BackupError(f"没有备份 {backup}；用 hotline backup list 查看有哪些")
        if place.stat().st_size > MAX_MANIFEST_BYTES:
            raise BackupDamaged(f"备份 {backup} 的清单大得不像真的；请换一个备份")
        out = io.BytesIO()
        with place.open("rb") as file:
            self._copy_out(file, out, place)
        try:
            text, _, rest = out.getvalue().decode("utf-8").rpartition("\nsha256 ")
            if hashlib.sha256(text.encode()).hexdigest() != rest.strip():
                raise ValueError("checksum")
            manifest = manifest_of(text)
        except ValueError as error:
            raise BackupDamaged(f"备份 {backup} 的清单已损坏或不完整（{error}）；请换一个备份") from None
        if manifest.backup != backup:
            raise BackupDamaged(f"备份 {backup} 的清单写的是 {manifest.backup}；请换一个备份")
        return manifest

    def take(self, entry: Entry, place: Path) -> None:
        """Write an entry's content to ``place`` (0600), checked. Raises BackupDamaged, KeyNeeded, OSError."""
        stored = self._stored(entry.sha256)
        private_folder(place.parent)
        try:
            with (
                stored.open("rb") as file,
                os.fdopen(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out,
            ):
                checked = _Checking(out)
                self._copy_out(file, checked, stored)
                out.flush()
                os.fsync(out.fileno())
        except FileNotFoundError:
            raise BackupDamaged(f"备份缺少 {entry.path} 的内容（{stored.name}）；请换一个备份") from None
        checked.require(entry)
        os.utime(place, ns=(entry.modified_ns, entry.modified_ns))

    def verify(self, entry: Entry) -> None:
        """Read a content and check it, writing nothing. Raises BackupDamaged, KeyNeeded."""
        stored = self._stored(entry.sha256)
        checked = _Checking(None)
        try:
            with stored.open("rb") as file:
                self._copy_out(file, checked, stored)
        except FileNotFoundError:
            raise BackupDamaged(f"备份缺少 {entry.path} 的内容（{stored.name}）；请换一个备份") from None
        checked.require(entry)

    # Files

    @property
    def _suffix(self) -> str:
        return _suffix_of(self._recipient) if self._recipient is not None else ""

    def _object(self, digest: str) -> Path:
        """Where a content is written to."""
        return self.folder / OBJECTS / digest[:2] / f"{digest}{self._suffix}"

    def _stored(self, digest: str) -> Path:
        """Where a content can be read from: what our key opens, what needs none, or somebody else's."""
        folder = self.folder / OBJECTS / digest[:2]
        mine = _suffix_of(self._identity.to_public()) if self._identity is not None else ""
        found = (place for place in (folder / f"{digest}{mine}", folder / digest) if place.exists())
        return next(found, None) or next(folder.glob(f"{digest}.*{ENCRYPTED}"), folder / digest)

    def _places(self, backup: str) -> Sequence[Path]:
        if not _ID.fullmatch(backup):
            return ()
        folder = self.folder / BACKUPS
        return folder / f"{backup}.json", *folder.glob(f"{backup}.json.*{ENCRYPTED}")

    def _list(self, backup: str) -> Path:
        return self.folder / BACKUPS / f"{backup}.objects"

    def _copy_in(self, reader: _Hashing, out: IO[bytes]) -> None:
        if self._recipient is not None:
            pyrage.encrypt_io(reader, out, [self._recipient])
        else:
            shutil.copyfileobj(reader, out, BLOCK_BYTES)

    def _copy_out(self, file: IO[bytes], out: IO[bytes] | _Checking, place: Path) -> None:
        if place.suffix != ENCRYPTED:
            shutil.copyfileobj(file, out, BLOCK_BYTES)
            return
        if self._identity is None:
            raise KeyNeeded("备份是加密的；请用 --key 写上密钥文件（hotline backup key 生成的那个）")
        try:
            pyrage.decrypt_io(file, out, [self._identity])
        except pyrage.DecryptError as error:
            if "No matching keys" in str(error):
                raise KeyNeeded("备份不是为这把密钥加密的；请换做备份时的那一把") from None
            raise BackupDamaged(f"{place.name} 已损坏，解不开（{error}）；请换一个备份") from None
        except OSError as error:
            if error.errno is not None:  # the disk's, not the cipher's
                raise
            raise BackupDamaged(f"{place.name} 已损坏，解不开；请换一个备份") from None

    def _write(self, place: Path, content: bytes) -> None:
        draft = place.with_name(f".draft-{os.getpid()}-{place.name}")
        try:
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(place)
        finally:
            with suppress(OSError):
                draft.unlink()
        folder = os.open(place.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def private_folder(path: Path) -> None:
    """Make a folder and what is missing above it, for its owner only whatever the umask. Raises OSError."""
    for folder in (*reversed(path.parents), path):
        if not folder.is_dir():
            folder.mkdir(mode=0o700, exist_ok=True)


def new_key(file: Path) -> str:
    """Write a new age key (0600) and give its public half. Raises BackupError when the file is there already."""
    identity = pyrage.x25519.Identity.generate()
    recipient = str(identity.to_public())
    try:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as out:
            out.write(f"# public key: {recipient}\n{identity}\n")
            out.flush()
            os.fsync(out.fileno())
    except FileExistsError:
        raise BackupError(f"{file} 已经有了；换一个文件名，旧密钥不要删：旧备份还要用它") from None
    except OSError as error:
        raise BackupError(f"写不了 {file}（{error.strerror}）；请检查目录和权限") from error
    return recipient


def read_key(file: Path) -> str:
    """The secret line of a key file. Raises KeyNeeded."""
    try:
        lines = file.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError as error:
        raise KeyNeeded(f"读不了密钥文件 {file}（{error.strerror}）；请检查路径和权限") from None
    secret = [line.strip() for line in lines if line.strip().startswith("AGE-SECRET-KEY-")]
    if len(secret) != 1:
        raise KeyNeeded(f"{file} 不是密钥文件：其中应有一行 AGE-SECRET-KEY-…")
    return secret[0]


def _suffix_of(recipient: pyrage.x25519.Recipient) -> str:
    """Tells contents of one key from those of another: a new key must not rely on what only the old one opens."""
    return f".{hashlib.sha256(str(recipient).encode()).hexdigest()[:8]}{ENCRYPTED}"


class _Hashing:
    """A reader that knows what went through it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.hash = hashlib.sha256()
        self.size = 0

    def read(self, count: int = -1) -> bytes:
        block = self._file.read(count)
        self.hash.update(block)
        self.size += len(block)
        return block


class _Checking:
    """A writer that knows what went through it; without a file it only looks."""

    def __init__(self, file: IO[bytes] | None) -> None:
        self._file = file
        self._hash = hashlib.sha256()
        self._size = 0

    def write(self, block: bytes) -> int:
        self._hash.update(block)
        self._size += len(block)
        return len(block) if self._file is None else self._file.write(block)

    def flush(self) -> None:
        if self._file is not None:
            self._file.flush()

    def require(self, entry: Entry) -> None:
        """Raises BackupDamaged when this is not what the manifest says."""
        if (self._hash.hexdigest(), self._size) != (entry.sha256, entry.size):
            raise BackupDamaged(f"备份里 {entry.path} 的内容与清单不符，已损坏；请换一个备份")
