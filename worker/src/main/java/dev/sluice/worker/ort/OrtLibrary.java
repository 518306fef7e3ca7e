package dev.sluice.worker.ort;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.net.URL;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The shared library: found, unpacked from the Maven artefact if need be, and loaded once for the
 * life of the process.
 *
 * <p>The system property {@value #PATH_PROPERTY} or the environment variable {@value
 * #PATH_VARIABLE} names another build. Otherwise the library inside {@code onnxruntime.jar} is
 * unpacked to {@code ${SLUICE_HOME:-~/.cache/sluice}/native}, see {@link UnpackedLibrary}.
 *
 * <p>Threading: {@link #table} is safe from any thread.
 */
@SuppressWarnings("restricted") // native memory and functions
final class OrtLibrary {
  static final String PATH_PROPERTY = "sluice.onnxruntime.library";
  static final String PATH_VARIABLE = "SLUICE_ONNXRUNTIME_LIBRARY";

  /** The version of the function table that {@link OrtApi} was written against. */
  static final int API_VERSION = 29;

  private static final int API_SLOTS = 425;

  private record Loaded(Located library, MemorySegment table, String version) {}

  private static @Nullable Loaded loaded;

  private OrtLibrary() {}

  /**
   * The table of functions, {@value #API_SLOTS} pointers.
   *
   * @throws OrtException if the library cannot be found or loaded; the next call tries again
   */
  static MemorySegment table() {
    return loaded().table;
  }

  /** The version that the library reports, such as {@code 1.29.0}. */
  static String version() {
    return loaded().version;
  }

  /**
   * Puts CUDA's part of the library, over 500 MB, where the library looks for it: beside itself. A
   * build without CUDA, and one that was unpacked by somebody else, stay as they are.
   *
   * @throws OrtException if it cannot be unpacked
   */
  static synchronized void prepareCuda() {
    Located library = loaded().library;
    if (!library.unpacked()) {
      return;
    }
    for (String provider : List.of("onnxruntime_providers_shared", "onnxruntime_providers_cuda")) {
      String resource = resourceName().replaceFirst("onnxruntime(\\.\\w+)$", provider + "$1");
      URL url = OrtLibrary.class.getClassLoader().getResource(resource);
      if (url == null) {
        return;
      }
      try {
        UnpackedLibrary.unpackBeside(url, library.file());
      } catch (IOException e) {
        throw cannotUnpack(url, e);
      }
    }
  }

  private static OrtException cannotUnpack(URL url, IOException e) {
    return new OrtException(
        OrtException.Code.NO_SUCH_FILE, "cannot unpack " + url + ": " + e.getMessage(), e);
  }

  private static synchronized Loaded loaded() {
    Loaded result = loaded;
    if (result == null) {
      result = load();
      loaded = result;
    }
    return result;
  }

  private static Loaded load() {
    Located located = locate();
    Path file = located.file();
    try {
      disableTelemetry();
      SymbolLookup library = SymbolLookup.libraryLookup(file, Arena.global());
      MemorySegment base =
          ((MemorySegment)
                  downcall(
                          library.findOrThrow("OrtGetApiBase"),
                          FunctionDescriptor.of(ValueLayout.ADDRESS))
                      .invokeExact())
              .reinterpret(2 * ValueLayout.ADDRESS.byteSize());
      MemorySegment version =
          (MemorySegment)
              downcall(
                      base.getAtIndex(ValueLayout.ADDRESS, 1),
                      FunctionDescriptor.of(ValueLayout.ADDRESS))
                  .invokeExact();
      String versionText = version.reinterpret(64).getString(0);
      MemorySegment table =
          (MemorySegment)
              downcall(
                      base.getAtIndex(ValueLayout.ADDRESS, 0),
                      FunctionDescriptor.of(ValueLayout.ADDRESS, ValueLayout.JAVA_INT))
                  .invokeExact(API_VERSION);
      if (table.address() == 0) {
        throw new OrtException(
            OrtException.Code.NOT_IMPLEMENTED,
            file + " is version " + versionText + " (expected: 1." + API_VERSION + " or newer)",
            null);
      }
      return new Loaded(
          located, table.reinterpret(API_SLOTS * ValueLayout.ADDRESS.byteSize()), versionText);
    } catch (OrtException e) {
      throw e;
    } catch (Throwable e) {
      throw new OrtException(
          OrtException.Code.NO_SUCH_FILE, "cannot load " + file + ": " + e.getMessage(), e);
    }
  }

  /**
   * Keeps ONNX Runtime from collecting and sending telemetry. It would also run a recursive regular
   * expression over the command line when an environment is made, and end the process by a stack
   * overflow if that is long, as with a class path. Only a variable of the native environment is
   * looked at early enough.
   */
  private static void disableTelemetry() throws Throwable {
    Optional<MemorySegment> setenv = Linker.nativeLinker().defaultLookup().find("setenv");
    if (setenv.isEmpty()) {
      return; // Windows, where it is an event that somebody must listen to
    }
    MethodHandle handle =
        downcall(
            setenv.get(),
            FunctionDescriptor.of(
                ValueLayout.JAVA_INT,
                ValueLayout.ADDRESS,
                ValueLayout.ADDRESS,
                ValueLayout.JAVA_INT));
    try (Arena arena = Arena.ofConfined()) {
      int overwrite = 1;
      int failed =
          (int)
              handle.invokeExact(
                  arena.allocateFrom("ORT_DISABLE_TELEMETRY"), arena.allocateFrom("1"), overwrite);
      if (failed != 0) {
        throw new IllegalStateException("setenv failed");
      }
    }
  }

  private static MethodHandle downcall(MemorySegment function, FunctionDescriptor descriptor) {
    return Linker.nativeLinker().downcallHandle(function, descriptor);
  }

  /** The library file, and whether it was unpacked by us. */
  private record Located(Path file, boolean unpacked) {}

  private static Located locate() {
    String property = System.getProperty(PATH_PROPERTY);
    if (property != null) {
      return new Located(Path.of(property).toAbsolutePath(), false);
    }
    String variable = System.getenv(PATH_VARIABLE);
    if (variable != null) {
      return new Located(Path.of(variable).toAbsolutePath(), false);
    }
    String resource = resourceName();
    URL url = OrtLibrary.class.getClassLoader().getResource(resource);
    if (url == null) {
      throw new OrtException(
          OrtException.Code.NO_SUCH_FILE,
          "no library for this platform: " + resource + " is not on the class path",
          null);
    }
    try {
      return new Located(UnpackedLibrary.unpack(url, cacheFolder()), true);
    } catch (IOException e) {
      throw cannotUnpack(url, e);
    }
  }

  private static String resourceName() {
    String os = System.getProperty("os.name").toLowerCase(Locale.ROOT);
    boolean arm = System.getProperty("os.arch").equals("aarch64");
    String folder = "ai/onnxruntime/native/";
    if (os.startsWith("mac")) {
      return folder + "osx-aarch64/libonnxruntime.dylib";
    }
    if (os.startsWith("windows")) {
      return folder + "win-x64/onnxruntime.dll";
    }
    return folder + (arm ? "linux-aarch64" : "linux-x64") + "/libonnxruntime.so";
  }

  private static Path cacheFolder() {
    String home = System.getenv("SLUICE_HOME");
    Path root =
        home == null ? Path.of(System.getProperty("user.home"), ".cache", "sluice") : Path.of(home);
    return root.resolve("native");
  }
}
