package dev.sluice.router.fleet;

/** Something that goes on until it is closed. Closing twice does nothing. */
public interface Subscription extends AutoCloseable {
  @Override
  void close();
}
