package dev.sluice.router.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Drainable;
import io.grpc.KnownLength;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import org.junit.jupiter.api.Test;

class BytesMarshallerTest {
  private static final byte[] MESSAGE = {1, 2, 3, 4, 5};

  @Test
  void readsStreamsWithAndWithoutALength() {
    assertThat(BytesMarshaller.INSTANCE.parse(new ByteArrayInputStream(MESSAGE)))
        .containsExactly(1, 2, 3, 4, 5);
    assertThat(BytesMarshaller.INSTANCE.parse(BytesMarshaller.INSTANCE.stream(MESSAGE)))
        .containsExactly(1, 2, 3, 4, 5);
  }

  @Test
  void writesItselfInOneGo() throws IOException {
    InputStream stream = BytesMarshaller.INSTANCE.stream(MESSAGE);
    assertThat(stream).isInstanceOf(KnownLength.class);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    assertThat(((Drainable) stream).drainTo(out)).isEqualTo(5);
    assertThat(out.toByteArray()).containsExactly(1, 2, 3, 4, 5);
    assertThat(stream.available()).isZero();
  }
}
