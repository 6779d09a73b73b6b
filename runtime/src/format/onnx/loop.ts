/** Takes the body out of a model that is one ONNX Loop, as a model of its own, which runs once. */
import { UserError } from '../../errors.js';
import { concat } from '../bytes.js';
import { delimited } from './encode.js';
import { type Field, fields } from './protobuf.js';

/** Field numbers of onnx.proto, by message. */
const MODEL = { graph: 7, metadata: 14 };
const GRAPH = { node: 1, input: 11, output: 12 };
const NODE = { input: 1, output: 2, attribute: 5 };
const ATTRIBUTE = { graph: 6 };
const VALUE = { name: 1 };

/** The body of a loop. */
export interface LoopBody {
  /** The bytes of its .onnx file, without metadata. */
  readonly bytes: Uint8Array;
  /** Its inputs that say which round this is, an int64 scalar, and that it takes place, a bool. */
  readonly round: string;
  readonly takesPlace: string;
  /** What the loop carries from round to round: its inputs' names, and the body's. */
  readonly carried: ReadonlyMap<string, string>;
  /** The names of the loop's outputs, and the body's. */
  readonly outputs: ReadonlyMap<string, string>;
}

/**
 * The body of a model whose graph is one Loop. What the body takes from outside becomes its input,
 * of the same name and shape.
 * @throws UserError if the model's graph is anything else
 */
export function loopBody(model: Uint8Array): LoopBody {
  const inside = ({ content, end }: Field, number: number): Field[] =>
    [...fields(model, content, end)].filter((field) => field.number === number);
  const text = ({ content, end }: Field): string =>
    new TextDecoder().decode(model.subarray(content, end));
  const named = (field: Field): string => inside(field, VALUE.name).map(text).join('');
  const parts = [...fields(model)];
  const graph = parts.find(({ number }) => number === MODEL.graph);
  const [loop, another] = graph ? inside(graph, GRAPH.node) : [];
  const body = loop
    ? inside(loop, NODE.attribute).flatMap((field) => inside(field, ATTRIBUTE.graph))[0]
    : undefined;
  if (!graph || !loop || another || !body)
    throw new UserError('The graph of the model is not one loop.');

  const [times, , ...taken] = inside(loop, NODE.input).map(text);
  const [round = '', takesPlace = '', ...inputs] = inside(body, GRAPH.input).map(named);
  const [, ...outputs] = inside(body, GRAPH.output).map(named);
  const pairs = (outer: readonly string[], inner: readonly string[]) =>
    new Map(outer.map((name, i) => [name, inner[i] as string]));
  const carried = pairs(taken, inputs);
  const fromOutside = inside(graph, GRAPH.input).filter((field) => {
    const name = named(field);
    return name !== times && !carried.has(name);
  });
  const slice = ({ start, end }: Field): Uint8Array => model.subarray(start, end);
  return {
    bytes: concat([
      ...parts
        .filter(({ number }) => number !== MODEL.graph && number !== MODEL.metadata)
        .map(slice),
      delimited(MODEL.graph, [
        model.subarray(body.content, body.end),
        ...fromOutside.map(slice), // the fields of a message may come in any order
      ]),
    ]),
    ...{ round, takesPlace, carried },
    outputs: pairs(inside(loop, NODE.output).map(text), outputs),
  };
}
