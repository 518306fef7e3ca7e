package dev.sluice.router.fleet;

import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.security.Security;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds workers by a name's addresses, which it looks up again and again. A look-up that fails
 * changes nothing: whether a worker lives is for its Watch stream to tell.
 *
 * <p>Threading: the fleet loop; look-ups block elsewhere, one at a time.
 */
final class DnsDiscovery implements Discovery {
  private static final Logger log = LoggerFactory.getLogger(DnsDiscovery.class);

  /** Looks a name up; blocks. */
  interface Resolver {
    List<InetAddress> resolve(String host) throws UnknownHostException;

    /** The JVM's, which asks what the system is configured to ask. */
    static Resolver ofSystem() {
      return host -> List.of(InetAddress.getAllByName(host));
    }
  }

  private final WorkerSource.Dns source;
  private final Duration refresh;
  private final FleetLoop loop;
  private final Resolver resolver;
  private final Executor blocking;

  /**
   * @param refresh pause between two look-ups
   * @param blocking runs the look-ups
   */
  DnsDiscovery(
      WorkerSource.Dns source,
      Duration refresh,
      FleetLoop loop,
      Resolver resolver,
      Executor blocking) {
    this.source = source;
    this.refresh = refresh;
    this.loop = loop;
    this.resolver = resolver;
    this.blocking = blocking;
  }

  /**
   * Has the JVM remember names for no longer than they are to be looked up again; by default it
   * does for 30 s. Takes effect only before the first look-up of the process.
   */
  static void limitCache(Duration refresh) {
    String key = "networkaddress.cache.ttl";
    if (Security.getProperty(key) == null) {
      Security.setProperty(key, Long.toString(Math.max(1, refresh.toSeconds() / 2)));
    }
  }

  @Override
  public String source() {
    return source.toString();
  }

  @Override
  public Subscription start(Consumer<Set<WorkerAddress>> found) {
    Lookups lookups = new Lookups(found);
    lookups.next();
    return lookups;
  }

  private final class Lookups implements Subscription {
    private final Consumer<Set<WorkerAddress>> found;
    private Subscription timer = () -> {};
    private boolean closed;
    private boolean failing;

    Lookups(Consumer<Set<WorkerAddress>> found) {
      this.found = found;
    }

    void next() {
      blocking.execute(() -> {
        Runnable outcome;
        try {
          Set<WorkerAddress> addresses = addresses(resolver.resolve(source.host()));
          outcome = () -> resolved(addresses);
        } catch (UnknownHostException | RuntimeException e) {
          outcome = () -> failed(e);
        }
        loop.execute(outcome);
      });
    }

    private void resolved(Set<WorkerAddress> addresses) {
      if (closed) {
        return;
      }
      if (failing) {
        log.info("{} can be looked up again", source);
        failing = false;
      }
      found.accept(addresses);
      timer = loop.schedule(refresh, this::next);
    }

    private void failed(Exception why) {
      if (closed) {
        return;
      }
      if (!failing) {
        log.warn(
            "{} cannot be looked up; its workers stay as they were: {}", source, why.toString());
        failing = true;
      }
      timer = loop.schedule(refresh, this::next);
    }

    @Override
    public void close() {
      closed = true;
      timer.close();
    }
  }

  /** One family only: a worker with addresses of both would else be there twice. */
  private Set<WorkerAddress> addresses(List<InetAddress> resolved) {
    boolean v4 = resolved.stream().anyMatch(Inet4Address.class::isInstance);
    Set<WorkerAddress> addresses = new TreeSet<>();
    for (InetAddress address : resolved) {
      if (!v4 || address instanceof Inet4Address) {
        addresses.add(new WorkerAddress(address.getHostAddress(), source.port()));
      }
    }
    return addresses;
  }
}
