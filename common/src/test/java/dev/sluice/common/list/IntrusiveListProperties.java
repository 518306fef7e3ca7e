package dev.sluice.common.list;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.jspecify.annotations.Nullable;

class IntrusiveListProperties {
  private static final class Node extends ListNode<Node> {}

  /** Two lists over the same nodes behave as two array lists do. */
  @Property(tries = 300, seed = "1")
  void isTheListThatItsOperationsMake(@ForAll long seed) {
    Random random = new Random(seed);
    List<Node> nodes = IntStream.range(0, 8).mapToObj(_ -> new Node()).toList();
    List<IntrusiveList<Node>> lists = List.of(new IntrusiveList<>(), new IntrusiveList<>());
    List<List<Node>> models = List.of(new ArrayList<>(), new ArrayList<>());
    for (int i = 0; i < 100; i++) {
      int side = random.nextInt(2);
      IntrusiveList<Node> list = lists.get(side);
      List<Node> model = models.get(side);
      Node node = nodes.get(random.nextInt(nodes.size()));
      Node other = nodes.get(random.nextInt(nodes.size()));
      boolean free = models.stream().noneMatch(m -> m.contains(node));
      switch (random.nextInt(4)) {
        case 0 -> attempt(free, () -> list.addFirst(node), () -> model.addFirst(node));
        case 1 -> attempt(free, () -> list.addLast(node), () -> model.addLast(node));
        case 2 ->
            attempt(
                free && model.contains(other),
                () -> list.addBefore(node, other),
                () -> model.add(model.indexOf(other), node));
        default -> attempt(model.contains(node), () -> list.remove(node), () -> model.remove(node));
      }
      for (int k = 0; k < 2; k++) {
        assertSame(lists.get(k), models.get(k));
      }
    }
  }

  private static void attempt(boolean allowed, Runnable operation, Runnable onModel) {
    if (allowed) {
      operation.run();
      onModel.run();
    } else {
      assertThatIllegalStateException().isThrownBy(operation::run);
    }
  }

  private static void assertSame(IntrusiveList<Node> list, List<Node> model) {
    assertThat(list.size()).isEqualTo(model.size());
    assertThat(list.isEmpty()).isEqualTo(model.isEmpty());
    assertThat(forwards(list)).isEqualTo(model);
    List<Node> backwards = backwards(list);
    Collections.reverse(backwards);
    assertThat(backwards).isEqualTo(model);
    assertThat(model).allMatch(node -> node.isIn(list));
  }

  private static List<Node> forwards(IntrusiveList<Node> list) {
    List<Node> found = new ArrayList<>();
    for (@Nullable Node node = list.first(); node != null; node = node.next()) {
      found.add(node);
    }
    return found;
  }

  private static List<Node> backwards(IntrusiveList<Node> list) {
    List<Node> found = new ArrayList<>();
    for (@Nullable Node node = list.last(); node != null; node = node.previous()) {
      found.add(node);
    }
    return found;
  }
}
