package dev.sluice.common.security;

import dev.sluice.common.error.Refusal;
import dev.sluice.common.error.RefusalException;
import dev.sluice.v1.GenerateOnceRequest;
import dev.sluice.v1.GenerateRequest;
import dev.sluice.v1.RouterHop;

/**
 * What identities may write into a request: the tenant is theirs, what routers tell each other is
 * for routers, and the prefix cache has a part for each tenant.
 *
 * @param cachePerTenant whether the cache is parted
 */
record RequestRules(boolean cachePerTenant) {
  /** Longer salts are refused by workers. */
  private static final int LONGEST_SALT = 128;

  /**
   * The request as it is served.
   *
   * @throws RefusalException PERMISSION_DENIED for what is another's
   */
  GenerateRequest admit(Identity identity, GenerateRequest request) {
    if (identity.isRouter()) {
      return request;
    }
    if (!request.getTenant().isEmpty() && !request.getTenant().equals(identity.tenant())) {
      throw denied(
          "tenant: \""
              + request.getTenant()
              + "\" (expected: none, or \""
              + identity.tenant()
              + "\", the tenant of "
              + identity.name()
              + ")");
    }
    if (request.hasHop() && !onlyResume(request.getHop())) {
      throw denied("hop: is set (expected: absent, or resume alone; only a router may send more)");
    }
    GenerateRequest.Builder admitted = request.toBuilder().setTenant(identity.tenant());
    if (cachePerTenant && request.getCacheSalt().length() <= LONGEST_SALT) {
      admitted.setCacheSalt(identity.cacheSalt(request.getCacheSalt()));
    }
    return admitted.build();
  }

  /**
   * As {@link #admit(Identity, GenerateRequest)} for messages that hold one; others as they are.
   */
  Object admitAny(Identity identity, Object message) {
    return switch (message) {
      case GenerateRequest request -> admit(identity, request);
      case GenerateOnceRequest once when once.hasRequest() ->
          once.toBuilder().setRequest(admit(identity, once.getRequest())).build();
      default -> message;
    };
  }

  private static boolean onlyResume(RouterHop hop) {
    return hop.hasResume()
        && hop.toBuilder().clearResume().build().equals(RouterHop.getDefaultInstance());
  }

  static RefusalException denied(String message) {
    return new RefusalException(new Refusal.Forbidden(message));
  }
}
