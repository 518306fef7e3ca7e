package dev.sluice.v1;

import com.google.protobuf.DescriptorProtos.DescriptorProto;
import com.google.protobuf.DescriptorProtos.EnumDescriptorProto;
import com.google.protobuf.DescriptorProtos.EnumValueDescriptorProto;
import com.google.protobuf.DescriptorProtos.FieldDescriptorProto;
import com.google.protobuf.DescriptorProtos.FileDescriptorProto;
import com.google.protobuf.DescriptorProtos.FileDescriptorSet;
import com.google.protobuf.DescriptorProtos.MethodDescriptorProto;
import com.google.protobuf.DescriptorProtos.ServiceDescriptorProto;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What old clients and servers would notice of a change: something named or numbered that is gone,
 * or that means something else. Additions are compatible.
 */
final class Compatibility {
  private final List<String> problems = new ArrayList<>();

  /** Every incompatible change, one line each. */
  static List<String> problems(FileDescriptorSet before, FileDescriptorSet after) {
    Compatibility check = new Compatibility();
    check.compare(facts(before), facts(after));
    return check.problems;
  }

  private void compare(Map<String, String> before, Map<String, String> after) {
    before.forEach((thing, meaning) -> {
      String now = after.get(thing);
      if (now == null) {
        problems.add(thing + " is gone (it was: " + meaning + ")");
      } else if (!now.equals(meaning)) {
        problems.add(thing + " changed from: " + meaning + " to: " + now);
      }
    });
  }

  /** Everything that others rely on: a thing's identity on the wire, and what it means. */
  private static Map<String, String> facts(FileDescriptorSet set) {
    Map<String, String> facts = new TreeMap<>();
    for (FileDescriptorProto file : set.getFileList()) {
      String scope = file.getPackage();
      file.getMessageTypeList().forEach(m -> addMessage(scope, m, facts));
      file.getEnumTypeList().forEach(e -> addEnum(scope, e, facts));
      for (ServiceDescriptorProto service : file.getServiceList()) {
        for (MethodDescriptorProto m : service.getMethodList()) {
          facts.put(
              "rpc /" + scope + "." + service.getName() + "/" + m.getName(),
              (m.getClientStreaming() ? "stream " : "")
                  + m.getInputType()
                  + " to "
                  + (m.getServerStreaming() ? "stream " : "")
                  + m.getOutputType());
        }
      }
    }
    return facts;
  }

  private static void addMessage(String scope, DescriptorProto message, Map<String, String> facts) {
    String name = scope + "." + message.getName();
    facts.put("message " + name, "exists");
    for (FieldDescriptorProto f : message.getFieldList()) {
      String oneof =
          f.hasOneofIndex() && !f.getProto3Optional()
              ? " in oneof " + message.getOneofDecl(f.getOneofIndex()).getName()
              : "";
      facts.put(
          "field " + name + " = " + f.getNumber(),
          f.getName()
              + " "
              + f.getLabel()
              + " "
              + f.getType()
              + " "
              + f.getTypeName()
              + (f.getProto3Optional() ? " with presence" : "")
              + oneof);
    }
    message.getNestedTypeList().forEach(m -> addMessage(name, m, facts));
    message.getEnumTypeList().forEach(e -> addEnum(name, e, facts));
  }

  private static void addEnum(String scope, EnumDescriptorProto type, Map<String, String> facts) {
    for (EnumValueDescriptorProto v : type.getValueList()) {
      facts.put("enum " + scope + "." + type.getName() + " = " + v.getNumber(), v.getName());
    }
  }
}
