#!/usr/bin/env bash
# Build the Debian package from the locked wheels: deploy/debian/build.sh [FOLDER]; its last line names the file.
# Needs the built pages (console/app/dist), an Asterisk in the cache (`hotline up` fetched it), pip and dpkg-deb.
set -euo pipefail
umask 022
ROOT=$(cd -- "$(dirname -- "$(readlink -f -- "$0")")/../.." && pwd -P)
OUT=${1:-$ROOT/var/deb}
PYTHON=${HOTLINE_PYTHON:-python3}
VERSION=$(sed -n 's/^version = "\(.*\)"$/\1/p' "$ROOT/pyproject.toml")${HOTLINE_DEB_REVISION:+-$HOTLINE_DEB_REVISION}
ARCHITECTURE=$(dpkg --print-architecture)
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/hotline12345
die() { echo "make deb: $*" >&2; exit 1; }
"$PYTHON" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || die "构建要用 Python 3.11（Debian 12 的），它决定软件包依赖哪个 Python"
[ -f "$ROOT/console/app/dist/index.html" ] || die "还没有构建页面：先运行一次 ./hotline up 或 npm --prefix console/app run build"
BUNDLE=$(ls -d "$CACHE"/asterisk-*/ 2>/dev/null | sort -V | tail -1) || true
[ -f "${BUNDLE:-}/bundle.json" ] || die "缓存里没有 Asterisk：先运行一次 ./hotline up"

mkdir -p "$OUT"
WORK=$(mktemp -d "$OUT/.build-XXXXXX")
trap 'rm -rf "$WORK"' EXIT
TREE=$WORK/tree
LIB=$TREE/usr/lib/hotline12345
mkdir -p "$LIB" "$TREE/DEBIAN" "$TREE/etc/hotline12345" "$TREE/etc/logrotate.d" "$TREE/usr/bin" "$TREE/lib/systemd/system" \
  "$TREE/usr/share/doc/hotline12345"

# The program: what Git knows, without tests and development.
git -C "$ROOT" archive HEAD | tar -x -C "$LIB" --exclude='tests' --exclude='console/app/src' --exclude='bench' --exclude='.git*' \
  --exclude='deploy' --exclude='requirements*' --exclude='Makefile' --exclude='hotline' --exclude='docs/images' --exclude='docs/bench'
rm -rf "$LIB/console/app"; mkdir -p "$LIB/console/app"
cp -r "$ROOT/console/app/dist" "$LIB/console/app/dist"

# Its Python environment, from the hashed lock; python itself is Debian's.
"$PYTHON" -m venv --without-pip "$LIB/venv"
"$PYTHON" -m venv "$WORK/pip"
"$WORK/pip/bin/pip" install --quiet --quiet --disable-pip-version-check --no-deps --require-hashes --no-compile \
  --target "$LIB/venv/lib/python3.11/site-packages" -r "$ROOT/requirements.lock"
rm -rf "$LIB/venv/lib/python3.11/site-packages/bin" "$LIB/venv/bin/"[Aa]ctivate*
sed -i "s|^home = .*|home = /usr/bin|; /^\(executable\|command\) = /d" "$LIB/venv/pyvenv.cfg"
ln -sfn /usr/bin/python3.11 "$LIB/venv/bin/python3"
ln -sfn python3 "$LIB/venv/bin/python"
ln -sfn python3 "$LIB/venv/bin/python3.11"
find "$LIB" -name __pycache__ -type d -prune -exec rm -rf {} +

# Its Asterisk.
mkdir -p "$LIB/cache/hotline12345"
cp -a "${BUNDLE%/}" "$LIB/cache/hotline12345/"

install -m 0755 "$ROOT/deploy/debian/run" "$LIB/run"
install -m 0644 "$ROOT/deploy/debian/environment" "$LIB/environment"
install -m 0755 "$ROOT/deploy/debian/hotline" "$TREE/usr/bin/hotline"
install -m 0640 "$ROOT/deploy/debian/hotline.toml" "$TREE/etc/hotline12345/hotline.toml"
install -m 0644 "$ROOT/deploy/debian/logrotate" "$TREE/etc/logrotate.d/hotline12345"
install -m 0644 "$ROOT"/deploy/systemd/* "$TREE/lib/systemd/system/"
install -m 0644 "$ROOT/README.md" "$ROOT/README.zh-CN.md" "$ROOT/CHANGELOG.md" "$ROOT/docs/runbook.md" "$TREE/usr/share/doc/hotline12345/"
install -m 0644 "$ROOT/LICENSE" "$TREE/usr/share/doc/hotline12345/copyright"
install -m 0755 "$ROOT"/deploy/debian/{postinst,prerm,postrm} "$TREE/DEBIAN/"
install -m 0644 "$ROOT/deploy/debian/conffiles" "$TREE/DEBIAN/conffiles"
SIZE=$(du -sk --exclude=DEBIAN "$TREE" | cut -f1)
sed "s/@VERSION@/$VERSION/; s/@ARCHITECTURE@/$ARCHITECTURE/; s/@SIZE@/$SIZE/" "$ROOT/deploy/debian/control" >"$TREE/DEBIAN/control"
chmod -R u+rwX,go+rX,go-w "$TREE/usr" "$TREE/lib"   # whatever the umask of whoever made the files

FILE=$OUT/hotline12345_${VERSION}_$ARCHITECTURE.deb
dpkg-deb --root-owner-group -Zzstd -z3 --build "$TREE" "$FILE" >/dev/null
echo "$FILE"
