package dev.sluice.common.template;

import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;

/** A value that templates work with; each stands for a type of Python or jinja2. */
sealed interface Value
    permits Value.None,
        Value.Bool,
        Value.Int,
        Value.Real,
        Value.Text,
        Value.Items,
        Value.Tuple,
        Value.Range,
        Value.View,
        Value.Generator,
        Value.Undefined,
        Value.Namespace,
        Value.Function,
        Dict,
        Loop {
  /** {@code None}. */
  enum None implements Value {
    NONE
  }

  /** {@code bool}. */
  enum Bool implements Value {
    FALSE(0),
    TRUE(1);

    /** As an {@code int}. */
    final long number;

    Bool(long number) {
      this.number = number;
    }

    static Bool of(boolean value) {
      return value ? TRUE : FALSE;
    }
  }

  /** {@code int}, of 64 bits. */
  record Int(long value) implements Value {}

  /** {@code float}. */
  record Real(double value) implements Value {}

  /** {@code str}. */
  record Text(String value) implements Value {}

  /** {@code list}; the sandbox never changes one. */
  record Items(List<Value> items) implements Value {}

  /** {@code tuple}. */
  record Tuple(List<Value> items) implements Value {}

  /** {@code range}; as long as it is, its size fits an int. */
  record Range(long start, long stop, long step) implements Value {
    int size() {
      long span = step > 0 ? stop - start : start - stop;
      long stride = Math.abs(step);
      return span <= 0 ? 0 : Math.toIntExact((span + stride - 1) / stride);
    }

    Int at(int index) {
      return new Int(start + index * step);
    }
  }

  /** What {@code dict.keys()}, {@code values()} and {@code items()} give. */
  record View(Kind kind, Dict dict) implements Value {
    enum Kind {
      KEYS,
      VALUES,
      ITEMS
    }
  }

  /**
   * A generator: can be iterated over once, and is always true.
   *
   * @param depth generators that take items from each other, this one included
   */
  record Generator(Iterator<Value> items, int depth) implements Value {
    private static final int MAX_DEPTH = 50;

    /** Over items that are there. */
    static Generator of(List<Value> items) {
      return new Generator(items.iterator(), 1);
    }

    /** Over items that are made of a value's when they are asked for. */
    static Generator from(Value source, UnaryOperator<Iterator<Value>> makes) {
      int depth = source instanceof Generator inner ? inner.depth + 1 : 1;
      if (depth > MAX_DEPTH) {
        throw new Failure("more than " + MAX_DEPTH + " generators take items from each other");
      }
      return new Generator(makes.apply(Values.iterate(source)), depth);
    }
  }

  /**
   * What is not there: prints as nothing, is false, has no items, and fails in any other use.
   *
   * @param message tells what is missing
   */
  record Undefined(String message) implements Value {}

  /** {@code namespace()}: the only value that a template can change. */
  record Namespace(Map<String, Value> members) implements Value {
    Namespace() {
      this(new LinkedHashMap<>());
    }
  }

  /** Something that can be called: a macro, a method, a global function. */
  record Function(String name, Code code) implements Value {}

  /** What a function does. */
  @FunctionalInterface
  interface Code {
    Value call(Arguments arguments);
  }

  /** Name of the type in Python. */
  default String type() {
    return switch (this) {
      case None _ -> "NoneType";
      case Bool _ -> "bool";
      case Int _ -> "int";
      case Real _ -> "float";
      case Text _ -> "str";
      case Items _ -> "list";
      case Tuple _ -> "tuple";
      case Dict _ -> "dict";
      case Range _ -> "range";
      case View view ->
          switch (view.kind()) {
            case KEYS -> "dict_keys";
            case VALUES -> "dict_values";
            case ITEMS -> "dict_items";
          };
      case Generator _ -> "generator";
      case Undefined _ -> "Undefined";
      case Namespace _ -> "Namespace";
      case Function _ -> "function";
      case Loop _ -> "LoopContext";
    };
  }

  /** Texts of the strings as a list. */
  static Items texts(List<String> texts) {
    return new Items(texts.stream().<Value>map(Text::new).toList());
  }
}
