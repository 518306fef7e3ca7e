package dev.sluice.common.server;

import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogManager;
import java.util.logging.LogRecord;
import java.util.logging.SimpleFormatter;
import org.slf4j.LoggerFactory;
import org.slf4j.spi.LoggingEventBuilder;

/** Makes all logs of a process one stream. Call first in {@code main}, before any logger exists. */
public final class Logging {
  private static final String DEFAULT_LEVEL = "sluice.log";

  private Logging() {}

  /**
   * Sends what libraries log through java.util.logging (gRPC, OpenTelemetry) to SLF4J as well.
   *
   * @param defaultLevel what is logged unless {@code SLUICE_LOG} says otherwise: {@code info} for
   *     servers, {@code warn} for commands
   */
  public static void start(String defaultLevel) {
    if (System.getProperty(DEFAULT_LEVEL) == null) {
      System.setProperty(DEFAULT_LEVEL, defaultLevel);
    }
    LogManager.getLogManager().reset();
    java.util.logging.Logger.getLogger("").addHandler(new ToSlf4j());
  }

  private static final class ToSlf4j extends Handler {
    private final SimpleFormatter formatter = new SimpleFormatter();

    @Override
    public void publish(LogRecord event) {
      String name = event.getLoggerName();
      LoggingEventBuilder builder =
          LoggerFactory.getLogger(name == null ? "java.util.logging" : name)
              .atLevel(level(event.getLevel()));
      if (event.getThrown() != null) {
        builder = builder.setCause(event.getThrown());
      }
      builder.log(formatter.formatMessage(event));
    }

    @Override
    public void flush() {}

    @Override
    public void close() {}

    private static org.slf4j.event.Level level(Level level) {
      if (level.intValue() >= Level.SEVERE.intValue()) {
        return org.slf4j.event.Level.ERROR;
      } else if (level.intValue() >= Level.WARNING.intValue()) {
        return org.slf4j.event.Level.WARN;
      } else if (level.intValue() >= Level.INFO.intValue()) {
        return org.slf4j.event.Level.INFO;
      }
      return org.slf4j.event.Level.DEBUG;
    }
  }
}
