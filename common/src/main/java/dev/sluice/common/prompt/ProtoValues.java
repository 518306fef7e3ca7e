package dev.sluice.common.prompt;

import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Protobuf's JSON-like values as what a template reads: maps, lists, strings, numbers, null. */
final class ProtoValues {
  private ProtoValues() {}

  static Map<String, @Nullable Object> map(Struct struct) {
    Map<String, @Nullable Object> map = new LinkedHashMap<>();
    struct.getFieldsMap().forEach((key, value) -> map.put(key, value(value)));
    return map;
  }

  static List<@Nullable Object> maps(List<Struct> structs) {
    List<@Nullable Object> list = new ArrayList<>();
    structs.forEach(s -> list.add(map(s)));
    return Collections.unmodifiableList(list);
  }

  private static @Nullable Object value(Value value) {
    return switch (value.getKindCase()) {
      case NULL_VALUE, KIND_NOT_SET -> null;
      case BOOL_VALUE -> value.getBoolValue();
      case STRING_VALUE -> value.getStringValue();
      case NUMBER_VALUE -> number(value.getNumberValue());
      case STRUCT_VALUE -> map(value.getStructValue());
      case LIST_VALUE -> {
        List<@Nullable Object> list = new ArrayList<>();
        value.getListValue().getValuesList().forEach(v -> list.add(value(v)));
        yield list;
      }
    };
  }

  /** Struct knows only doubles; a template prints 3 for what was written as 3. */
  private static Object number(double number) {
    boolean whole = number == Math.rint(number) && Math.abs(number) < 1L << 53;
    return whole ? (Object) (long) number : (Object) number;
  }
}
