package dev.sluice.worker.ort;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Where libraries of a jar are unpacked to. */
final class UnpackedLibraryTest {
  @TempDir private Path folder = Path.of("");
  private Path cache = Path.of("");

  @BeforeEach
  void nameTheCache() {
    cache = folder.resolve("cache");
  }

  private URL library(String name, String content) throws IOException {
    return Files.writeString(folder.resolve(name), content).toUri().toURL();
  }

  @Test
  void unpacksOnce() throws IOException {
    URL library = library("libsomething.so", "content");

    Path unpacked = UnpackedLibrary.unpack(library, cache);
    Files.setLastModifiedTime(unpacked, FileTime.fromMillis(0));
    Path again = UnpackedLibrary.unpack(library, cache);

    assertThat(again).isEqualTo(unpacked).hasContent("content").hasFileName("libsomething.so");
    assertThat(Files.getLastModifiedTime(again).toMillis()).isZero();
    assertThat(unpacked.getParent()).isDirectoryNotContaining("glob:**.part");
  }

  @Test
  void versionsDoNotMeet() throws IOException {
    Path one = UnpackedLibrary.unpack(library("libsomething.so", "one"), cache);
    Path two = UnpackedLibrary.unpack(library("libsomething.so", "two"), cache);

    assertThat(one).isNotEqualTo(two).hasContent("one");
    assertThat(two).hasContent("two");
  }

  @Test
  void unpacksBesideAnother() throws IOException {
    Path library = UnpackedLibrary.unpack(library("libsomething.so", "content"), cache);

    UnpackedLibrary.unpackBeside(library("libsomething_more.so", "more"), library);

    assertThat(library.resolveSibling("libsomething_more.so")).hasContent("more");
  }

  @Test
  void anInterruptedUnpackingIsRepeated() throws IOException {
    URL library = library("libsomething.so", "content");
    Path unpacked = UnpackedLibrary.unpack(library, cache);
    Files.writeString(unpacked, "cont");

    assertThat(UnpackedLibrary.unpack(library, cache)).isEqualTo(unpacked).hasContent("content");
  }

  @Test
  void unpacksToATemporaryFolderIfTheCacheIsNotWritable() throws IOException {
    Path file = Files.writeString(folder.resolve("file"), "");

    Path unpacked = UnpackedLibrary.unpack(library("libsomething.so", "c"), file.resolve("cache"));

    assertThat(unpacked).hasContent("c").hasFileName("libsomething.so");
    Files.delete(unpacked);
  }
}
