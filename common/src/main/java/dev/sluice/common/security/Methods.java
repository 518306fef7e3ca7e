package dev.sluice.common.security;

import java.util.EnumSet;
import java.util.Set;

/** Which permission a gRPC method needs. What is not named here is for operators. */
final class Methods {
  private static final Set<Permission> OPEN = EnumSet.noneOf(Permission.class);
  private static final Set<Permission> GENERATE =
      EnumSet.of(Permission.GENERATE, Permission.ROUTER);
  private static final Set<Permission> WATCH = EnumSet.of(Permission.OPERATE, Permission.ROUTER);
  private static final Set<Permission> OPERATE = EnumSet.of(Permission.OPERATE);

  private Methods() {}

  /** Any of these is enough; empty: everybody may call it, without saying who they are. */
  static Set<Permission> enough(String service, String method) {
    return switch (service) {
      case "grpc.health.v1.Health" -> OPEN; // probes have no keys
      case "sluice.v1.GenerationService" -> GENERATE;
      case "sluice.v1.WorkerService" -> WATCH;
      case "inference.GRPCInferenceService" ->
          method.equals("ServerLive") || method.equals("ServerReady") ? OPEN : GENERATE;
      default -> OPERATE;
    };
  }
}
