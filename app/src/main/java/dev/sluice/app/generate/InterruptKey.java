package dev.sluice.app.generate;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;

/**
 * Ctrl-C as an event. Java has no public way to that; the one in jdk.unsupported is used through
 * reflection, because the compiler's warning about it cannot be switched off.
 */
final class InterruptKey {
  private InterruptKey() {}

  /** Runs {@code action} on every SIGINT in place of ending the process. */
  @SuppressWarnings("ReferenceEquality") // what equals means for a proxy without state
  static void onPress(Runnable action) {
    InvocationHandler onSignal =
        (proxy, method, args) ->
            switch (method.getName()) {
              case "handle" -> {
                action.run();
                yield null;
              }
              case "equals" -> proxy == args[0];
              case "hashCode" -> System.identityHashCode(proxy);
              default -> "InterruptKey";
            };
    try {
      Class<?> signal = Class.forName("sun.misc.Signal");
      Class<?> handler = Class.forName("sun.misc.SignalHandler");
      Object proxy =
          Proxy.newProxyInstance(
              InterruptKey.class.getClassLoader(), new Class<?>[] {handler}, onSignal);
      signal
          .getMethod("handle", signal, handler)
          .invoke(null, signal.getConstructor(String.class).newInstance("INT"), proxy);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("this JDK has no sun.misc.Signal", e);
    }
  }
}
