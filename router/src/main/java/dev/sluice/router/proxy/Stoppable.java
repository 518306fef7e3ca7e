package dev.sluice.router.proxy;

/** What a call is doing now, as far as somebody else may have to stop it. */
interface Stoppable {
  /** Any thread, any number of times; the driver of the call learns of it soon. */
  void stop(String why);
}
