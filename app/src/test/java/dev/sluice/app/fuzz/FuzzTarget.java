package dev.sluice.app.fuzz;

import java.util.List;

/** Something that takes what strangers make up. */
interface FuzzTarget extends AutoCloseable {
  /** Right inputs. */
  List<String> seeds();

  /** Words of the language. */
  List<String> dictionary();

  /**
   * Takes one input: a refusal by the documented exception is fine, whatever else is thrown is a
   * finding.
   *
   * @return whether the input was right
   */
  boolean take(byte[] input) throws Exception;

  @Override
  void close();
}
