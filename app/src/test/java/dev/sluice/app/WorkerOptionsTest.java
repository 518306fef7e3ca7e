package dev.sluice.app;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.worker.kernel.LogitRow;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.Method;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import jdk.incubator.vector.Vector;
import org.junit.jupiter.api.Test;

/** What a worker's virtual machine is told, against the code it is told about. */
final class WorkerOptionsTest {
  private static final Path OPTIONS = Path.of("src", "main", "jvm", "worker.options");
  private static final String INLINE = "-XX:CompileCommand=inline,";
  private static final String COMMAND = "-XX:CompileCommand=";

  /** Makes constants when its class is initialised, once. */
  private static final Set<String> COLD = Set.of("dev.sluice.worker.kernel.Rotation::sign");

  @Test
  void whateverTakesOrReturnsAVectorIsInlined() throws IOException, URISyntaxException {
    Set<String> inlined =
        options()
            .filter(option -> option.startsWith(INLINE))
            .map(option -> option.substring(INLINE.length()))
            .collect(Collectors.toSet());
    List<String> handling =
        kernels().stream()
            .flatMap(kernel -> Arrays.stream(kernel.getDeclaredMethods()))
            .filter(method -> !method.isSynthetic() && handlesVectors(method))
            .map(WorkerOptionsTest::name)
            .filter(name -> !COLD.contains(name))
            .distinct()
            .toList();
    assertThat(handling).hasSizeGreaterThan(10);
    assertThat(handling)
        .allSatisfy(name ->
            assertThat(inlined).containsAnyOf(name, name.substring(0, name.indexOf(':')) + "::*"));
  }

  @Test
  void whatIsNamedExists() throws IOException, URISyntaxException {
    Map<String, Set<String>> known =
        kernels().stream()
            .collect(
                Collectors.toMap(
                    Class::getName,
                    kernel ->
                        Arrays.stream(kernel.getDeclaredMethods())
                            .map(Method::getName)
                            .collect(Collectors.toSet())));
    List<String[]> named =
        options()
            .filter(option -> option.startsWith(COMMAND) && option.contains("::"))
            .map(option -> option.split(",", -1)[1].split("::", -1))
            .filter(classAndMethod -> !classAndMethod[0].endsWith("*"))
            .toList();
    assertThat(named).hasSizeGreaterThan(5);
    for (String[] classAndMethod : named) {
      assertThat(known).containsKey(classAndMethod[0]);
      if (!classAndMethod[1].equals("*")) {
        assertThat(known.get(classAndMethod[0])).contains(classAndMethod[1]);
      }
    }
  }

  private static Stream<String> options() throws IOException {
    return Files.readAllLines(OPTIONS).stream().map(String::strip);
  }

  private static String name(Method method) {
    return method.getDeclaringClass().getName() + "::" + method.getName();
  }

  private static boolean handlesVectors(Method method) {
    return Stream.concat(Stream.of(method.getReturnType()), Stream.of(method.getParameterTypes()))
        .anyMatch(Vector.class::isAssignableFrom);
  }

  /** All classes of the kernels' package, in a folder or in a jar. */
  private static List<Class<?>> kernels() throws IOException, URISyntaxException {
    URI source = LogitRow.class.getProtectionDomain().getCodeSource().getLocation().toURI();
    if (Files.isDirectory(Path.of(source))) {
      return kernels(Path.of(source));
    }
    try (FileSystem jar = FileSystems.newFileSystem(Path.of(source))) {
      return kernels(jar.getPath("/"));
    }
  }

  private static List<Class<?>> kernels(Path root) throws IOException {
    String folder = LogitRow.class.getPackageName().replace('.', '/');
    try (Stream<Path> files = Files.list(root.resolve(folder))) {
      return files
          .map(file -> file.getFileName().toString())
          .filter(file -> file.endsWith(".class") && !file.equals("package-info.class"))
          .<Class<?>>map(file -> load(file.substring(0, file.length() - ".class".length())))
          .toList();
    }
  }

  private static Class<?> load(String name) {
    try {
      return Class.forName(
          LogitRow.class.getPackageName() + "." + name, false, LogitRow.class.getClassLoader());
    } catch (ClassNotFoundException e) {
      throw new UncheckedIOException(new IOException(e));
    }
  }
}
