package dev.sluice.app.generate;

import com.google.protobuf.util.Durations;
import dev.sluice.v1.GenerateRequest;
import dev.sluice.v1.Sampling;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Option;

/** Every field of {@link GenerateRequest} but the prompt. */
final class RequestOptions {
  @Option(
      names = {"-m", "--model"},
      paramLabel = "ID",
      description = "Model or alias. Default: the only one served.")
  private @Nullable String model;

  @ArgGroup(exclusive = false, heading = "%nHow tokens are chosen:%n")
  private SamplingOptions sampling = new SamplingOptions();

  @ArgGroup(exclusive = false, heading = "%nWhen it ends:%n")
  private StoppingOptions stopping = new StoppingOptions();

  @ArgGroup(exclusive = false, heading = "%nWhat comes out:%n")
  private OutputOptions output = new OutputOptions();

  @ArgGroup(exclusive = false, heading = "%nHow it is scheduled and cached:%n")
  private Schedule schedule = new Schedule();

  /** Flags for the scheduler and the caches. */
  static final class Schedule {
    @Option(names = "--request-id", paramLabel = "ID", description = "Name in logs and traces.")
    private @Nullable String requestId;

    @Option(names = "--priority", paramLabel = "N", description = "-100 to 100; higher first.")
    private @Nullable Integer priority;

    @Option(names = "--tenant", paramLabel = "NAME", description = "Whose request it is.")
    private @Nullable String tenant;

    @Option(names = "--session", paramLabel = "ID", description = "Conversation it belongs to.")
    private @Nullable String session;

    @Option(names = "--cache-salt", paramLabel = "SALT", description = "Separates prefix caches.")
    private @Nullable String cacheSalt;

    @Option(
        names = "--ttft-target",
        paramLabel = "DURATION",
        description = "Refuse at once if the first token would come later.")
    private @Nullable Duration ttftTarget;
  }

  /** A request without a prompt. */
  GenerateRequest.Builder toProto() {
    GenerateRequest.Builder request = GenerateRequest.newBuilder().setStopping(stopping.toProto());
    output.addTo(request);
    Sampling chosen = sampling.toProto();
    if (!request.hasBeam() || !chosen.equals(Sampling.getDefaultInstance())) {
      request.setSampling(chosen); // the server refuses it beside beams
    }
    Optional.ofNullable(model).ifPresent(request::setModel);
    Optional.ofNullable(schedule.requestId).ifPresent(request::setRequestId);
    Optional.ofNullable(schedule.priority).ifPresent(request::setPriority);
    Optional.ofNullable(schedule.tenant).ifPresent(request::setTenant);
    Optional.ofNullable(schedule.session).ifPresent(request::setSessionId);
    Optional.ofNullable(schedule.cacheSalt).ifPresent(request::setCacheSalt);
    Optional.ofNullable(schedule.ttftTarget)
        .ifPresent(t -> request.setTtftTarget(Durations.fromNanos(t.toNanos())));
    return request;
  }
}
