package dev.sluice.worker.ort;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.JarURLConnection;
import java.net.URL;
import java.net.URLConnection;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.zip.CRC32;
import java.util.zip.CheckedInputStream;

/**
 * Shared libraries of a jar as files. A library has a folder of its own, named after its checksum
 * and size, so that two versions never meet and a second start unpacks nothing; what it loads
 * itself lies beside it.
 *
 * <p>Threading: safe between processes, since files appear by renaming.
 */
final class UnpackedLibrary {
  private UnpackedLibrary() {}

  /** Unpacks below a folder unless an earlier start did, or to a temporary one if it cannot. */
  static Path unpack(URL url, Path folder) throws IOException {
    String name = fileName(url);
    long[] checksumAndSize = checksumAndSize(url);
    Path home =
        folder.resolve(
            "%s-%08x-%d"
                .formatted(
                    name.substring(0, name.lastIndexOf('.')),
                    checksumAndSize[0],
                    checksumAndSize[1]));
    try {
      Files.createDirectories(home);
      return unpackTo(home.resolve(name), url);
    } catch (IOException readOnly) {
      Path temporary = Files.createTempDirectory("sluice-");
      temporary.toFile().deleteOnExit();
      Path unpacked = unpackTo(temporary.resolve(name), url);
      unpacked.toFile().deleteOnExit();
      return unpacked;
    }
  }

  /** Unpacks into the folder of another library. */
  static void unpackBeside(URL url, Path library) throws IOException {
    unpackTo(library.resolveSibling(fileName(url)), url);
  }

  private static Path unpackTo(Path target, URL url) throws IOException {
    if (Files.isRegularFile(target) && Files.size(target) == checksumAndSize(url)[1]) {
      return target;
    }
    long process = ProcessHandle.current().pid();
    Path partial = target.resolveSibling(target.getFileName() + "." + process + ".part");
    try (InputStream in = url.openStream()) {
      Files.copy(in, partial, StandardCopyOption.REPLACE_EXISTING);
      move(partial, target);
    } finally {
      Files.deleteIfExists(partial);
    }
    return target;
  }

  private static String fileName(URL url) {
    return url.getPath().substring(url.getPath().lastIndexOf('/') + 1);
  }

  private static void move(Path partial, Path target) throws IOException {
    try {
      Files.move(partial, target, StandardCopyOption.ATOMIC_MOVE);
    } catch (AtomicMoveNotSupportedException e) {
      Files.move(partial, target, StandardCopyOption.REPLACE_EXISTING);
    }
  }

  /** From the jar's directory if it is in a jar: nothing is inflated to learn the name. */
  private static long[] checksumAndSize(URL url) throws IOException {
    URLConnection connection = url.openConnection();
    if (connection instanceof JarURLConnection jar) {
      return new long[] {jar.getJarEntry().getCrc(), jar.getJarEntry().getSize()};
    }
    try (CheckedInputStream in = new CheckedInputStream(connection.getInputStream(), new CRC32())) {
      long size = in.transferTo(OutputStream.nullOutputStream());
      return new long[] {in.getChecksum().getValue(), size};
    }
  }
}
