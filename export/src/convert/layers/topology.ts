/**
 * Checks how the layers of a model are connected. TF.js's loader puts off a layer until what it takes
 * is there, and waits for ever for what never comes.
 */
import { ExportError } from '../../error.js';

interface LayerConfig {
  readonly name?: unknown;
  readonly class_name?: unknown;
  readonly config?: unknown;
  readonly inbound_nodes?: unknown;
}

interface ModelConfig {
  readonly layers?: unknown;
  readonly input_layers?: unknown;
  readonly output_layers?: unknown;
}

type Connection = readonly [layer: string, call: number, output: number];

interface Call {
  readonly layer: string;
  readonly takes: readonly Connection[];
}

/**
 * @param topology a layers model's, in the form of Keras 2
 * @throws ExportError that names the layer, and what it waits for
 */
export function checkTopology(path: string, topology: object): void {
  const { model_config: inner } = topology as { model_config?: unknown };
  check(path, (inner ?? topology) as LayerConfig);
}

function check(path: string, { class_name: kind, config }: LayerConfig): void {
  const layers = layersOf(config);
  if (!layers) return;
  for (const layer of layers) check(path, layer);
  if (kind === 'Sequential') return;
  const fail = (what: string): never => {
    throw new ExportError(
      `${path} is not a whole model: ${what}; save or convert it again, with all of its layers.`,
    );
  };
  const made = new Map<string, number>();
  for (const layer of layers) {
    const name = String(layer.name);
    if (made.has(name)) fail(`two of its layers are called "${name}"`);
    made.set(name, callsAtStart(layer));
  }
  let waiting = layers.flatMap(callsOf);
  const ready = ([layer, call]: Connection): boolean => (made.get(layer) ?? 0) > call;
  for (let before = -1; waiting.length > 0 && waiting.length !== before; ) {
    before = waiting.length;
    waiting = waiting.filter(({ layer, takes }) => {
      if (!takes.every(ready)) return true;
      made.set(layer, (made.get(layer) ?? 0) + 1);
      return false;
    });
  }
  const [stuck] = waiting;
  if (stuck) {
    const source = stuck.takes.find((connection) => !ready(connection))?.[0];
    fail(
      made.has(source as string)
        ? `its layer "${stuck.layer}" takes an output of "${source}" that is never computed`
        : `its layer "${stuck.layer}" takes the output of "${source}", which it does not have`,
    );
  }
  const { input_layers: inputs, output_layers: outputs } = config as ModelConfig;
  for (const [what, ends] of Object.entries({ input: inputs, output: outputs })) {
    for (const end of Array.isArray(ends) ? (ends as unknown[][]) : []) {
      if (!made.has(String(end[0]))) fail(`its ${what} "${end[0]}" is none of its layers`);
    }
  }
}

const layersOf = (config: unknown): readonly LayerConfig[] | undefined => {
  const { layers } = (config ?? {}) as ModelConfig;
  return Array.isArray(layers)
    ? layers.filter((l) => typeof l === 'object' && l !== null)
    : undefined;
};

/** Inputs are there from the start, and so is the first call of a model within the model. */
const callsAtStart = ({ class_name: kind, config }: LayerConfig): number =>
  kind === 'InputLayer' || layersOf(config) ? 1 : 0;

function callsOf({ name, inbound_nodes: calls }: LayerConfig): Call[] {
  if (!Array.isArray(calls)) return [];
  return calls
    .filter((call) => Array.isArray(call) && call.length > 0)
    .map((takes) => ({ layer: String(name), takes }));
}
