#!/usr/bin/env python3
"""Writes a base image with nothing but a Java runtime, from the JDK and the libraries of this machine.

    deploy/images/base.py [--jdk HOME] -o base.tar

For where no registry can be reached, and for images without shell or package manager. The runtime is
jlink's, with the modules that Sluice uses; beside it are the C libraries that it, ONNX Runtime and the
tokenizers are linked with, certificates, time zones, and a user `sluice` (10001). The file is what
`docker save` writes, and what Jib takes as `tar://`. Linux only. Needs Python 3 and a JDK 25."""
import argparse
import hashlib
import io
import json
import os
import pathlib
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile

MODULES = (
    "java.base,java.compiler,java.desktop,java.instrument,java.logging,java.management,java.naming,java.net.http,"
    "java.security.jgss,java.sql,java.xml,jdk.crypto.ec,jdk.httpserver,jdk.incubator.vector,jdk.jcmd,jdk.jfr,"
    "jdk.management,jdk.management.jfr,jdk.naming.dns,jdk.net,jdk.unsupported,jdk.zipfs"
)
# What native libraries inside jars are linked with, beside what the runtime needs.
LIBRARIES = ("libstdc++.so.6", "libgcc_s.so.1", "libm.so.6", "libdl.so.2", "libpthread.so.0", "librt.so.1", "libresolv.so.2", "libz.so.1")
FILES = {
    "etc/passwd": "root:x:0:0:root:/root:/sbin/nologin\nsluice:x:10001:10001:sluice:/var/cache/sluice:/sbin/nologin\n",
    "etc/group": "root:x:0:\nsluice:x:10001:\n",
    "etc/nsswitch.conf": "hosts: files dns\n",
}
EPOCH = 1


def libraries(runtime):
    """Files of the shared libraries that the runtime and LIBRARIES need, the loader among them."""
    known = dict(re.findall(r"^\s*(\S+) \(.*?\) => (\S+)$", subprocess.run(["ldconfig", "-p"], capture_output=True, text=True, env={"PATH": "/usr/sbin:/sbin:/usr/bin:/bin"}, check=True).stdout, re.M)[::-1])
    roots = [str(path) for path in runtime.rglob("*") if path.is_file() and (path.suffix == ".so" or path.parent.name == "bin")]
    roots += [known[name] for name in LIBRARIES if name in known]
    found = {known[name] for name in LIBRARIES if name in known}
    for root in roots:
        text = subprocess.run(["ldd", root], capture_output=True, text=True).stdout
        for path in re.findall(r"(/\S+) \(0x", text):
            if not path.startswith(str(runtime)):
                found.add(path)
    return sorted(found)


def add(archive, name, data=None, source=None, mode=0o644, link=None, owner=0):
    info = tarfile.TarInfo(name)
    info.mtime, info.uid, info.gid, info.mode = EPOCH, owner, owner, mode
    if link is not None:
        info.type, info.linkname = tarfile.SYMTYPE, link
        archive.addfile(info)
    elif source is not None:
        info.size = os.path.getsize(source)
        with open(source, "rb") as stream:
            archive.addfile(info, stream)
    elif data is not None:
        info.size = len(data)
        archive.addfile(info, io.BytesIO(data))
    else:
        info.type = tarfile.DIRTYPE
        archive.addfile(info)


def layer(runtime, path):
    with tarfile.open(path, "w") as archive:
        # Libraries lie where the loader of this machine looks; /lib and /lib64 are links, as in a merged /usr.
        for folder in ("etc", "opt", "usr", "usr/lib", "usr/lib64", "usr/bin", "var", "var/cache"):
            add(archive, folder, mode=0o755)
        add(archive, "tmp", mode=0o1777)
        add(archive, "var/cache/sluice", mode=0o755, owner=10001)
        for link, target in (("lib", "usr/lib"), ("lib64", "usr/lib64")):
            add(archive, link, link=target, mode=0o777)
        made = {"usr/lib", "usr/lib64"}
        for library in libraries(runtime):
            name = re.sub(r"^(lib|lib64)/", r"usr/\1/", library.lstrip("/"))
            folder = os.path.dirname(name)
            parts = folder.split("/")
            for depth in range(2, len(parts) + 1):
                parent = "/".join(parts[:depth])
                if parent not in made:
                    made.add(parent)
                    add(archive, parent, mode=0o755)
            add(archive, name, source=os.path.realpath(library), mode=0o755)
        for name, text in FILES.items():
            add(archive, name, data=text.encode())
        certificates = "/etc/ssl/certs/ca-certificates.crt"
        if os.path.exists(certificates):
            for folder in ("etc/ssl", "etc/ssl/certs"):
                add(archive, folder, mode=0o755)
            add(archive, certificates.lstrip("/"), source=os.path.realpath(certificates))
        for file in sorted([runtime, *runtime.rglob("*")]):
            name = "opt/java" + str(file)[len(str(runtime)):]
            if file.is_symlink():
                add(archive, name, link=os.readlink(file), mode=0o777)
            elif file.is_dir():
                add(archive, name, mode=0o755)
            else:
                add(archive, name, source=file, mode=0o755 if os.access(file, os.X_OK) else 0o644)


def image(runtime, output):
    """A tar as of `docker save`: manifest.json, the configuration, one layer."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "layer.tar")
        layer(runtime, path)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        config = json.dumps({
            "architecture": {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine()),
            "os": "linux",
            "created": "1970-01-01T00:00:01Z",
            "config": {"Env": ["PATH=/opt/java/bin:/usr/bin", "JAVA_HOME=/opt/java", "LANG=C.UTF-8"], "User": "10001:10001"},
            "rootfs": {"type": "layers", "diff_ids": ["sha256:" + digest]},
            "history": [{"created": "1970-01-01T00:00:01Z", "created_by": "deploy/images/base.py"}],
        }).encode()
        name = hashlib.sha256(config).hexdigest() + ".json"
        manifest = [{"Config": name, "RepoTags": ["sluice-base:latest"], "Layers": [digest + "/layer.tar"]}]
        with tarfile.open(output, "w") as archive:
            add(archive, name, data=config)
            add(archive, digest + "/layer.tar", source=path)
            add(archive, "manifest.json", data=json.dumps(manifest).encode())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jdk", default=os.environ.get("JAVA_HOME"), help="a JDK 25 or newer; default: $JAVA_HOME")
    parser.add_argument("-o", "--output", required=True)
    options = parser.parse_args()
    if not options.jdk or not os.access(f"{options.jdk}/bin/jlink", os.X_OK):
        parser.error(f"--jdk: {options.jdk} (expected: the home of a JDK, with bin/jlink)")
    os.makedirs(os.path.dirname(os.path.abspath(options.output)), exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        runtime = pathlib.Path(folder, "java")
        # Not compressed: class loading from it would be slower, and layers are compressed anyway.
        subprocess.run(
            [f"{options.jdk}/bin/jlink", "--add-modules", MODULES, "--strip-debug", "--no-header-files", "--no-man-pages", "--output", str(runtime)],
            check=True,
        )
        shutil.rmtree(runtime / "legal", ignore_errors=True)
        image(runtime, options.output)
    print(f"{options.output}: {os.path.getsize(options.output) / 1e6:.0f} MB")


if __name__ == "__main__":
    sys.exit(main())
