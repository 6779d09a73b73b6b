/** A node of TensorFlow's GraphDef, as model.json has it. */
export interface NodeDef {
  readonly name: string;
  readonly op: string;
  readonly input?: readonly string[];
  readonly attr?: Readonly<Record<string, unknown>>;
}

interface Argument {
  readonly name: string;
}

export interface FunctionDef {
  readonly signature?: {
    readonly name?: string;
    readonly inputArg?: readonly Argument[];
    readonly outputArg?: readonly Argument[];
  };
  /** By the name of an output, the tensor within the function that it is. */
  readonly ret?: Readonly<Record<string, string>>;
  readonly nodeDef?: readonly NodeDef[];
}

/** The part of a graph model that says what it computes. */
export interface GraphDef {
  readonly node?: readonly NodeDef[];
  readonly library?: { readonly function?: readonly FunctionDef[] };
}

/** Whether an input only says what has to be done before. */
export const isControl = (input: string): boolean => input.startsWith('^');

/** The node that computes a tensor, such as `a/b:1` or `a/b:out:1`, or that must run first, `^a/b`. */
export const nodeOf = (input: string): string =>
  input.replace(/^\^/, '').replace(/(:\w+)?:\d+$/, '');
