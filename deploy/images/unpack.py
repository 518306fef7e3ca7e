#!/usr/bin/env python3
"""Unpacks the layers of an image's tar file, as `docker save` and Jib write it, into a folder.

    deploy/images/unpack.py IMAGE.tar FOLDER      prints the entrypoint, one argument a line"""
import json
import os
import sys
import tarfile


def main(image, folder):
    with tarfile.open(image) as outer:
        manifest = json.load(outer.extractfile("manifest.json"))[0]
        for name in manifest["Layers"]:
            with tarfile.open(fileobj=outer.extractfile(name)) as layer:
                for member in layer:
                    parent, base = os.path.split(member.name)
                    if base.startswith(".wh."):  # what an earlier layer had
                        gone = os.path.join(folder, parent, base[4:])
                        if os.path.lexists(gone):
                            os.remove(gone)
                        continue
                    # Owners are the image's: only root can give files away.
                    layer.extract(member, folder, set_attrs=True, numeric_owner=True, filter="fully_trusted")
        config = json.load(outer.extractfile(manifest["Config"]))["config"]
    print("\n".join(config.get("Entrypoint") or []))


if __name__ == "__main__":
    main(*sys.argv[1:])
