package dev.sluice.router.fleet;

import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.informers.ResourceEventHandler;
import io.fabric8.kubernetes.client.informers.SharedIndexInformer;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds workers by the EndpointSlices of a Kubernetes service, which it watches. The role of the
 * process needs {@code get}, {@code list} and {@code watch} on {@code endpointslices}. While the
 * API server cannot be reached nothing changes.
 *
 * <p>Threading: started and closed on the fleet loop; the client connects and watches on threads of
 * its own, and every change is handed to the loop.
 */
final class KubernetesDiscovery implements Discovery {
  private static final Logger log = LoggerFactory.getLogger(KubernetesDiscovery.class);
  private static final String SERVICE_LABEL = "kubernetes.io/service-name";
  private static final String DEFAULT_NAMESPACE = "default";
  private static final long NO_RESYNC = 0;

  private final WorkerSource.Kubernetes source;
  private final FleetLoop loop;
  private final Supplier<KubernetesClient> clients;
  private final Executor blocking;

  /**
   * @param clients opens a connection to the API server, which is closed with the search
   * @param blocking runs what may block, in any order
   */
  KubernetesDiscovery(
      WorkerSource.Kubernetes source,
      FleetLoop loop,
      Supplier<KubernetesClient> clients,
      Executor blocking) {
    this.source = source;
    this.loop = loop;
    this.clients = clients;
    this.blocking = blocking;
  }

  @Override
  public String source() {
    return source.toString();
  }

  @Override
  public Subscription start(Consumer<Set<WorkerAddress>> found) {
    Search search = new Search(found);
    blocking.execute(search::open);
    return () -> blocking.execute(search::close);
  }

  /** Opened and closed at most once, in any order. Threading: any thread; state under the lock. */
  private final class Search implements ResourceEventHandler<EndpointSlice> {
    private final Consumer<Set<WorkerAddress>> found;
    private Optional<Watched> watched = Optional.empty(); // guarded by this
    private boolean closed; // guarded by this

    Search(Consumer<Set<WorkerAddress>> found) {
      this.found = found;
    }

    synchronized void open() {
      if (closed) {
        return;
      }
      KubernetesClient client = clients.get();
      SharedIndexInformer<EndpointSlice> slices =
          client
              .discovery()
              .v1()
              .endpointSlices()
              .inNamespace(namespace(client))
              .withLabel(SERVICE_LABEL, source.service())
              .runnableInformer(NO_RESYNC)
              .addEventHandler(this)
              .exceptionHandler(this::goesOnAfter);
      watched = Optional.of(new Watched(client, slices));
      CompletionStage<Void> _ = slices.start().thenRun(this::tell);
    }

    synchronized void close() {
      closed = true;
      watched.ifPresent(Watched::close);
    }

    private boolean goesOnAfter(boolean started, Throwable failure) {
      log.warn(
          "{} cannot be watched; its workers stay as they were: {}", source, failure.toString());
      return true;
    }

    /** All that is known now. Before the first complete list that would be too little. */
    private synchronized void tell() {
      if (!closed && watched.isPresent() && watched.get().slices().hasSynced()) {
        Set<WorkerAddress> addresses =
            ReadyEndpoints.of(watched.get().slices().getStore().list(), source.port());
        loop.execute(() -> found.accept(addresses));
      }
    }

    @Override
    public void onAdd(EndpointSlice slice) {
      tell();
    }

    @Override
    public void onUpdate(EndpointSlice before, EndpointSlice after) {
      tell();
    }

    @Override
    public void onDelete(EndpointSlice slice, boolean finalStateUnknown) {
      tell();
    }
  }

  private record Watched(KubernetesClient client, SharedIndexInformer<EndpointSlice> slices) {
    void close() {
      slices.close();
      client.close();
    }
  }

  private String namespace(KubernetesClient client) {
    if (!source.namespace().isEmpty()) {
      return source.namespace();
    }
    String own = client.getNamespace();
    return own == null ? DEFAULT_NAMESPACE : own;
  }
}
