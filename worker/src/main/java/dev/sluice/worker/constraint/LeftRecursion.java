package dev.sluice.worker.constraint;

import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/** Finds references that lead back to themselves before anything is read. */
final class LeftRecursion {
  private LeftRecursion() {}

  /**
   * @throws ConstraintException naming a rule that begins with itself
   */
  static void refuse(Map<String, Node.Rule> rules) {
    Map<Node.Rule, Set<Node.Rule>> begins = new HashMap<>(); // rules that a rule may begin with
    Map<Node.Rule, Integer> uses = new HashMap<>();
    for (Node.Rule rule : rules.values()) {
      begins.put(rule, called(rule.entry()));
      uses.putIfAbsent(rule, 0);
      begins.get(rule).forEach(other -> uses.merge(other, 1, Integer::sum));
    }
    // Takes away what no other begins with, until only circles are left.
    ArrayDeque<Node.Rule> unused = new ArrayDeque<>();
    uses.forEach((rule, count) -> {
      if (count == 0) {
        unused.add(rule);
      }
    });
    int left = rules.size();
    while (!unused.isEmpty()) {
      left--;
      for (Node.Rule other : begins.getOrDefault(unused.removeFirst(), Set.of())) {
        if (uses.merge(other, -1, Integer::sum) == 0) {
          unused.add(other);
        }
      }
    }
    if (left > 0) {
      for (Map.Entry<String, Node.Rule> entry : rules.entrySet()) {
        if (uses.getOrDefault(entry.getValue(), 0) > 0) {
          throw new ConstraintException(
              "$ref: \""
                  + SchemaTree.excerpt(entry.getKey())
                  + "\" leads to itself (expected: something to read on the way)");
        }
      }
    }
  }

  private static Set<Node.Rule> called(Node entry) {
    Set<Node.Rule> rules = new HashSet<>();
    ArrayDeque<Node> open = new ArrayDeque<>();
    open.add(entry);
    while (!open.isEmpty()) {
      Node node = open.removeFirst();
      if (node instanceof Node.Choice choice) {
        open.addAll(choice.options);
      } else if (node instanceof Node.Call call) {
        rules.add(call.rule);
      }
    }
    return rules;
  }
}
