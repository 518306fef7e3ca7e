package dev.sluice.worker.ort;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * How a session is made: sequential, all graph optimizations, no memory pattern (shapes change with
 * every step), the threads asked for. May be closed once its sessions are made.
 *
 * <p>Threading: confined to its owner.
 */
public final class OrtSessionOptions implements AutoCloseable {
  private final long handle;

  private OrtSessionOptions(long handle) {
    this.handle = handle;
  }

  /**
   * Makes options.
   *
   * @param threads threads of one run, with the one that calls it
   */
  public static OrtSessionOptions create(int threads) {
    if (threads < 1) {
      throw new IllegalArgumentException("threads: " + threads + " (expected: 1 or more)");
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(ValueLayout.JAVA_LONG, 1);
      OrtApi.createSessionOptions(out.address());
      OrtSessionOptions options = new OrtSessionOptions(out.get(ValueLayout.JAVA_LONG, 0));
      try {
        OrtApi.setFixedOptions(options.handle);
        OrtApi.setThreads(options.handle, threads);
        return options;
      } catch (OrtException e) {
        options.close();
        throw e;
      }
    }
  }

  /** Sets an entry of {@code onnxruntime_session_options_config_keys.h}. */
  public void set(String key, String value) {
    try (Arena arena = Arena.ofConfined()) {
      OrtApi.addSessionConfigEntry(
          handle, arena.allocateFrom(key).address(), arena.allocateFrom(value).address());
    }
  }

  /** Makes operators known; the domain must outlive every session. */
  public void add(CustomOpDomain domain) {
    OrtApi.addCustomOpDomain(handle, domain.handle());
  }

  /**
   * Says where the files are that the model's external initializers name. ONNX Runtime maps each
   * tensor, repacks what it multiplies with and unmaps it; others stay mapped for as long as the
   * session lives.
   */
  public void externalInitializersFolder(Path folder) {
    set("session.model_external_initializers_file_folder_path", folder.toString());
  }

  /**
   * Gives the model's external initializers their content. The tensors must be views of the
   * caller's memory; ONNX Runtime copies them while the session is made, repacks what it multiplies
   * with and frees the copy. Tensors and memory may be freed once the session is made.
   */
  public void addExternalInitializers(Map<String, OrtTensor> initializers) {
    if (initializers.isEmpty()) {
      return;
    }
    List<Map.Entry<String, OrtTensor>> entries = List.copyOf(initializers.entrySet());
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment names = arena.allocate(ValueLayout.JAVA_LONG, entries.size());
      MemorySegment values = arena.allocate(ValueLayout.JAVA_LONG, entries.size());
      for (int i = 0; i < entries.size(); i++) {
        long name = arena.allocateFrom(entries.get(i).getKey()).address();
        names.setAtIndex(ValueLayout.JAVA_LONG, i, name);
        values.setAtIndex(ValueLayout.JAVA_LONG, i, entries.get(i).getValue().handle());
      }
      OrtApi.addExternalInitializers(handle, names.address(), values.address(), entries.size());
    }
  }

  long handle() {
    return handle;
  }

  @Override
  public void close() {
    OrtApi.Kind.SESSION_OPTIONS.release(handle);
  }
}
