package dev.sluice.v1;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.DescriptorProtos.FieldDescriptorProto;
import com.google.protobuf.DescriptorProtos.FileDescriptorProto;
import com.google.protobuf.DescriptorProtos.FileDescriptorSet;
import com.google.protobuf.TextFormat;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** The contract changes only on purpose, and never so that others break. */
final class ContractTest {
  private static final Path GOLDEN = Path.of("src/test/resources/sluice-v1.textproto");

  @Test
  void contractIsTheCommittedOne() throws IOException {
    FileDescriptorSet current = current();
    if (Boolean.getBoolean("golden.update")) {
      assertThat(Compatibility.problems(golden(), current)).isEmpty();
      Files.writeString(GOLDEN, TextFormat.printer().printToString(current));
    }
    assertThat(Compatibility.problems(golden(), current)).isEmpty();
    assertThat(current)
        .as("an addition is committed with: mvn -pl proto test -Dgolden.update=true")
        .isEqualTo(golden());
  }

  @Test
  void removedFieldIsIncompatible() throws IOException {
    assertThat(problemsAfter(file -> file.getMessageTypeBuilder(0).removeField(0)))
        .singleElement()
        .asString()
        .contains("GenerateRequest = 1 is gone");
  }

  @Test
  void changedTypeIsIncompatible() throws IOException {
    assertThat(
            problemsAfter(file ->
                file.getMessageTypeBuilder(0)
                    .getFieldBuilder(0)
                    .setType(FieldDescriptorProto.Type.TYPE_BYTES)))
        .singleElement()
        .asString()
        .contains("TYPE_STRING", "TYPE_BYTES");
  }

  @Test
  void removedRpcAndLostStreamAreIncompatible() throws IOException {
    assertThat(
            problemsAfter(file ->
                file.getServiceBuilder(0)
                    .removeMethod(1)
                    .getMethodBuilder(0)
                    .setServerStreaming(false)))
        .hasSize(2);
  }

  @Test
  void additionIsCompatible() throws IOException {
    assertThat(
            problemsAfter(file ->
                file.getMessageTypeBuilder(0)
                    .addField(
                        FieldDescriptorProto.newBuilder()
                            .setName("later")
                            .setNumber(99)
                            .setType(FieldDescriptorProto.Type.TYPE_BOOL))))
        .isEmpty();
  }

  private static java.util.List<String> problemsAfter(Consumer<FileDescriptorProto.Builder> change)
      throws IOException {
    FileDescriptorSet.Builder changed = golden().toBuilder();
    change.accept(changed.getFileBuilder(0));
    return Compatibility.problems(golden(), changed.build());
  }

  private static FileDescriptorSet current() {
    return FileDescriptorSet.newBuilder()
        .addFile(GenerationProto.getDescriptor().toProto())
        .addFile(WorkerProto.getDescriptor().toProto())
        .addFile(FleetProto.getDescriptor().toProto())
        .build();
  }

  private static FileDescriptorSet golden() throws IOException {
    FileDescriptorSet.Builder golden = FileDescriptorSet.newBuilder();
    TextFormat.merge(Files.readString(GOLDEN), golden);
    return golden.build();
  }
}
