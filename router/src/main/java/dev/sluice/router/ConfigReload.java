package dev.sluice.router;

import dev.sluice.common.config.ConfigException;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.lang.reflect.RecordComponent;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Follows the configuration file of a running router. The file is read every few seconds and on
 * SIGHUP; what it says is compared by content, so that it does not matter how it was replaced
 * (Kubernetes changes a link). What tenants get is taken over; of other keys that have changed the
 * log says that they need a restart. A file with a mistake changes nothing.
 *
 * <p>Threading: a daemon thread of its own; SIGHUP and {@link #close} may come from any thread.
 */
final class ConfigReload implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(ConfigReload.class);
  private static final Duration PERIOD = Duration.ofSeconds(3);

  /** The key whose parts can change while the router runs. */
  private static final String LIVE = "tenants";

  private final Path file;
  private final Supplier<RouterConfig> load;
  private final Consumer<RouterConfig> apply;
  private final Semaphore asked = new Semaphore(0);
  private final Thread thread;
  private RouterConfig current; // of the thread, as the rest
  private byte[] content;

  /**
   * Reads the file once, to know when it changes.
   *
   * @param first what it said when the router started
   * @param load reads it, and what overrides it
   * @param apply takes over what can change
   */
  ConfigReload(
      Path file, RouterConfig first, Supplier<RouterConfig> load, Consumer<RouterConfig> apply) {
    this.file = file;
    this.load = load;
    this.apply = apply;
    current = first;
    content = read();
    thread = Thread.ofPlatform().daemon().name("config-reload").unstarted(this::run);
  }

  /** Follows the file until closed. */
  static ConfigReload start(
      Path file, RouterConfig first, Supplier<RouterConfig> load, Consumer<RouterConfig> apply) {
    ConfigReload reload = new ConfigReload(file, first, load, apply);
    reload.onHangUp();
    reload.thread.start();
    return reload;
  }

  @Override
  public void close() {
    thread.interrupt();
  }

  private void run() {
    try {
      while (true) {
        check(asked.tryAcquire(PERIOD.toMillis(), TimeUnit.MILLISECONDS));
      }
    } catch (InterruptedException e) {
      log.debug("{} is followed no more", file);
    }
  }

  /**
   * Reads the file and takes over what is new.
   *
   * @param always also if the file is as it was
   */
  void check(boolean always) {
    byte[] now = read();
    if (!always && Arrays.equals(now, content)) {
      return;
    }
    content = now;
    try {
      take(load.get());
    } catch (ConfigException e) {
      log.error(
          "{} is not taken over; what was read before stays in force: {}", file, e.getMessage());
    }
  }

  private void take(RouterConfig next) {
    List<String> changed = changed(current, next);
    if (changed.remove(LIVE)) {
      apply.accept(next);
      log.info("{}: tenants have other limits or shares now: {}", file, next.tenants());
    } else {
      log.info("{}: tenants keep their limits and shares", file);
    }
    if (!changed.isEmpty()) {
      log.warn("{}: changed, and in force only after a restart: {}", file, changed);
    }
    current = next;
  }

  /** Names of the parts that differ. */
  private static List<String> changed(RouterConfig before, RouterConfig after) {
    List<String> changed = new ArrayList<>();
    for (RecordComponent part : RouterConfig.class.getRecordComponents()) {
      try {
        if (!part.getAccessor().invoke(before).equals(part.getAccessor().invoke(after))) {
          changed.add(part.getName());
        }
      } catch (ReflectiveOperationException e) {
        throw new IllegalStateException(part.getName(), e);
      }
    }
    return changed;
  }

  /** A file that is away for a moment reads as empty, and is then told of by whoever loads it. */
  private byte[] read() {
    try {
      return Files.readAllBytes(file);
    } catch (IOException e) {
      return new byte[0];
    }
  }

  /**
   * SIGHUP asks for it. The JDK's class for signals is its own business, and so not for the
   * compiler; where it is missing the file is still followed.
   */
  @SuppressWarnings("ReferenceEquality") // whether it is the same handler is what is asked
  private void onHangUp() {
    try {
      Class<?> signal = Class.forName("sun.misc.Signal");
      Class<?> handler = Class.forName("sun.misc.SignalHandler");
      Object ours =
          Proxy.newProxyInstance(
              ConfigReload.class.getClassLoader(),
              new Class<?>[] {handler},
              (proxy, method, arguments) ->
                  switch (method.getName()) {
                    case "handle" -> {
                      asked.release();
                      yield null;
                    }
                    case "equals" -> proxy == arguments[0];
                    case "hashCode" -> System.identityHashCode(proxy);
                    default -> "reload " + file;
                  });
      Object _ =
          signal
              .getMethod("handle", signal, handler)
              .invoke(null, signal.getConstructor(String.class).newInstance("HUP"), ours);
    } catch (ReflectiveOperationException | IllegalArgumentException e) {
      log.info("SIGHUP does not ask for {} to be read: {}", file, e.toString());
    }
  }
}
