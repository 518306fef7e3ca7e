package dev.sluice.worker.engine;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;

/**
 * What a block pool with a prefix cache has to do, in maps and lists and without any block: content
 * is named by all tokens from the beginning on, never by a hash.
 */
final class NaivePool {
  /** What one block holds: private to a sequence and its forks, or found by its path. */
  private static final class Cell {
    final List<Integer> path; // empty if private
    int users;
    int valid;

    Cell(List<Integer> path) {
      this.path = path;
    }
  }

  /** A sequence: its tokens, behind a first one that stands for the salt. */
  static final class Owner {
    final List<Integer> path = new ArrayList<>();
    int computed;
    private final List<Cell> cells = new ArrayList<>();
    private int entered;

    int length() {
      return path.size() - 1;
    }

    int blocks() {
      return cells.size();
    }
  }

  private final int total;
  private final int blockSize;
  private final boolean keepsIdle;
  private final Map<List<Integer>, Cell> entered = new HashMap<>();
  private final LinkedHashSet<Cell> idle = new LinkedHashSet<>(); // least recently used first
  private int owned;

  NaivePool(int total, int blockSize, boolean keepsIdle) {
    this.total = total;
    this.blockSize = blockSize;
    this.keepsIdle = keepsIdle;
  }

  int owned() {
    return owned;
  }

  int cached() {
    return idle.size();
  }

  int free() {
    return total - owned - idle.size();
  }

  /** Cells that a new sequence would share, and how many of these are idle. */
  private List<Cell> matches(Owner owner) {
    List<Cell> matches = new ArrayList<>();
    for (int i = 0; (i + 1) * blockSize < owner.length(); i++) {
      Cell cell = entered.get(path(owner, i));
      if (cell == null) {
        break;
      }
      matches.add(cell);
    }
    return matches;
  }

  private List<Integer> path(Owner owner, int block) {
    return List.copyOf(owner.path.subList(0, 1 + (block + 1) * blockSize));
  }

  boolean canAllocate(Owner owner, int spare) {
    List<Cell> matches = matches(owner);
    long idleMatches = matches.stream().filter(idle::contains).count();
    int needed = Math.ceilDiv(owner.length(), blockSize) - matches.size();
    return total - owned - idleMatches - spare >= needed;
  }

  void allocate(Owner owner) {
    for (Cell cell : matches(owner)) {
      use(cell);
      owner.cells.add(cell);
    }
    owner.entered = owner.cells.size();
    for (int i = owner.cells.size(); i < Math.ceilDiv(owner.length(), blockSize); i++) {
      boolean shareable = (i + 1) * blockSize < owner.length();
      Cell cell = new Cell(shareable ? path(owner, i) : List.of());
      if (shareable) {
        entered.put(cell.path, cell);
        owner.entered++;
      }
      evictIfFull();
      use(cell);
      owner.cells.add(cell);
    }
    skip(owner);
  }

  /** What others have computed need not be computed again. */
  void skip(Owner owner) {
    for (int i = owner.computed / blockSize; i < owner.entered; i++) {
      Cell cell = owner.cells.get(i);
      owner.computed = Math.max(owner.computed, i * blockSize + cell.valid);
      if (cell.valid < blockSize) {
        return;
      }
    }
  }

  /** Blocks needed for a place for one more token. */
  int needed(Owner owner) {
    int index = owner.length() / blockSize;
    return index == owner.cells.size() || owner.cells.get(index).users > 1 ? 1 : 0;
  }

  boolean canAppend(Owner owner) {
    return needed(owner) <= total - owned;
  }

  /** Appends a token to a sequence of which everything is computed. */
  void append(Owner owner, int token) {
    int index = owner.length() / blockSize;
    owner.path.add(token);
    if (index == owner.cells.size()) {
      evictIfFull();
      owner.cells.add(new Cell(List.of()));
      use(owner.cells.getLast());
    } else if (owner.cells.get(index).users > 1) {
      evictIfFull();
      owner.cells.get(index).users--;
      owner.cells.set(index, new Cell(List.of()));
      use(owner.cells.get(index));
    }
  }

  void compute(Owner owner, int count) {
    owner.computed += count;
    for (int i = 0; i < owner.entered; i++) {
      Cell cell = owner.cells.get(i);
      cell.valid = Math.max(cell.valid, Math.min(blockSize, owner.computed - i * blockSize));
    }
    for (int i = owner.entered; (i + 1) * blockSize <= owner.computed; i++) {
      Cell own = owner.cells.get(i);
      Cell same = entered.get(path(owner, i));
      if (same == null) {
        Cell cell = new Cell(path(owner, i)); // the private one, now with a name
        cell.users = own.users;
        cell.valid = blockSize;
        renamed(own, cell, owner, i);
      } else if (same != own && (same.valid < blockSize || own.users > 1)) {
        return;
      } else if (same != own) {
        use(same);
        leave(own);
        owner.cells.set(i, same);
      }
      owner.entered++;
    }
  }

  private final List<Owner> owners = new ArrayList<>();

  void add(Owner owner) {
    owners.add(owner);
  }

  private void renamed(Cell own, Cell named, Owner owner, int index) {
    entered.put(named.path, named);
    for (Owner other : owners) {
      if (index < other.cells.size() && other.cells.get(index) == own) {
        other.cells.set(index, named);
      }
    }
    owner.cells.set(index, named);
  }

  Owner fork(Owner owner) {
    Owner fork = new Owner();
    fork.path.addAll(owner.path);
    fork.computed = owner.computed;
    fork.entered = owner.entered;
    for (Cell cell : owner.cells) {
      use(cell);
      fork.cells.add(cell);
    }
    owners.add(fork);
    return fork;
  }

  void free(Owner owner) {
    owners.remove(owner);
    while (!owner.cells.isEmpty()) {
      leave(owner.cells.removeLast());
    }
  }

  private void use(Cell cell) {
    idle.remove(cell);
    owned += cell.users++ == 0 ? 1 : 0;
  }

  private void leave(Cell cell) {
    if (--cell.users > 0) {
      return;
    }
    owned--;
    if (keepsIdle && cell.valid == blockSize && !cell.path.isEmpty()) {
      idle.add(cell);
    } else {
      entered.remove(cell.path);
    }
  }

  private void evictIfFull() {
    if (free() == 0) {
      Cell oldest = idle.removeFirst();
      entered.remove(oldest.path);
    }
  }
}
