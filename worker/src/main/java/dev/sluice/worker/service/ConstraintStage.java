package dev.sluice.worker.service;

import dev.sluice.common.error.Refusal;
import dev.sluice.common.error.RefusalException;
import dev.sluice.worker.constraint.Compilation;
import dev.sluice.worker.constraint.Constraint;
import dev.sluice.worker.constraint.ConstraintSource;
import dev.sluice.worker.constraint.Constraints;
import io.grpc.Context;
import io.grpc.Deadline;
import java.util.concurrent.CancellationException;

/** The stage of a call in which its constraint is compiled. */
final class ConstraintStage {
  private ConstraintStage() {}

  /**
   * Waits for a constraint, as long as the call on this thread is alive: the compilation is given
   * up when the client hangs up or the deadline passes.
   *
   * @throws RefusalException if it cannot be compiled, or the call has ended
   */
  static Constraint compile(Constraints constraints, ConstraintSource source) {
    Context call = Context.current();
    Compilation compilation = constraints.begin(source);
    Context.CancellationListener giveUp = _ -> compilation.cancel();
    call.addListener(giveUp, Runnable::run);
    try {
      return compilation.await();
    } catch (CancellationException e) {
      Deadline deadline = call.getDeadline();
      throw new RefusalException(
          deadline != null && deadline.isExpired()
              ? new Refusal.DeadlineExceeded(
                  "the deadline passed while the constraint was compiled")
              : new Refusal.Cancelled("the client hung up while the constraint was compiled"));
    } finally {
      call.removeListener(giveUp);
    }
  }
}
