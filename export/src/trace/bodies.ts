import type { Builder } from '../graph/builder.js';
import type { Value } from '../graph/value.js';
import { type View, view } from '../graph/view.js';

/** A graph within a node, while it is recorded. */
interface Scope {
  /** What records the graph around it. */
  readonly outer: Builder;
  /** Values of the graph around it, and the inputs by which they come in. */
  readonly captured: Map<Value, Value>;
}

/** The graphs within nodes, by their builders. */
export class Bodies {
  private readonly scopes = new Map<Builder, Scope>();

  /** A builder of a graph within another's. */
  open(outer: Builder): Builder {
    const inner = outer.within();
    this.scopes.set(inner, { outer, captured: new Map() });
    return inner;
  }

  /** The values of the graph around it that a graph takes, in the order of its last inputs. */
  takenBy(inner: Builder): Value[] {
    return [...(this.scopes.get(inner)?.captured.keys() ?? [])];
  }

  /** A view of a value of a graph around the one being recorded, by an input of it. */
  within({ value, perm }: View, home: Builder, into: Builder): View {
    return view(this.taken(value, home, into), perm);
  }

  private taken(value: Value, home: Builder, into: Builder): Value {
    const scope = this.scopes.get(into);
    if (into === home || !scope) return value;
    const outer = this.taken(value, home, scope.outer);
    if (outer.data) return into.constant(outer.data, outer.shape, outer.dtype);
    const known = scope.captured.get(outer);
    if (known) return known;
    const name = `taken_${scope.captured.size}`;
    const inner = into.graph.input(name, outer.shape, outer.dtype);
    scope.captured.set(outer, inner);
    return inner;
  }
}
